"""A small writer of PNG files, for arrays where Pillow is not installed."""

from __future__ import annotations

import struct
import zlib
from typing import Any

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: The filter `Sub` of the PNG specification: each byte minus that of the pixel to its left.
_SUB = b"\x01"


def encode(array: Any) -> bytes:
    """The PNG file of a picture.

    Args:
        array: A numpy array of type uint8 and shape (height, width, 3), in RGB, of at least one pixel.
    """
    height, width = (int(side) for side in array.shape[:2])
    filtered = array.copy()
    # Unsigned bytes wrap around, as the specification wants.
    filtered[:, 1:] -= array[:, :-1]
    rows = b"".join(_SUB + filtered[row].tobytes() for row in range(height))
    # Width, height, 8 bits for each channel, colour type RGB, and the only compression, filtering and no
    # interlacing.
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
