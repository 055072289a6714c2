"""`python -m unigauge._run_model MODEL [KEY=VALUE ...]` serves a model without a line of TOML.

MODEL is one of:

- `my_model.py`: the function that `unigauge.serve` decorates, else `generate`, else the only public function of the
  file;
- `my_model.py:function`: that function;
- `diffusers:REPOSITORY_OR_FOLDER`: a pipeline of diffusers;
- `transformers:REPOSITORY_OR_FOLDER`: a vision-language model of transformers.

The settings KEY=VALUE belong to the last two: `device`, `dtype`, `batch`, `revision`, and for diffusers `variant` and
`offload`; all others are arguments of the pipeline's call or of `generate`. A value is JSON, or else text.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
from types import ModuleType
from typing import Any, Dict, List, Tuple

from . import _streams
from ._serve import Served


class ModelFileError(Exception):
    """The model cannot be served; the message says why."""


def main(arguments: List[str]) -> int:
    """Serves the model that the arguments name, until standard input is closed."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__, file=sys.stderr)
        return 2
    # Before the model's file is imported: it may print.
    _streams.take()
    try:
        served = find(arguments[0], arguments[1:])
    except ModelFileError as error:
        print(f"unigauge: {error}", file=sys.stderr)
        return 2
    served.run()
    return 0


def find(model: str, settings: List[str]) -> Served:
    """The served function of a model.

    Raises:
        ModelFileError: If there is no such file or function, or several could be meant.
    """
    kind, _, rest = model.partition(":")
    if kind in ("diffusers", "transformers") and rest:
        if os.environ.get("UNIGAUGE_OFFLINE"):
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from . import adapters

        build = adapters.pretrained_diffusers if kind == "diffusers" else adapters.pretrained_transformers
        return build(rest, **_settings(settings))
    if settings:
        raise ModelFileError(f"settings such as {settings[0]} belong to diffusers: and transformers: only")
    path, name = _split(model)
    if not os.path.isfile(path):
        raise ModelFileError(f"there is no file {path}")
    return choose(load(path), name, path)


def _settings(arguments: List[str]) -> Dict[str, Any]:
    settings: Dict[str, Any] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not (equals and key.isidentifier()):
            raise ModelFileError(f"{argument!r} is not a setting; write KEY=VALUE, such as num_inference_steps=28")
        try:
            settings[key] = json.loads(value)
        except ValueError:
            settings[key] = value
    return settings


def _split(model: str) -> Tuple[str, str]:
    """The path and the function's name, which is empty if none is given."""
    path, colon, name = model.rpartition(":")
    if colon and name.isidentifier() and path.endswith(".py"):
        return path, name
    return model, ""


def load(path: str) -> ModuleType:
    """Imports a file under its own name, with its folder first on the path, as Python does with a script."""
    path = os.path.abspath(path)
    name = os.path.splitext(os.path.basename(path))[0]
    if name in sys.modules or not name.isidentifier():
        name = "unigauge_model"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelFileError(f"{path} is not a file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(path))
    sys.argv = [path]
    # Processes that the model starts import it by its name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def choose(module: ModuleType, name: str, path: str) -> Served:
    """The function of a module that is served."""
    if name:
        found = getattr(module, name, None)
        if not callable(found):
            known = ", ".join(_functions(module)) or "none"
            raise ModelFileError(f"{path} has no function {name}; its functions: {known}")
        return _served(found, path)
    marked = {id(value): key for key, value in vars(module).items() if isinstance(value, Served)}
    names = list(marked.values()) or _functions(module)
    if not marked and "generate" in names:
        # The others are its helpers.
        names = ["generate"]
    if len(names) == 1:
        return _served(getattr(module, names[0]), path)
    if names:
        raise ModelFileError(
            f"{path} has several functions that could be meant: {', '.join(names)}; decorate one with "
            f"@unigauge.serve, or name it, such as {os.path.basename(path)}:{names[0]}"
        )
    raise ModelFileError(f"{path} has no public function; write one such as generate(prompt, seed)")


def _functions(module: ModuleType) -> List[str]:
    """The served and the public functions that are written in a module itself."""
    return [
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and (isinstance(value, Served) or (inspect.isfunction(value) and value.__module__ == module.__name__))
    ]


def _served(function: Any, path: str) -> Served:
    if isinstance(function, Served):
        return function
    try:
        return Served(function)
    except TypeError as error:
        raise ModelFileError(f"{path}: {error}") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
