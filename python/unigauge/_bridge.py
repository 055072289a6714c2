"""The process that holds the model listens here for the relay that the program starts."""

from __future__ import annotations

import hmac
import os
import secrets
import selectors
import shutil
import socket
import tempfile
from typing import Any, Dict, Optional, Tuple

from ._protocol import encode, read, ready
from ._serve import DeviceLost, Served

#: The longest path of a Unix socket, in bytes, on all systems.
_LONGEST_PATH = 100


class _Connection:
    """One relay: what it has sent so far without a line's end, and whether it knew the secret."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.rest = b""
        self.trusted = False

    def send(self, message: Dict[str, Any]) -> None:
        self.channel.sendall(encode(message))


class Bridge:
    """Answers, in the thread that calls `pump`, what relays ask. Used with `with`."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._secret = secrets.token_hex(16)
        self._folder: Optional[str] = None
        self._listener, self._address = self._listen()
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)

    def _listen(self) -> Tuple[socket.socket, str]:
        """A Unix socket in a folder that only this user can enter; where there is none, a port of this machine."""
        if hasattr(socket, "AF_UNIX"):
            self._folder = tempfile.mkdtemp(prefix="unigauge-")
            path = os.path.join(self._folder, "model")
            if len(os.fsencode(path)) <= _LONGEST_PATH:
                listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                listener.bind(path)
                listener.listen(64)
                return listener, f"unix:{path}"
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        return listener, f"tcp:{listener.getsockname()[1]}"

    @property
    def environment(self) -> Dict[str, str]:
        """The environment variable that tells a relay where to connect."""
        return {"UNIGAUGE_RELAY": f"{self._address} {self._secret}"}

    def pump(self, seconds: float) -> None:
        """Answers what is there, and waits for at most this time for something to come."""
        for key, _ in self._selector.select(seconds):
            connection = key.data
            if connection is None:
                self._accept()
                continue
            try:
                self._hear(connection)
            except OSError:
                # The program has given up this relay; a new one may come.
                self._drop(connection)

    def _accept(self) -> None:
        try:
            channel, _ = self._listener.accept()
        except BlockingIOError:
            return
        channel.setblocking(True)
        self._selector.register(channel, selectors.EVENT_READ, _Connection(channel))

    def _hear(self, connection: _Connection) -> None:
        content = connection.channel.recv(1 << 16)
        if not content:
            self._drop(connection)
            return
        *lines, connection.rest = (connection.rest + content).split(b"\n")
        for line in lines:
            if not connection.trusted:
                self._greet(connection, line)
            else:
                self._answer(connection, line)

    def _greet(self, connection: _Connection, line: bytes) -> None:
        if not hmac.compare_digest(line, self._secret.encode()):
            raise ConnectionRefusedError("the secret is wrong")
        connection.trusted = True
        connection.send(ready(self._served))

    def _answer(self, connection: _Connection, line: bytes) -> None:
        try:
            for reply in self._served.answers(read(line)):
                self._send(connection, reply)
        except DeviceLost as lost:
            for reply in lost.unanswered:
                self._send(connection, reply)

    def _send(self, connection: _Connection, reply: Dict[str, Any]) -> None:
        # This process is the user's, so that it goes on even without its GPU.
        reply.pop("last", None)
        connection.send(reply)

    def _drop(self, connection: _Connection) -> None:
        self._selector.unregister(connection.channel)
        connection.channel.close()

    def close(self) -> None:
        """Ends all connections."""
        # None after an earlier call.
        keys = self._selector.get_map()
        for key in list(keys.values()) if keys is not None else []:
            if key.data is not None:
                key.data.channel.close()
        self._selector.close()
        self._listener.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Bridge:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
