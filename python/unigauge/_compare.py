"""`compare`: two runs, item by item."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union

from . import _html
from ._errors import UnigaugeError
from ._program import run
from ._results import PathLike, Result

#: What may differ between two runs, apart from the model.
ALLOWED = ("version", "prompts", "observers", "judges", "grading", "partial")


@dataclass(frozen=True)
class Difference:
    """The difference of two runs in one number.

    Attributes:
        name: "overall", or the group as `tag=value`.
        n: The number of items.
        before: The number in the first run.
        after: The number in the second run.
        difference: `after - before`.
        interval: The two ends of its 95 % interval; None if all items differ by the same amount.
        p: The probability of a difference at least as large, in either direction, if nothing had changed.
        p_holm: The same with Holm's correction for the groups that are tested together.
        effect: The mean of the items' differences divided by their standard deviation.
        won, tied, lost: The numbers of items that are higher, equal, and lower in the second run.
        detectable: The smallest difference that these items show with a power of 0.8.
    """

    name: str
    n: int
    before: float
    after: float
    difference: float
    interval: Optional[Tuple[float, float]]
    p: float
    p_holm: Optional[float]
    effect: Optional[float]
    won: int
    tied: int
    lost: int
    detectable: Optional[float]


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` found.

    Attributes:
        before: The first run, as `model (run)`.
        after: The second run.
        overall: The difference of the official numbers.
        groups: The differences by group.
        remarks: What a reader of the numbers must know.
        record: Everything that the program knows of the comparison.
    """

    before: str
    after: str
    overall: Difference
    groups: List[Difference]
    remarks: List[str]
    record: Mapping[str, Any]

    @property
    def significant(self) -> bool:
        """Whether p is below 0.05."""
        return self.overall.p < 0.05

    def __repr__(self) -> str:
        one = self.overall
        ends = "" if one.interval is None else f" [{one.interval[0]:+.4g}, {one.interval[1]:+.4g}]"
        return f"Comparison({self.after} - {self.before}: {one.difference:+.4g}{ends}, p = {one.p:.3g}, n = {one.n})"

    def _repr_html_(self) -> str:
        return _html.comparison(self)


def compare(
    a: Union[Result, PathLike],
    b: Union[Result, PathLike],
    *,
    allow: Sequence[str] = (),
    page: Optional[PathLike] = None,
) -> Comparison:
    """Compares two runs of a suite, item by item.

    Args:
        a: The first run: a result, or a run folder.
        b: The second run.
        allow: What may differ apart from the model: "version", "prompts", "observers", "judges", "grading",
            "partial".
        page: A folder for a page with the pictures of the items that changed most.

    Raises:
        UnigaugeError: If the runs cannot be compared; the message says why, and what would allow it.
    """
    unknown = [name for name in allow if name not in ALLOWED]
    if unknown:
        raise ValueError(f"allow={list(allow)!r}: choose from {', '.join(ALLOWED)}")
    arguments = ["compare", _folder(a), _folder(b), "--json", *(f"--allow-{name}" for name in allow)]
    if page is not None:
        arguments += ["--out", os.fspath(page)]
    # Exit code 5: an output of a run has no score, which the comparison was told to allow.
    program = run(arguments, accepted=(0, 5))
    found = program.json().get("comparisons") or []
    if not found:
        raise program.error()
    return _comparison(found[0])


def _folder(run_: Union[Result, PathLike]) -> str:
    return run_.path if isinstance(run_, Result) else os.fspath(run_)


def _comparison(record: Mapping[str, Any]) -> Comparison:
    try:
        return Comparison(
            before=_run_name(record["before"]),
            after=_run_name(record["after"]),
            overall=_difference("overall", record["overall"]),
            groups=[_difference(str(one["metric"]), one) for one in record["groups"]],
            remarks=list(record.get("remarks") or []),
            record=record,
        )
    except (KeyError, TypeError) as error:
        raise UnigaugeError(f"the program's comparison has another form than this version knows: {error}") from error


def _run_name(facts: Mapping[str, Any]) -> str:
    return f"{facts.get('model_title') or facts['model']} ({facts['run']})"


def _difference(name: str, row: Mapping[str, Any]) -> Difference:
    low, high = row.get("low"), row.get("high")
    return Difference(
        name=name,
        n=row["n"],
        before=row["before"],
        after=row["after"],
        difference=row["difference"],
        interval=None if low is None or high is None else (low, high),
        p=row["p"],
        p_holm=row.get("p_holm"),
        effect=row.get("effect"),
        won=row["won"],
        tied=row["tied"],
        lost=row["lost"],
        detectable=row.get("detectable"),
    )
