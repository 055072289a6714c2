"""Tables for notebooks. Everything that comes from a suite or a model is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, List, Optional, Sequence

if TYPE_CHECKING:
    from ._compare import Comparison, Difference
    from ._results import Number, Result

#: Outputs that a table shows.
_SHOWN = 10


def result(run: Result) -> str:
    """The table of a result: the overall number, the groups, the outputs with the lowest scores."""
    rows = [_row(["overall", *_cells(run.overall)])]
    rows += [_row([f"{group.by}: {group.key}", *_cells(group.number)]) for group in run.groups]
    text = f"<h4>{_escaped(run.suite)}, {_escaped(run.model)} ({_escaped(run.run)})</h4>"
    text += _table(["", "score", "95 % interval", "items"], rows)
    if run.partial:
        text += f"<p>{run.expected - run.scored} of {run.expected} outputs have no score.</p>"
    if run.metrics:
        text += _table(["metric", "value"], [_row([name, _show(value)]) for name, value in run.metrics.items()])
    text += _lowest(run)
    return text + _list(run.notes)


def _lowest(run: Result) -> str:
    ordered = sorted(run.items, key=lambda item: (item.score is not None, item.score or 0.0))[:_SHOWN]
    rows = [
        _row([item.item, str(item.repeat), item.prompt, _show(item.score), item.reason or item.unscored or ""])
        for item in ordered
    ]
    title = f"Lowest scores ({len(ordered)} of {len(run.items)} outputs)"
    table = _table(["item", "repeat", "prompt", "score", "why"], rows)
    return f"<details><summary>{title}</summary>{table}</details>" if rows else ""


def comparison(compared: Comparison) -> str:
    """The table of a comparison: before, after, difference, interval and p."""
    rows = [_difference("overall", compared.overall)]
    rows += [_difference(group.name, group) for group in compared.groups]
    text = f"<h4>{_escaped(compared.after)} against {_escaped(compared.before)}</h4>"
    text += _table(["", "before", "after", "difference", "95 % interval", "p", "won / tied / lost"], rows)
    return text + _list(compared.remarks)


def _difference(name: str, one: Difference) -> str:
    p = one.p if one.p_holm is None else one.p_holm
    ends = "–" if one.interval is None else f"[{one.interval[0]:+.4g}, {one.interval[1]:+.4g}]"
    counts = f"{one.won} / {one.tied} / {one.lost}"
    return _row([name, _show(one.before), _show(one.after), f"{one.difference:+.4g}", ends, _show(p), counts])


def _cells(number: Number) -> List[str]:
    ends = "–" if number.interval is None else f"[{number.interval[0]:.4g}, {number.interval[1]:.4g}]"
    return [_show(number.value), ends, str(number.n)]


def _show(value: Optional[float]) -> str:
    return "–" if value is None else f"{value:.4g}"


def _escaped(text: Any) -> str:
    return html.escape(str(text))


def _row(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{_escaped(cell)}</td>" for cell in cells) + "</tr>"


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{_escaped(name)}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _list(notes: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{_escaped(note)}</li>" for note in notes) + "</ul>" if notes else ""
