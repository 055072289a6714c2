"""Where the program `unigauge` is."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from typing import List

from ._errors import NotFoundError

_NAME = "unigauge.exe" if os.name == "nt" else "unigauge"


def find_program() -> str:
    """The path of the program `unigauge`.

    The environment variable UNIGAUGE_BIN comes first. Then come the folders that an installation can have
    put it into, and the PATH at the end.

    Raises:
        NotFoundError: If the program is in none of these places. The error lists them.
    """
    named = os.environ.get("UNIGAUGE_BIN")
    if named:
        if _is_program(named):
            return os.path.abspath(named)
        raise NotFoundError(f"UNIGAUGE_BIN names {named}, which is not a program", [named])
    places = [os.path.join(folder, _NAME) for folder in _folders()]
    for place in places:
        if _is_program(place):
            return place
    on_path = shutil.which(_NAME)
    if on_path:
        return os.path.abspath(on_path)
    listed = "".join(f"\n  {place}" for place in places)
    raise NotFoundError(
        f"the program unigauge is not found. It is neither on the PATH nor in one of these places:{listed}\n"
        "Install the wheel again (`pip install --force-reinstall unigauge-….whl`), or let the environment variable "
        "UNIGAUGE_BIN name the program.",
        places,
    )


def search_path() -> str:
    """The PATH on which `python3` is this Python, as in an active environment: the program starts model files with
    it, and this package is installed there."""
    own = os.path.dirname(os.path.abspath(sys.executable)) if sys.executable else ""
    others = os.environ.get("PATH", os.defpath)
    return os.pathsep.join(entry for entry in (own, others) if entry)


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _folders() -> List[str]:
    """The folders that installers use, without repetitions."""
    scripts = os.path.basename(sysconfig.get_path("scripts")) or "bin"
    package = os.path.dirname(os.path.abspath(__file__))
    site = os.path.dirname(package)
    folders = [
        # The environment of this Python, and the Python that it was made from.
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", vars={"base": sys.base_prefix}),
        # `pip install --user`.
        sysconfig.get_path("scripts", scheme=_user_scheme()),
        # Beside the package.
        site,
        # `pip install --prefix`, where the package is in PREFIX/lib/python3.N/site-packages (on Windows in
        # PREFIX\Lib\site-packages).
        os.path.join(_above(site, 2 if os.name == "nt" else 3), scripts),
        # `pip install --target`.
        os.path.join(site, "bin"),
    ]
    unique: List[str] = []
    for folder in folders:
        if folder and folder not in unique:
            unique.append(folder)
    return unique


def _above(folder: str, levels: int) -> str:
    for _ in range(levels):
        folder = os.path.dirname(folder)
    return folder


def _user_scheme() -> str:
    if sys.version_info >= (3, 10):
        return sysconfig.get_preferred_scheme("user")
    if os.name == "nt":
        return "nt_user"
    if sys.platform == "darwin" and getattr(sys, "_framework", None):
        return "osx_framework_user"
    return "posix_user"
