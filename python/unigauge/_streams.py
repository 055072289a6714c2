"""Standard input and output belong to the protocol. The model's own prints go to standard error.

`take` moves both streams to file descriptors that nobody else knows. Afterwards descriptor 1 is standard
error and descriptor 0 is empty, so that prints of Python, of C code and of child processes do not disturb
the protocol, and `input()` or a child process eats no request.
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO, NamedTuple, Optional


class Streams(NamedTuple):
    """The two ends of the protocol."""

    #: Requests, one JSON object on each line.
    requests: BinaryIO
    #: Replies, one JSON object on each line.
    replies: BinaryIO


_taken: Optional[Streams] = None


def take() -> Streams:
    """Takes standard input and output away from the rest of the process. A second call gives the same streams."""
    global _taken
    if _taken is None:
        _taken = _take()
    return _taken


def _take() -> Streams:
    sys.stdout.flush()
    # Descriptors made by `dup` are not inherited by programs that the model starts.
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdin = open(os.devnull, encoding="utf-8")
    # Lines of the model appear when they are printed, not when a buffer is full.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    return Streams(requests, replies)
