"""A function of this process as a model of the program: its TOML file, and the conversation while it runs."""

from __future__ import annotations

import os
import re
import sys
from typing import Callable, List, Optional, Union

from ._bridge import Bridge
from ._program import Program, toml_file
from ._serve import Served

#: Seconds without an answer after which the program gives a request up. A function that hangs here cannot be
#: stopped from outside, so that there is no limit.
_NO_LIMIT = 1e8
_RELAY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_relay.py")


def served(function: Union[Served, Callable[..., object]], batch: Optional[int]) -> Served:
    """The function as a served one; `batch` replaces what its decorator says."""
    if isinstance(function, Served) and batch is None:
        return function
    return Served(function.function if isinstance(function, Served) else function, batch)


def model_name(function: Served, name: Optional[str]) -> str:
    """A name that the program takes: letters, digits, `-`, `_` and `.`."""
    if name is None:
        name = getattr(function, "__name__", "model")
        name = "model" if name == "<lambda>" else name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")
    if not plain:
        raise ValueError(f"name={name!r}: a model's name has letters, digits, `-`, `_` or `.`")
    return plain


def write_model(folder: str, name: str, title: str, version: str) -> str:
    """Writes the model's TOML file, and gives its path.

    Args:
        folder: Where to.
        name: The name for paths.
        title: The name in tables.
        version: Outputs of the same version are the same, so that a later call goes on where this one stops.
    """
    path = os.path.join(folder, f"{name}.toml")
    values = {
        "name": name,
        "title": title,
        "generator": "command",
        "settings": {
            "program": [sys.executable, "-S", _RELAY],
            "timeout_seconds": _NO_LIMIT,
            # There is one process that answers.
            "processes": 1,
            "env": {"UNIGAUGE_MODEL_VERSION": version},
        },
    }
    with open(path, "w", encoding="utf-8") as file:
        file.write(toml_file(values))
    return path


def converse(function: Served, arguments: List[str], *, quiet: bool) -> Program:
    """Runs the program, and answers its requests in the calling thread, so that thread-local states such as
    `torch.no_grad` hold. The program has ended when this returns; its exit code is not checked."""
    with Bridge(function) as bridge:
        program = Program(arguments, quiet=quiet, environment=bridge.environment)
        try:
            while program.is_running():
                bridge.pump(0.05)
        except BaseException:
            # The request in hand is given up with the connection.
            program.interrupt(bridge.close)
            raise
        program.wait()
    return program
