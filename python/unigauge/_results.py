"""Results as plain objects, read from a run folder."""

from __future__ import annotations

import glob
import json
import os
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union

from . import _frames, _html
from ._errors import UnigaugeError

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Number:
    """A number with its 95 % interval.

    Attributes:
        value: On the scale of the suite's scores, mostly 0 to 1. None when nothing was scored.
        low: The lower end of the interval.
        high: The upper end of the interval.
        n: The number of items, not of outputs.
        method: How number and interval were made.
    """

    value: Optional[float]
    low: Optional[float]
    high: Optional[float]
    n: int
    method: str = ""

    @property
    def interval(self) -> Optional[Tuple[float, float]]:
        """The two ends of the interval; None if there is none."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def __str__(self) -> str:
        ends = "" if self.interval is None else f" [{self.low:.4g}, {self.high:.4g}]"
        return "–" if self.value is None else f"{self.value:.4g}{ends}, n = {self.n}"


@dataclass(frozen=True)
class Group:
    """The number of the outputs that have one value of a tag, such as `language` = `en`."""

    by: str
    key: str
    number: Number


@dataclass(frozen=True)
class Item:
    """One output and what it is worth.

    Attributes:
        item: The item's id.
        repeat: The number of the output among those of the item, from 0.
        prompt: What the model was asked.
        score: None when the output has no score; then `unscored` says why.
        correct: Right or wrong, if the suite's rule says so.
        parts: Named parts of the score.
        reason: Why the score has this value.
        unscored: Why there is no score.
        error: Why there is no output.
        tags: The tags by which results are grouped.
        seed: The seed that the model was given.
        file: The picture, as an absolute path.
        text: The answer, if it was text.
    """

    item: str
    repeat: int = 0
    prompt: str = ""
    score: Optional[float] = None
    correct: Optional[bool] = None
    parts: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    unscored: Optional[str] = None
    error: Optional[str] = None
    tags: Mapping[str, str] = field(default_factory=dict)
    seed: Optional[int] = None
    file: Optional[str] = None
    text: Optional[str] = None


@dataclass(frozen=True, repr=False)
class Result:
    """What a model scored in a suite.

    Attributes:
        suite: The suite's name.
        model: The model's name.
        run: The run's name.
        path: The run folder.
        overall: The official number with its 95 % interval.
        metrics: Further numbers, on the scales of the official scripts.
        groups: The numbers by the tags that the suite groups by.
        items: All outputs.
        notes: What a reader of the numbers must know.
        expected: Outputs asked for.
        scored: Outputs with a score.
        failed: Outputs that could not be made.
        summary: The whole content of `summary.json`.
    """

    suite: str
    model: str
    run: str
    path: str
    overall: Number
    metrics: Mapping[str, float]
    groups: List[Group]
    items: List[Item]
    notes: List[str]
    expected: int
    scored: int
    failed: int
    summary: Mapping[str, Any]

    @property
    def value(self) -> Optional[float]:
        """The official number."""
        return self.overall.value

    @property
    def interval(self) -> Optional[Tuple[float, float]]:
        """The two ends of its 95 % interval."""
        return self.overall.interval

    @property
    def partial(self) -> bool:
        """Whether an output is missing, failed, or without a score."""
        return self.scored < self.expected

    @property
    def report(self) -> Optional[str]:
        """The page of the report, if it was written."""
        page = os.path.join(self.path, "report", "index.html")
        return page if os.path.isfile(page) else None

    def records(self) -> List[Dict[str, Any]]:
        """One flat dict for each output. Tags are the keys `tag.NAME`, parts of the score `part.NAME`; all
        dicts have the same keys."""
        return _frames.records(self)

    def to_pandas(self) -> Any:
        """A DataFrame of pandas with one row for each output."""
        return _frames.to_pandas(self.records())

    def to_polars(self) -> Any:
        """A DataFrame of polars with one row for each output."""
        return _frames.to_polars(self.records())

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        left_out = self.expected - self.scored
        rest = f"; {left_out} of {self.expected} outputs without a score" if left_out else ""
        return f"Result({self.suite}, {self.model}, {self.run}: {self.overall}{rest})"

    def _repr_html_(self) -> str:
        return _html.result(self)


def load(run_folder: PathLike) -> Result:
    """Reads a graded run folder, such as `results/geneval/my-model/seed0`.

    Raises:
        UnigaugeError: If the folder has no summary, as before a run is graded.
    """
    folder = os.path.abspath(os.fspath(run_folder))
    path = os.path.join(folder, "summary.json")
    try:
        with open(path, encoding="utf-8") as file:
            summary = json.load(file)
    except FileNotFoundError:
        raise UnigaugeError(f"{folder} is not a graded run folder: it has no summary.json") from None
    except ValueError as error:
        raise UnigaugeError(f"{path} is not JSON: {error}") from None
    if not isinstance(summary, dict) or not isinstance(summary.get("overall"), dict):
        raise UnigaugeError(f"{path} is not the summary of a run: it has no `overall`")
    return Result(
        suite=summary.get("suite", ""),
        model=summary.get("model", ""),
        run=summary.get("run", ""),
        path=folder,
        overall=_number(summary["overall"]),
        metrics=summary.get("metrics") or {},
        groups=[Group(row.get("by", ""), row.get("key", ""), _number(row)) for row in summary.get("groups") or []],
        items=_items(folder),
        notes=list(summary.get("notes") or []),
        expected=summary.get("expected", 0),
        scored=summary.get("scored", 0),
        failed=summary.get("failed", 0),
        summary=summary,
    )


def _number(row: Mapping[str, Any]) -> Number:
    return Number(row.get("value"), row.get("low"), row.get("high"), row.get("n", 0), row.get("method", ""))


def _items(folder: str) -> List[Item]:
    asked = {row["item"]: row for row in lines(os.path.join(folder, "items.jsonl"))}
    outputs = {}
    for path in _journals(folder):
        # The last line of an output counts.
        outputs.update({(row["item"], row.get("repeat", 0)): row for row in lines(path)})
    return [_item(folder, row, asked, outputs) for row in lines(os.path.join(folder, "grades.jsonl"))]


def _journals(folder: str) -> List[str]:
    whole = os.path.join(folder, "outputs.jsonl")
    shards = sorted(glob.glob(os.path.join(glob.escape(folder), "outputs.*-of-*.jsonl")))
    return [*shards, whole]


def _item(folder: str, grade: Dict[str, Any], asked: Dict[str, Any], outputs: Dict[Any, Any]) -> Item:
    item, repeat = grade["item"], grade.get("repeat", 0)
    output = outputs.get((item, repeat), {})
    file = output.get("file")
    error = output.get("error") or {}
    return Item(
        item=item,
        repeat=repeat,
        prompt=asked.get(item, {}).get("prompt", ""),
        score=grade.get("score"),
        correct=grade.get("correct"),
        parts=grade.get("parts") or {},
        reason=grade.get("reason", ""),
        unscored=grade.get("unscored"),
        error=f"{error.get('kind')}: {error.get('message')}" if error else None,
        tags=grade.get("tags") or {},
        seed=output.get("seed"),
        file=None if file is None else os.path.join(folder, file),
        text=output.get("text"),
    )


def lines(path: str) -> Iterator[Dict[str, Any]]:
    """The objects of a file of JSON lines; none if there is no file. A torn last line is left out."""
    try:
        file = open(path, encoding="utf-8")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                if line.endswith("\n"):
                    raise UnigaugeError(f"{path} has a line that is not JSON: {line[:80]!r}") from None
                return
            if isinstance(row, dict) and "item" in row:
                yield row
