"""What a model file needs to talk to an image server: whole answers within a time limit, and errors with the
server's words. `configs/examples/` in the repository has model files that use it."""

from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.error
import urllib.request
from typing import Any, Dict, Optional, Union

# A time limit that passed is the latter, or on older Pythons the former.
_LATE = (socket.timeout, TimeoutError)


class Server:
    """A server by its address, such as `http://127.0.0.1:8188`."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def ask(
        self,
        path: str,
        end: float,
        body: Union[bytes, Dict[str, Any], None] = None,
        kind: str = "application/json",
    ) -> bytes:
        """The whole answer of the server.

        Args:
            path: The path with its query.
            end: When the answer must be complete, by `time.monotonic()`.
            body: Bytes, or JSON; without one, the request is a GET.
            kind: The content type of the body.

        Raises:
            TimeoutError: If the answer is not complete at the time `end`.
            RuntimeError: If the server refuses, or its answer is cut; the message has the server's words.
            OSError: If the server cannot be reached.
        """
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content-Type": kind} if body else {}
        request = urllib.request.Request(self.address + path, body, headers)
        content = b""
        try:
            with urllib.request.urlopen(request, timeout=left(end)) as answer:
                while True:
                    left(end)
                    piece = answer.read1(1 << 16)
                    if not piece:
                        break
                    content += piece
                length: Optional[str] = answer.headers.get("Content-Length")
        except urllib.error.HTTPError as error:
            words = error.read(2000).decode(errors="replace")
            raise RuntimeError(f"{path} answered {error.code}: {words}") from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, _LATE):
                raise TimeoutError(f"no complete answer of {path} within the time limit") from None
            raise
        except _LATE:
            raise TimeoutError(f"no complete answer of {path} within the time limit") from None
        except http.client.HTTPException as error:
            raise RuntimeError(f"the answer of {path} is broken: {error!r}") from None
        if length is not None and len(content) != int(length):
            raise RuntimeError(f"the answer of {path} is cut: {len(content)} of {length} bytes")
        return content


def left(end: float) -> float:
    """The seconds until `end`, by `time.monotonic()`.

    Raises:
        TimeoutError: If there are none.
    """
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the time limit is over")
    return seconds


def as_json(content: bytes) -> Dict[str, Any]:
    """The object in an answer.

    Raises:
        ValueError: If it has none.
    """
    told = json.loads(content)
    if not isinstance(told, dict):
        raise ValueError(f"the server answered {content[:80]!r}, not a JSON object")
    return told
