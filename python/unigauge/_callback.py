"""`Callback`: scores of samples during a training."""

from __future__ import annotations

import os
import queue
import secrets
import sys
import tempfile
import threading
import warnings
from types import TracebackType
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence, Type, Union

from ._errors import UnigaugeError, describe
from ._function_model import converse, model_name, served, write_model
from ._loggers import log_function
from ._program import Program, options, run
from ._results import PathLike, Result, load
from ._serve import Served
from ._suite import Asked, read_scorers, write_suite
from ._undisturbed import undisturbed


class _Sampled(NamedTuple):
    """Samples that wait for their scores."""

    step: int
    folder: str


class _Scored(NamedTuple):
    """What became of them."""

    step: int
    result: Optional[Result]
    error: Optional[BaseException]


class Callback:
    """Every N steps of a training: makes samples, scores them in a process beside the training, logs.

    The samples are made in the training's own thread, when the callback is called. The rest happens beside
    it: the next call logs what is finished by then, and the end of the `with` block waits for the rest. An
    error of sampling, scoring or logging is a warning and counts in `errors`; it never ends the training.

    Example:
        ```python
        with unigauge.Callback("geneval", sample, every=1000, limit=64, logger=wandb) as scores:
            for step, batch in enumerate(data):
                train(batch)
                scores(step)
        ```

    Attributes:
        results: The results so far, by step.
        errors: How many steps have no result because of an error.
    """

    def __init__(
        self,
        suite_or_prompts: Union[PathLike, Sequence[str]],
        sample: Union[Callable[..., Any], Served],
        *,
        every: int,
        logger: Any = None,
        scorers: Sequence[str] = ("clip-score",),
        name: str = "training",
        out: PathLike = "results",
        limit: Optional[int] = None,
        repeats: Optional[int] = None,
        batch: Optional[int] = None,
        device: str = "cpu",
        jobs: int = 1,
        offline: bool = False,
        prefix: str = "unigauge",
    ) -> None:
        """
        Args:
            suite_or_prompts: A suite's name or file, or a list of prompts, which `scorers` score.
            sample: A function as `serve` takes it. It gets the same seeds at each step. Gradients are off
                and the states of random numbers are kept; `model.eval()` is its own business.
            every: Samples are made at steps that this number divides.
            logger: See `docs/guides/python.md`: wandb, trackio, swanlab, TensorBoard's writer, a function, …
            scorers: For a list of prompts, the scorers, as for `unigauge.score`.
            name: The model's name; a run is written to `OUT/SUITE/NAME/step-N`. A later training with the
                same name replaces the steps that it reaches, so give each training a name of its own.
            out: The folder of the results.
            limit: Only the first items of the suite.
            repeats: Samples for each item, instead of the suite's own number.
            batch: How many requests `sample` takes together as lists.
            device: Where the networks of the scorers run. The GPU is left to the training unless you say
                otherwise.
            jobs: How many samples are scored at the same time.
            offline: Use no network.
            prefix: What the names of logged numbers begin with.

        Raises:
            ValueError, TypeError: If an argument is wrong. Later nothing is raised.
        """
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"Callback: every={every!r} is not a whole number from 1")
        self.results: Dict[int, Result] = {}
        self.errors = 0
        self._every = every
        self._prefix = prefix
        self._log = log_function(logger, prefix)
        self._sample = served(sample, batch)
        self._name = model_name(self._sample, name)
        self._out = os.path.abspath(os.fspath(out))
        # Samples of an earlier training with the same name are made again.
        self._session = secrets.token_hex(8)
        self._definitions = tempfile.TemporaryDirectory(prefix="unigauge-")
        self._suite = self._suite_of(suite_or_prompts, scorers)
        self._common = options(offline=offline)
        self._generate = options(limit=limit, repeats=repeats)
        self._observe = options(device=device, jobs=jobs)
        self._waiting: queue.Queue[Optional[_Sampled]] = queue.Queue()
        self._finished: queue.Queue[_Scored] = queue.Queue()
        self._scoring: Optional[Program] = None
        self._cancelled = False
        self._closed = False
        self._worker: Optional[threading.Thread] = None

    def _suite_of(self, suite_or_prompts: Union[PathLike, Sequence[str]], scorers: Sequence[str]) -> str:
        if isinstance(suite_or_prompts, (str, os.PathLike)):
            suite = os.fspath(suite_or_prompts)
            if not (os.path.dirname(suite) or suite.endswith(".toml")):
                known = run(["list", "suites", "--json"], quiet=True).json()["suites"]
                if suite not in [one["name"] for one in known]:
                    raise ValueError(f"Callback: there is no suite {suite!r}; `unigauge list suites` shows them")
            return suite
        prompts = list(suite_or_prompts)
        if not prompts or not all(isinstance(prompt, str) for prompt in prompts):
            raise ValueError("Callback: give a suite's name, or a list with at least one prompt")
        items = [Asked(f"{index:06}", prompt) for index, prompt in enumerate(prompts)]
        return write_suite(self._definitions.name, items, read_scorers(scorers))

    def __call__(self, step: int) -> None:
        """Logs the scores that are finished, and makes samples if it is the step for it."""
        self._deliver()
        if step % self._every == 0:
            self.sample(step)

    def sample(self, step: int) -> None:
        """Makes samples now, whatever the step is, and has them scored."""
        try:
            if self._closed:
                raise UnigaugeError("the callback is closed")
            folder = self._make_samples(step)
        except Exception as error:
            self._failed(step, "sampling", error)
            return
        self._waiting.put(_Sampled(step, folder))
        if self._worker is None:
            self._worker = threading.Thread(target=self._score_all, name="unigauge-scores", daemon=True)
            self._worker.start()

    def _make_samples(self, step: int) -> str:
        """Lets the program ask for all samples of a step, and gives the run folder."""
        run = f"step-{step:08}"
        # A folder of its own: the suite's file may have the same name.
        folder = os.path.join(self._definitions.name, "model")
        os.makedirs(folder, exist_ok=True)
        file = write_model(folder, self._name, self._name, f"{self._session}-{step}")
        arguments = [
            *("generate", self._suite, "--model", file, "--out", self._out, "--run", run, "--jobs", "1"),
            *("--quiet", "--json"),
            *self._generate,
            *self._common,
        ]
        with undisturbed():
            program = converse(self._sample, arguments, quiet=True)
        if program.wait() not in (0, 5):
            raise program.error()
        made = program.json()
        if made.get("failed"):
            self.errors += 1
            self._warn(f"step {step}: {made['failed']} samples failed; see outputs.jsonl in {made['run']}")
        return str(made["run"])

    def _score_all(self) -> None:
        """Runs in a thread of its own: scores one folder of samples after the other."""
        for sampled in iter(self._waiting.get, None):
            try:
                self._program("observe", sampled.folder, *self._observe, "--quiet", *self._common)
                self._program("grade", sampled.folder, *self._common)
                self._finished.put(_Scored(sampled.step, load(sampled.folder), None))
            except BaseException as error:
                self._finished.put(_Scored(sampled.step, None, error))

    def _program(self, *arguments: str) -> None:
        if self._cancelled:
            raise UnigaugeError("the training ended before the samples were scored")
        self._scoring = Program(arguments, quiet=True)
        if self._scoring.wait() not in (0, 5):
            raise self._scoring.error()

    def _deliver(self) -> None:
        """Logs what is finished, in the training's own thread, since loggers need not be safe in others."""
        while True:
            try:
                scored = self._finished.get_nowait()
            except queue.Empty:
                return
            if scored.result is None:
                self._failed(scored.step, "scoring", scored.error)
                continue
            self.results[scored.step] = scored.result
            self._try_to_log(self._numbers(scored.step, scored.result), scored.step)

    def _numbers(self, step: int, result: Result) -> Dict[str, float]:
        head = f"{self._prefix}/{result.suite}"
        overall = result.overall
        numbers = {"": overall.value, "/low": overall.low, "/high": overall.high}
        flat = {f"{head}{name}": float(value) for name, value in numbers.items() if value is not None}
        flat.update({f"{head}/{name}": float(value) for name, value in result.metrics.items() if value is not None})
        flat[f"{head}/unscored"] = float(result.expected - result.scored)
        return {**flat, f"{self._prefix}/errors": float(self.errors), f"{self._prefix}/step": float(step)}

    def _try_to_log(self, numbers: Dict[str, float], step: int) -> None:
        try:
            self._log(numbers, step)
        except Exception as error:
            self.errors += 1
            self._warn(f"logging at step {step} failed: {describe(error)}")

    def _failed(self, step: int, what: str, error: Optional[BaseException]) -> None:
        self.errors += 1
        self._warn(f"{what} at step {step} failed: {error}")
        self._try_to_log({f"{self._prefix}/errors": float(self.errors), f"{self._prefix}/step": float(step)}, step)

    def _warn(self, message: str) -> None:
        try:
            warnings.warn(f"unigauge.Callback: {message}", RuntimeWarning, stacklevel=3)
        except RuntimeWarning:
            # Warnings are errors here, but the training goes on.
            print(f"unigauge.Callback: {message}", file=sys.stderr, flush=True)

    @property
    def pending(self) -> int:
        """How many steps have samples that wait for their scores."""
        return self._waiting.qsize()

    def close(self, wait: bool = True) -> None:
        """Waits for the scores of all samples and logs them. With `wait=False`, what is not finished is given
        up; its samples stay on the disk. Later calls make no samples."""
        if self._worker is not None:
            self._cancelled = not wait
            self._waiting.put(None)
            while self._worker.is_alive():
                if self._cancelled and self._scoring is not None:
                    self._scoring.interrupt()
                self._worker.join(timeout=0.1 if self._cancelled else None)
            self._worker = None
        self._deliver()
        self._closed = True
        self._definitions.cleanup()

    def __enter__(self) -> Callback:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close(wait=kind is None)
