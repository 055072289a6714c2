"""Results as tables of pandas and polars, where those are installed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Dict, List

if TYPE_CHECKING:
    from ._results import Result

Record = Dict[str, Any]


def records(result: Result) -> List[Record]:
    """One flat dict for each output. The columns are those of `unigauge export items`, and some more."""
    tags = _names(item.tags for item in result.items)
    parts = _names(item.parts for item in result.items)
    rows = []
    for item in result.items:
        row: Record = {
            "suite": result.suite,
            "model": result.model,
            "run": result.run,
            "item": item.item,
            "repeat": item.repeat,
            "score": item.score,
            "correct": item.correct,
            "prompt": item.prompt,
            "text": item.text,
            "file": item.file,
            "seed": item.seed,
            "reason": item.reason,
            "unscored": item.unscored,
            "error": item.error,
        }
        row.update({f"tag.{name}": item.tags.get(name) for name in tags})
        row.update({f"part.{name}": item.parts.get(name) for name in parts})
        rows.append(row)
    return rows


def _names(tables: Any) -> List[str]:
    """The keys of all tables, in the order in which they appear."""
    names: Dict[str, None] = {}
    for table in tables:
        names.update(dict.fromkeys(table))
    return list(names)


def columns(rows: List[Record]) -> Dict[str, List[Any]]:
    """The same by columns."""
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else {})}


def to_pandas(rows: List[Record]) -> Any:
    """A DataFrame of pandas."""
    return _frame("pandas", rows)


def to_polars(rows: List[Record]) -> Any:
    """A DataFrame of polars."""
    return _frame("polars", rows)


def _frame(library: str, rows: List[Record]) -> Any:
    try:
        module = importlib.import_module(library)
    except ImportError:
        raise ImportError(
            f"{library} is not installed; install it (`pip install {library}`), or use records()"
        ) from None
    return module.DataFrame(columns(rows))
