"""The recipes of docs/guides/python.md run as they are printed."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

import support
from support import PNG

PAGE = os.path.join(support.ROOT, "docs", "guides", "python.md")
BLOCK = re.compile(r'^```python title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


class Guide(unittest.TestCase):
    def setUp(self):
        support.need_program()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        os.mkdir(os.path.join(self.folder, "pictures"))
        for name in ("picture.png", "pictures/cat.png", "pictures/dog.png"):
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(PNG)
        with open(PAGE, encoding="utf-8") as file:
            self.blocks = dict(BLOCK.findall(file.read()))

    def run_here(self, *command):
        own = {**support.environment(), "UNIGAUGE_OFFLINE": "1", "PYTHONWARNINGS": "error"}
        ended = subprocess.run(
            command, cwd=self.folder, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        self.assertEqual(ended.returncode, 0, ended.stdout.decode())
        return ended.stdout.decode()

    def run_block(self, name):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(self.blocks[name])
        return self.run_here(sys.executable, name)

    def test_all_recipes_are_tested(self):
        recipes = {"score_pictures.py", "evaluate_a_function.py", "my_model.py", "train.py", "load_and_compare.py"}
        self.assertEqual(set(self.blocks), recipes)

    def test_score_pictures(self):
        self.assertIn("000001", self.run_block("score_pictures.py"))

    def test_evaluate_a_function(self):
        printed = self.run_block("evaluate_a_function.py")
        self.assertIn("Result(mini-geneval, one-color, seed0-limit8: 0", printed)

    def test_write_a_model_file(self):
        model = support.Parent(self, self.blocks["my_model.py"].replace("picture.png", "{PNG}"))
        self.assertEqual(model.reply(), {"ready": True, "batch": 4})
        model.ask_batch({}, {})
        model.end()
        self.assertIn("prints do not disturb", model.said())

    def test_score_samples_during_a_training(self):
        printed = self.run_block("train.py").splitlines()
        self.assertEqual([line.split()[0] for line in printed if re.match(r"\d", line)], ["0.0", "100.0", "200.0"])

    def test_load_and_compare_runs(self):
        program = os.environ["UNIGAUGE_BIN"]
        self.run_here(program, "run", "mini-text", "--model", "world", "world-mistaken", "--limit", "8", "--quiet")
        self.assertIn("length=", self.run_block("load_and_compare.py"))


if __name__ == "__main__":
    unittest.main()
