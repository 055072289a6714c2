"""The JSON lines between the program and a served function.

The first line of this side is `{"ready": true}`, with `"batch": N` if the function takes N requests together.
A line of the other side is one request, or `{"requests": [...]}` with 1 to N of them. Each request gets one
line of reply, in any order. After a reply with `"last": true` this side ends, and the other asks a new process.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any, BinaryIO, Dict, List

from . import _streams
from ._serve import DeviceLost, Served


def run(served: Served) -> None:
    """Answers the requests on standard input until it is closed.

    After an error that makes the GPU unusable the process ends, so that the program starts a fresh one.
    """
    by_hand = sys.stdin is not None and sys.stdin.isatty()
    if by_hand:
        print(
            "unigauge: waiting for requests, one JSON object on each line; usually `unigauge run SUITE --model "
            "my_model.py` starts this",
            file=sys.stderr,
            flush=True,
        )
    else:
        _outlive_signals()
    streams = _streams.take()
    try:
        loop(served, streams.requests, streams.replies)
    except BrokenPipeError:
        # Nobody reads the replies any more.
        pass
    except DeviceLost:
        print("unigauge: the GPU is unusable for this process, which ends; the next one goes on", file=sys.stderr)
        sys.stderr.flush()
        # Not sys.exit: the destructors of a broken CUDA context can hang.
        os._exit(1)


def loop(served: Served, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers requests until their stream ends.

    Raises:
        BrokenPipeError: If nobody reads the replies any more.
        DeviceLost: If an error made the GPU unusable for this process.
    """
    _write(replies, ready(served))
    for line in iter(requests.readline, b""):
        for reply in served.answers(read(line)):
            _write(replies, reply)


def ready(served: Served) -> Dict[str, Any]:
    """The first line: the weights are loaded."""
    return {"ready": True} if served.batch is None else {"ready": True, "batch": served.batch}


def read(line: bytes) -> List[Dict[str, Any]]:
    """The requests of a line; none for a line that has none, which is reported on standard error."""
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if isinstance(message, dict):
        requests = message.get("requests", [message])
        if isinstance(requests, list) and all(isinstance(one, dict) and "id" in one for one in requests):
            return requests
    if line.strip():
        print(f"unigauge: a line without a request is skipped: {line[:80]!r}", file=sys.stderr, flush=True)
    return []


def encode(message: Dict[str, Any]) -> bytes:
    """The line of a message. Characters that have no form in UTF-8 become question marks."""
    try:
        line = json.dumps(message, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        line = json.dumps({"id": message.get("id"), "error": f"the reply has no JSON form: {error}"})
    return line.encode(errors="replace") + b"\n"


def _write(replies: BinaryIO, message: Dict[str, Any]) -> None:
    replies.write(encode(message))
    replies.flush()


def _outlive_signals() -> None:
    """Schedulers signal every process of a job. The program decides what is still finished; this process ends
    when its standard input is closed."""
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            # Not SIG_IGN, which programs that the model starts would inherit.
            signal.signal(number, _stay)


def _stay(*_: Any) -> None:
    pass
