"""unigauge evaluates models that understand, generate and edit images.

    unigauge.serve       turns a function into a model
    unigauge.evaluate    runs a benchmark with a function or a model
    unigauge.score       scores pictures that are there already
    unigauge.compare     compares two runs, item by item
    unigauge.load        reads the results of a run folder
    unigauge.Callback    scores samples during a training
    unigauge.adapters    ready functions for diffusers and transformers
    unigauge.servers     whole answers of image servers within a time limit

The package needs Python's standard library alone. It runs the program `unigauge`, which is installed with it;
`python -m unigauge` is that program.
"""

from __future__ import annotations

from . import adapters
from ._callback import Callback
from ._compare import Comparison, Difference, compare
from ._errors import NotFoundError, PictureError, UnigaugeError
from ._evaluate import evaluate
from ._find import find_program
from ._results import Group, Item, Number, Result, load
from ._score import score
from ._serve import Reply, Served, serve

__all__ = [
    "Callback",
    "Comparison",
    "Difference",
    "Group",
    "Item",
    "NotFoundError",
    "Number",
    "PictureError",
    "Reply",
    "Result",
    "Served",
    "UnigaugeError",
    "adapters",
    "compare",
    "evaluate",
    "find_program",
    "load",
    "score",
    "serve",
]
