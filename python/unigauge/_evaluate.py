"""`evaluate`: a suite with a function of this process, or with a model that the program knows."""

from __future__ import annotations

import os
import secrets
import tempfile
import warnings
from typing import Any, Callable, List, Mapping, Optional, Sequence, Union, overload

from ._errors import UnigaugeError
from ._function_model import converse, model_name, served, write_model
from ._program import Program, options, run, settings
from ._results import PathLike, Result, load
from ._serve import Served

Model = Union[Callable[..., Any], Served, str, "os.PathLike[str]"]


@overload
def evaluate(
    suite: PathLike,
    model: Model,
    *,
    limit: Optional[int] = ...,
    only: Sequence[str] = ...,
    seeds: Optional[int] = ...,
    repeats: Optional[int] = ...,
    out: PathLike = ...,
    name: Optional[str] = ...,
    version: Optional[str] = ...,
    batch: Optional[int] = ...,
    items: Optional[PathLike] = ...,
    set: Optional[Mapping[str, Any]] = ...,
    device: Optional[str] = ...,
    jobs: Optional[int] = ...,
    offline: bool = ...,
    quiet: bool = ...,
) -> Result: ...


@overload
def evaluate(
    suite: PathLike,
    model: Model,
    *,
    limit: Optional[int] = ...,
    only: Sequence[str] = ...,
    seeds: Sequence[int],
    repeats: Optional[int] = ...,
    out: PathLike = ...,
    name: Optional[str] = ...,
    version: Optional[str] = ...,
    batch: Optional[int] = ...,
    items: Optional[PathLike] = ...,
    set: Optional[Mapping[str, Any]] = ...,
    device: Optional[str] = ...,
    jobs: Optional[int] = ...,
    offline: bool = ...,
    quiet: bool = ...,
) -> List[Result]: ...


def evaluate(
    suite: PathLike,
    model: Model,
    *,
    limit: Optional[int] = None,
    only: Sequence[str] = (),
    seeds: Union[int, Sequence[int], None] = None,
    repeats: Optional[int] = None,
    out: PathLike = "results",
    name: Optional[str] = None,
    version: Optional[str] = None,
    batch: Optional[int] = None,
    items: Optional[PathLike] = None,
    set: Optional[Mapping[str, Any]] = None,
    device: Optional[str] = None,
    jobs: Optional[int] = None,
    offline: bool = False,
    quiet: bool = False,
) -> Union[Result, List[Result]]:
    """Runs a suite with a model: generate, observe, grade, report.

    A function stays in this process: what is loaded is used as it is, and nothing is loaded twice.

    Args:
        suite: A suite's name, such as "geneval", or a suite file.
        model: A function as `serve` takes it, a served function (`unigauge.adapters.diffusers(pipe)`), or the
            name or file of a model as for `unigauge run --model`.
        limit: Only the first items.
        only: Only the items with these ids.
        seeds: The seed of the run, 0 without it; or a list of seeds, each of which is a run.
        repeats: Outputs for each item, instead of the suite's own number.
        out: The folder of the results; the run is written to `OUT/SUITE/NAME/RUN`.
        name: The model's name in paths and tables; without it, the function's.
        version: What changes whenever the model changes, such as "step-2000". A later call with the same
            version goes on where an earlier one stopped, and makes no output again. Without it, each call
            makes all outputs anew, since nobody can see whether a function still does the same.
        batch: How many requests the function takes together as lists; without it, as `serve` was told.
        items: A file with items instead of the suite's own.
        set: Options of observers and rule, such as `{"grade.threshold": 0.4}`.
        device: Where the networks of the observers run: "cpu", "cuda", "cuda:1".
        jobs: How many outputs are observed at the same time.
        offline: Use no network.
        quiet: Show no progress.

    Returns:
        The result; for a list of seeds, the list of their results.

    Raises:
        UnigaugeError: If the program ends without results. Outputs that failed are in the result, and a
            warning counts them.
    """
    common = [
        *options(limit=limit, only=list(only), repeats=repeats, out=os.fspath(out), device=device, jobs=jobs),
        *options(items=None if items is None else os.fspath(items), offline=offline, quiet=quiet),
        *options(set=settings(set)),
        "--json",
    ]
    wanted = [seeds] if seeds is None or isinstance(seeds, int) else list(seeds)
    results = []
    for seed in wanted:
        arguments = ["run", os.fspath(suite), *common, *options(seed=seed)]
        if callable(model):
            program = _run_function(model, arguments, name, version, batch, quiet)
        else:
            program = run([*arguments, "--model", os.fspath(model)], accepted=(0, 5), quiet=quiet)
        results.append(read_result(program, os.fspath(out)))
    return results[0] if seeds is None or isinstance(seeds, int) else results


def _run_function(
    model: Callable[..., Any],
    arguments: List[str],
    name: Optional[str],
    version: Optional[str],
    batch: Optional[int],
    quiet: bool,
) -> Program:
    function = served(model, batch)
    plain = model_name(function, name)
    with tempfile.TemporaryDirectory(prefix="unigauge-") as folder:
        file = write_model(folder, plain, name or plain, version or secrets.token_hex(8))
        program = converse(function, [*arguments, "--model", file], quiet=quiet)
    if program.wait() not in (0, 5):
        raise program.error()
    return program


def read_result(program: Program, out: str) -> Result:
    """The result of a program that printed the summary of one run.

    Raises:
        UnigaugeError: If it printed no summary.
    """
    summaries = program.json()
    if not isinstance(summaries, list) or len(summaries) != 1:
        raise UnigaugeError(f"the program printed another form of results than this version knows: {summaries!r:.200}")
    summary = summaries[0]
    result = load(os.path.join(out, summary["suite"], summary["model"], summary["run"]))
    if result.partial:
        left_out = result.expected - result.scored
        reason = next((item.error or item.unscored for item in result.items if item.score is None), None)
        warnings.warn(
            f"{left_out} of {result.expected} outputs of {result.suite} have no score"
            + (f"; the first: {reason}" if reason else ""),
            stacklevel=3,
        )
    return result
