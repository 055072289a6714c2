"""A real notebook, run by nbconvert, shows a result and a comparison as tables."""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest

import support


class Notebook(unittest.TestCase):
    def setUp(self):
        support.need_program()
        support.need("nbconvert", "ipykernel")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def converted(self, *cells):
        """The page of a notebook after its cells have run."""
        notebook = {
            "cells": [
                {
                    "cell_type": "code",
                    "source": textwrap.dedent(cell),
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                    "id": f"cell{index}",
                }
                for index, cell in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = os.path.join(self.folder, "notebook.ipynb")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(notebook, file)
        # The kernel is this Python, whatever else is installed for Jupyter.
        kernel = os.path.join(self.folder, "jupyter", "kernels", "python3")
        os.makedirs(kernel)
        with open(os.path.join(kernel, "kernel.json"), "w", encoding="utf-8") as file:
            start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            json.dump({"argv": start, "display_name": "Python 3", "language": "python"}, file)
        ended = subprocess.run(
            [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", path],
            cwd=self.folder,
            env={**support.environment(), "JUPYTER_PATH": os.path.join(self.folder, "jupyter"), "HOME": self.folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.assertEqual(ended.returncode, 0, ended.stdout.decode())
        with open(os.path.join(self.folder, "notebook.html"), encoding="utf-8") as file:
            return file.read()

    def test_tables_are_shown(self):
        page = self.converted(
            f"""
            import unigauge
            PNG = bytes.fromhex("{support.PNG.hex()}")

            @unigauge.serve(batch=2)
            def black(prompts):
                return [PNG] * len(prompts)

            given = dict(limit=4, out="results", offline=True)
            result = unigauge.evaluate("mini-text", black, **given)
            result
            """,
            'unigauge.compare(unigauge.evaluate("mini-text", "world", quiet=True, **given), result)',
        )
        self.assertIn("<h4>mini-text, black (seed0-limit4)</h4>", page)
        self.assertIn("<td>overall</td><td>0</td>", page)
        self.assertIn("against World", page)
        self.assertIn("<td>length=", page)


if __name__ == "__main__":
    unittest.main()
