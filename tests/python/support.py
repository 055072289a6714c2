"""What the tests share: the package on the path, a parent that speaks the protocol, and what is skipped."""

import importlib.util
import json
import os
import queue
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.path.join(ROOT, "python")

# UNIGAUGE_TEST_INSTALLED=1 tests the package that is installed.
if os.environ.get("UNIGAUGE_TEST_INSTALLED") != "1" and PACKAGE not in sys.path:
    sys.path.insert(0, PACKAGE)


def black_png(side=8):
    """A black picture in RGB."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 + 3 * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PNG = black_png()


def skip(reason):
    """Skips a test, or fails where nothing may be skipped."""
    if os.environ.get("UNIGAUGE_REQUIRE_ALL") == "1":
        raise AssertionError(f"skipped, but UNIGAUGE_REQUIRE_ALL is set: {reason}")
    raise unittest.SkipTest(reason)


def need(*packages):
    """Skips a test unless these packages are installed."""
    absent = [name for name in packages if importlib.util.find_spec(name) is None]
    if absent:
        # Packages that the package itself does not need are no reason to fail.
        raise unittest.SkipTest(f"not installed: {', '.join(absent)}")


def need_program():
    """Skips a test unless UNIGAUGE_BIN names the program."""
    if not os.path.isfile(os.environ.get("UNIGAUGE_BIN", "")):
        skip("UNIGAUGE_BIN names no program")


def environment():
    """The environment of a process that imports the package."""
    path = [] if os.environ.get("UNIGAUGE_TEST_INSTALLED") == "1" else [PACKAGE]
    path += [entry for entry in [os.environ.get("PYTHONPATH")] if entry]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1"}


class Parent:
    """Starts a model file as the program does, asks it, and reads its replies."""

    def __init__(self, case, code, *arguments, module=True):
        self.folder = tempfile.TemporaryDirectory()
        case.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "my_model.py")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(code))
        start = ["-m", "unigauge._run_model", self.path] if module else [self.path]
        self.process = subprocess.Popen(
            [sys.executable, *start, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd=self.folder.name,
            start_new_session=True,
        )
        self.lines = queue.Queue()
        self.words = []
        self.readers = [threading.Thread(target=self._hear), threading.Thread(target=self._listen)]
        for reader in self.readers:
            reader.start()
        self.asked = 0
        case.addCleanup(self.end)

    def _hear(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _listen(self):
        self.words.extend(self.process.stderr)

    def request(self, **keys):
        """A request with an output folder of its own."""
        self.asked += 1
        folder = os.path.join(self.folder.name, f"output{self.asked}")
        os.mkdir(folder)
        ordinary = {"id": f"a#{self.asked}", "item": "a", "task": "text-to-image", "prompt": "a cat", "images": []}
        return {**ordinary, "repeat": 0, "seed": 7, "output_dir": folder, **keys}

    def send(self, message):
        """Sends one line."""
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def reply(self):
        """The next line, which must be JSON: nothing else may be on the model's standard output."""
        line = self.lines.get(timeout=30)
        if line is None:
            raise AssertionError(f"the model ended: {self.said()}")
        return json.loads(line)

    def ask(self, **keys):
        """The reply to one request."""
        request = self.request(**keys)
        self.send(request)
        reply = self.reply()
        assert reply["id"] == request["id"], reply
        return reply

    def ask_batch(self, *several):
        """The replies to a batch, in the order of the requests."""
        requests = [self.request(**keys) for keys in several]
        self.send({"requests": requests})
        replies = {reply["id"]: reply for reply in (self.reply() for _ in requests)}
        return [replies[request["id"]] for request in requests]

    def said(self):
        """What it has written on standard error."""
        return b"".join(self.words).decode(errors="replace")

    def end(self):
        """Closes the model's standard input, and gives its exit code."""
        if self.process.poll() is None or not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        try:
            code = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        for reader in self.readers:
            reader.join(timeout=10)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        return code


def size_of_png(path):
    """Width and height in pixels."""
    with open(path, "rb") as file:
        head = file.read(24)
    assert head.startswith(b"\x89PNG"), head
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
