"""A suite of the user's own prompts, scored by observers that need no reference answers."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from ._program import toml_file

#: The key of the number in an observer's evidence, by the observer's name.
MEASURES: Dict[str, Tuple[str, ...]] = {
    "clip-score": ("clip_t",),
    "hpsv2": ("hpsv2",),
    "pickscore": ("pickscore",),
    "aesthetic": ("aesthetic",),
    "vqascore": ("vqascore",),
    "qwen-vqascore": ("vqascore",),
    "quality": ("sharpness", "noise", "dynamic_range", "clipped", "contrast", "brightness", "colorfulness"),
}
#: Observers that compare a picture with its prompt.
NEED_PROMPTS = ("clip-score", "hpsv2", "pickscore", "vqascore", "qwen-vqascore")


class Asked(NamedTuple):
    """One item of the suite."""

    item: str
    prompt: str


class Scorer(NamedTuple):
    """A number that an observer writes."""

    observer: str
    key: str

    @property
    def name(self) -> str:
        """The name in metrics: that of the observer, with the key if it writes several numbers."""
        return self.observer if len(MEASURES.get(self.observer, ())) == 1 else f"{self.observer}.{self.key}"


def read_scorers(names: Sequence[str]) -> List[Scorer]:
    """The scorers with these names: an observer such as "clip-score", or `OBSERVER:KEY` for one number of its
    evidence.

    Raises:
        ValueError: If none is named, or it is not known which number of an observer is meant.
    """
    scorers: List[Scorer] = []
    for name in [names] if isinstance(names, str) else names:
        observer, colon, key = name.partition(":")
        if not colon and observer not in MEASURES:
            known = ", ".join(MEASURES)
            raise ValueError(f"{name!r} is no scorer; choose from {known}, or write OBSERVER:KEY")
        scorers += [Scorer(observer, one) for one in ([key] if colon else MEASURES[observer])]
    if not scorers:
        raise ValueError("scorers: name at least one, such as 'clip-score'")
    return scorers


def write_suite(folder: str, items: Sequence[Asked], scorers: Sequence[Scorer]) -> str:
    """Writes the suite with its items into a folder, and gives the path of the suite file.

    The suite's name has a hash of prompts and scorers, so that only runs of the same questions are compared.
    """
    rows = "".join(json.dumps(one._asdict(), ensure_ascii=False) + "\n" for one in items)
    digest = hashlib.sha256((rows + repr([tuple(one) for one in scorers])).encode()).hexdigest()[:8]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "items.jsonl"), "w", encoding="utf-8") as file:
        file.write(rows)
    first, *others = scorers
    rule: Dict[str, Any] = {"rule": "measure", "options": {"key": first.key, "observer": first.observer}}
    if others:
        parts = {one.name: one.key for one in scorers}
        rule = {"rule": "edit-measures", "options": {"measure": first.key, "parts": parts}}
    path = os.path.join(folder, "suite.toml")
    values = {
        "name": f"pictures-{digest}",
        "version": "1",
        "title": "Pictures",
        "description": "Pictures of the user's own, by " + ", ".join(one.name for one in scorers) + ".",
        "task": "text-to-image",
        "observers": list(dict.fromkeys(one.observer for one in scorers)),
        "layout": "flat",
        "items": {"file": "items.jsonl"},
        "grade": rule,
    }
    with open(path, "w", encoding="utf-8") as file:
        file.write(toml_file(values))
    return path
