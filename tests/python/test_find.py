"""Where the program is looked for."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest
import venv
from unittest import mock

import support
import unigauge

from unigauge import NotFoundError, _find

ECHO = '#!/bin/sh\necho "$0" "$@"\nexit 7\n'


class Find(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)

    def program(self, *parts):
        path = os.path.join(self.folder, *parts, "unigauge")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(ECHO)
        os.chmod(path, 0o755)
        return path

    def copy(self, *parts):
        """A copy of the package in a folder for packages, and the Python that finds the program from there."""
        site = os.path.join(self.folder, *parts)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(os.path.join(support.PACKAGE, "unigauge"), os.path.join(site, "unigauge"), ignore=ignore)
        return site

    def found_from(self, site, path="/usr/bin:/bin"):
        """What a Python finds in whose environment nothing is installed."""
        python = os.path.join(self.folder, "empty", "bin", "python")
        if not os.path.exists(python):
            venv.create(os.path.join(self.folder, "empty"), symlinks=True)
        own = {**support.environment(), "PYTHONPATH": site, "PATH": path}
        own.pop("UNIGAUGE_BIN", None)
        code = "import unigauge; print(unigauge.find_program())"
        return subprocess.run([python, "-c", code], env=own, stdout=subprocess.PIPE, check=True).stdout.decode()

    def test_the_variable_comes_first(self):
        named = self.program("named")
        with mock.patch.dict(os.environ, UNIGAUGE_BIN=named):
            self.assertEqual(unigauge.find_program(), named)
        with mock.patch.dict(os.environ, UNIGAUGE_BIN=self.folder):
            with self.assertRaisesRegex(NotFoundError, "UNIGAUGE_BIN names .*, which is not a program"):
                unigauge.find_program()

    def test_prefix_and_target(self):
        lib = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        with_prefix = self.copy("prefix", "lib", lib, "site-packages")
        program = self.program("prefix", "bin")
        self.assertEqual(self.found_from(with_prefix), program + "\n")
        target = self.copy("target")
        program = self.program("target", "bin")
        self.assertEqual(self.found_from(target), program + "\n")

    def test_the_path_comes_last(self):
        on_path = self.program("elsewhere")
        site = self.copy("site")
        found = self.found_from(site, os.path.dirname(on_path) + ":/usr/bin:/bin")
        self.assertEqual(found, on_path + "\n")

    def test_an_error_lists_the_places(self):
        with mock.patch.dict(os.environ, PATH=self.folder):
            os.environ.pop("UNIGAUGE_BIN", None)
            with mock.patch.object(_find, "_is_program", return_value=False):
                with self.assertRaises(NotFoundError) as caught:
                    unigauge.find_program()
        self.assertIn(os.path.join(sysconfig.get_path("scripts"), "unigauge"), str(caught.exception))
        self.assertEqual(len(caught.exception.places), len(set(caught.exception.places)))
        self.assertIsInstance(caught.exception, FileNotFoundError)

    def test_the_module_becomes_the_program(self):
        program = self.program("bin")
        own = {**support.environment(), "UNIGAUGE_BIN": program}
        ended = subprocess.run(
            [sys.executable, "-m", "unigauge", "run", "a b"], env=own, stdout=subprocess.PIPE, check=False
        )
        self.assertEqual((ended.returncode, ended.stdout.decode()), (7, f"{program} run a b\n"))
        own["UNIGAUGE_BIN"] = self.folder
        ended = subprocess.run([sys.executable, "-m", "unigauge"], env=own, stderr=subprocess.PIPE, check=False)
        self.assertEqual(ended.returncode, 6)
        self.assertNotIn(b"Traceback", ended.stderr)


if __name__ == "__main__":
    unittest.main()
