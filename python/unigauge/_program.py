"""Runs the program `unigauge` as a child process."""

from __future__ import annotations

import collections
import json
import os
import signal
import subprocess
import sys
import threading
from typing import IO, Any, Callable, Deque, Dict, List, Mapping, Optional, Sequence

from ._errors import UnigaugeError
from ._find import find_program, search_path

#: Lines of standard error that an error message repeats.
_LAST_LINES = 30
#: How long the program may take to end after it was asked to, in seconds.
_FAREWELL = 15.0


class Program:
    """The running program. Its standard output is kept, its standard error is shown unless `quiet`."""

    def __init__(
        self, arguments: Sequence[str], *, quiet: bool, environment: Optional[Mapping[str, str]] = None
    ) -> None:
        self.arguments = list(arguments)
        self._quiet = quiet
        self._words: Deque[str] = collections.deque(maxlen=_LAST_LINES)
        self._output: List[bytes] = []
        self._process = subprocess.Popen(
            [find_program(), *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PATH": search_path(), "NO_COLOR": "1", **(environment or {})},
            # Ctrl-C reaches this process alone, which then ends the child in order.
            start_new_session=os.name != "nt",
        )
        self._readers = [self._read(self._keep, self._process.stdout), self._read(self._show, self._process.stderr)]

    def _read(self, target: Callable[[IO[bytes]], None], stream: Optional[IO[bytes]]) -> threading.Thread:
        thread = threading.Thread(target=target, args=(stream,), daemon=True)
        thread.start()
        return thread

    def _keep(self, stream: IO[bytes]) -> None:
        self._output.extend(iter(lambda: stream.read(1 << 16), b""))

    def _show(self, stream: IO[bytes]) -> None:
        for line in stream:
            text = line.decode(errors="replace")
            self._words.append(text.rstrip())
            if not self._quiet:
                print(text, end="", file=sys.stderr, flush=True)

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self) -> int:
        """Waits for the end, and gives the exit code."""
        code = self._process.wait()
        for reader in self._readers:
            # A process that the program left behind may keep its streams open.
            reader.join(timeout=5.0)
        self._close()
        return code

    def _close(self) -> None:
        for reader, stream in zip(self._readers, (self._process.stdout, self._process.stderr)):
            if stream is not None and not reader.is_alive():
                stream.close()

    def interrupt(self, then: Callable[[], None] = lambda: None) -> None:
        """Ends it as Ctrl-C does, so that the same call goes on later; `then` is called in between."""
        if self.is_running():
            self._process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
        then()
        try:
            self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.wait()

    def json(self) -> Any:
        """What it printed on standard output, read as JSON.

        Raises:
            UnigaugeError: If it is no JSON.
        """
        try:
            return json.loads(b"".join(self._output))
        except ValueError:
            raise self.error() from None

    def error(self) -> UnigaugeError:
        """The error that says how it ended, in its own words."""
        code = self._process.returncode
        words = "\n".join(line for line in self._words if line).strip()
        what = f"unigauge {self.arguments[0]} ended with exit code {code}"
        return UnigaugeError(f"{what}:\n{words}" if words else what, code)


def run(arguments: Sequence[str], *, accepted: Sequence[int] = (0,), quiet: bool = True) -> Program:
    """Runs the program to its end.

    Raises:
        UnigaugeError: If its exit code is not one of `accepted`.
    """
    program = Program(arguments, quiet=quiet)
    try:
        code = program.wait()
    except BaseException:
        program.interrupt()
        raise
    if code not in accepted:
        raise program.error()
    return program


def options(**values: Any) -> List[str]:
    """Options of the command line: `limit=8` is `--limit 8`, True is the option alone, a list repeats it, and
    None and False are left out."""
    arguments: List[str] = []
    for key, value in values.items():
        name = "--" + key.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            arguments.append(name)
        elif isinstance(value, (list, tuple)):
            for one in value:
                arguments += [name, str(one)]
        else:
            arguments += [name, str(value)]
    return arguments


def settings(values: Optional[Mapping[str, Any]]) -> List[str]:
    """The values of `--set`: each `KEY=VALUE` with the value in TOML."""
    return [f"{key}={toml(value)}" for key, value in (values or {}).items()]


def toml(value: Any) -> str:
    """A value in TOML: text, a number, a truth value, a list, or a table."""
    if isinstance(value, (bool, int, str)):
        # The same as in JSON.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(one) for one in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml(str(key))} = {toml(one)}" for key, one in value.items()) + " }"
    raise TypeError(f"{value!r} has no form in TOML")


def toml_file(values: Dict[str, Any]) -> str:
    """A TOML file with these keys."""
    return "".join(f"{key} = {toml(value)}\n" for key, value in values.items())
