"""`python -m unigauge` is the program `unigauge`."""

from __future__ import annotations

import os
import subprocess
import sys

from ._errors import NotFoundError
from ._find import find_program, search_path


def main() -> int:
    """Becomes the program, so that signals and the exit code are the program's own."""
    try:
        program = find_program()
    except NotFoundError as error:
        print(f"unigauge: {error}", file=sys.stderr)
        return 6
    os.environ["PATH"] = search_path()
    arguments = [program, *sys.argv[1:]]
    if os.name == "nt":
        # There, exec would give the prompt back before the program ends.
        try:
            return subprocess.run(arguments).returncode
        except KeyboardInterrupt:
            return 130
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(program, arguments)


if __name__ == "__main__":
    sys.exit(main())
