"""Errors of this package, and the short description of an error of a model."""

from __future__ import annotations

import os
import traceback
from typing import List, Optional

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
#: The longest description of an error, in characters.
_LONGEST = 2000


class UnigaugeError(Exception):
    """The program ended with an error.

    Attributes:
        code: The exit code of the program, or None if it did not run. The codes are in
            docs/reference/exit-codes.md.
    """

    def __init__(self, message: str, code: Optional[int] = None) -> None:
        super().__init__(message)
        self.code = code


class NotFoundError(UnigaugeError, FileNotFoundError):
    """The program `unigauge` is in none of the places where it is looked for.

    Attributes:
        places: The paths that were looked at, in this order.
    """

    def __init__(self, message: str, places: List[str]) -> None:
        UnigaugeError.__init__(self, message)
        self.places = places


class PictureError(ValueError):
    """What a model returned is not a picture that can be stored without guessing."""


def describe(error: BaseException, file: Optional[str] = None) -> str:
    """The line `TypeName: message (file:line)` for an error.

    Args:
        error: The error, with its traceback.
        file: The file of the user's function. The deepest line of the traceback in this file is named;
            without one, the deepest line outside of this package.
    """
    text = str(error).strip()
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    name = type(error).__name__
    line = f"{name}: {text}" if text else name
    place = _place(error, file)
    return f"{line} ({place})" if place else line


def _place(error: BaseException, file: Optional[str]) -> Optional[str]:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if file is not None and frame.filename == file]
    others = [frame for frame in frames if not is_ours(frame.filename)]
    for found in (own, others):
        if found:
            return f"{os.path.basename(found[-1].filename)}:{found[-1].lineno}"
    return None


def is_ours(file: str) -> bool:
    """Whether a file belongs to this package."""
    return os.path.dirname(os.path.abspath(file)) == _PACKAGE


def broke_the_device(error: BaseException) -> bool:
    """Whether the error leaves the GPU unusable for this process, so that all later calls would fail, too.

    Running out of memory does not: the next picture may be smaller.
    """
    if "OutOfMemory" in type(error).__name__:
        return False
    text = str(error)
    return any(words in text for words in ("CUDA error", "HIP error", "device-side assert", "an illegal memory access"))
