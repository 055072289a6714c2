"""The model's side of `unigauge.evaluate`: a small process that joins the program to a process of Python.

The program starts this file by its path. It passes requests on to the process where the model is loaded, and
the replies back. It uses the standard library alone and nothing of this package, so that it starts quickly
and anywhere.

The environment variable UNIGAUGE_RELAY says where the process listens: `unix:PATH` or `tcp:PORT`, then a
blank and a secret, which is the first line that is sent.
"""

import os
import signal
import socket
import sys
import threading


def main() -> int:
    # Schedulers signal every process of a job. This one ends when one of its two sides is closed.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    address, _, secret = os.environ.get("UNIGAUGE_RELAY", "").partition(" ")
    try:
        connection = connect(address)
    except OSError as error:
        print(f"the process that holds the model does not listen any more ({error})", file=sys.stderr)
        return 1
    connection.sendall(secret.encode() + b"\n")
    threading.Thread(target=send_requests, args=(connection,), daemon=True).start()
    while True:
        replies = connection.recv(1 << 16)
        if not replies:
            return 0
        write_all(replies)


def connect(address: str) -> socket.socket:
    kind, _, place = address.partition(":")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(place)
    elif kind == "tcp":
        connection = socket.create_connection(("127.0.0.1", int(place)))
    else:
        raise OSError("UNIGAUGE_RELAY names no address")
    return connection


def send_requests(connection: socket.socket) -> None:
    try:
        while True:
            requests = os.read(0, 1 << 16)
            if not requests:
                break
            connection.sendall(requests)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        # The other side has gone, which ends the main thread.
        pass


def write_all(content: bytes) -> None:
    while content:
        content = content[os.write(1, content) :]


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # The other thread may still wait for requests.
    os._exit(code)
