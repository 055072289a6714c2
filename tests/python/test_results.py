"""Run folders as objects, as tables of pandas and polars, and in notebooks."""

import json
import os
import sys
import tempfile
import types
import unittest
from unittest import mock

import support
import unigauge
from unigauge import UnigaugeError, load

EVIL = "<script>alert('a & b')</script>"


def write_run(folder, **summary):
    """A run folder with two items, one of which failed."""
    whole = {
        "suite": "signs",
        "suite_version": "1",
        "model": "my-model",
        "run": "seed0",
        "expected": 3,
        "scored": 2,
        "failed": 1,
        "unscored": 1,
        "partial": True,
        "overall": {"value": 0.75, "low": 0.5, "high": 0.9, "n": 2, "method": "mean"},
        "groups": [{"by": "kind", "key": EVIL, "value": None, "low": None, "high": None, "n": 0, "outputs": 0}],
        "metrics": {"recall": 75.0},
        "notes": [EVIL],
        **summary,
    }
    rows = {
        "items.jsonl": [{"item": "a", "prompt": EVIL, "task": "text-to-image"}, {"item": "b", "prompt": "b"}],
        "outputs.jsonl": [
            {"item": "a", "repeat": 0, "seed": 1, "kind": "image", "error": {"kind": "timeout", "message": "old"}},
            {"item": "a", "repeat": 0, "seed": 1, "kind": "image", "file": "outputs/a_0.png"},
            {"item": "a", "repeat": 1, "seed": 2, "kind": "text", "text": "words"},
            {"item": "b", "repeat": 0, "seed": 3, "kind": "image", "error": {"kind": "program", "message": EVIL}},
        ],
        "grades.jsonl": [
            {"item": "a", "repeat": 0, "score": 1.0, "correct": True, "parts": {"x": 1.0}, "tags": {"kind": "sign"}},
            {"item": "a", "repeat": 1, "score": 0.5, "reason": EVIL, "parts": {"y": 2.0}, "tags": {"kind": "sign"}},
            {"item": "b", "repeat": 0, "score": None, "unscored": "missing", "tags": {}},
        ],
    }
    with open(os.path.join(folder, "summary.json"), "w", encoding="utf-8") as file:
        json.dump(whole, file)
    for name, objects in rows.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(one) + "\n" for one in objects)
            # A torn last line, as a killed process leaves it.
            file.write('{"item": "a", "rep')


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        write_run(self.folder)


class Load(Case):
    def test_a_run_folder(self):
        result = load(self.folder)
        self.assertEqual((result.suite, result.model, result.run), ("signs", "my-model", "seed0"))
        self.assertEqual((result.value, result.interval, result.overall.n), (0.75, (0.5, 0.9), 2))
        self.assertEqual((result.partial, result.failed, len(result)), (True, 1, 3))
        first, second, failed = result
        self.assertEqual(first.file, os.path.join(self.folder, "outputs", "a_0.png"))
        self.assertEqual((first.prompt, first.correct, first.error, first.seed), (EVIL, True, None, 1))
        self.assertEqual((second.text, second.repeat, second.reason), ("words", 1, EVIL))
        self.assertEqual((failed.score, failed.unscored, failed.error), (None, "missing", f"program: {EVIL}"))
        self.assertEqual(
            str(result), "Result(signs, my-model, seed0: 0.75 [0.5, 0.9], n = 2; 1 of 3 outputs without a score)"
        )
        self.assertIsNone(result.report)

    def test_journals_of_shards(self):
        os.rename(os.path.join(self.folder, "outputs.jsonl"), os.path.join(self.folder, "outputs.1-of-2.jsonl"))
        self.assertEqual(load(self.folder).items[1].text, "words")

    def test_what_is_no_run(self):
        with self.assertRaisesRegex(UnigaugeError, "is not a graded run folder"):
            load(os.path.join(self.folder, "outputs"))
        for text, words in (("{", "is not JSON"), ("[]", "is not the summary")):
            with open(os.path.join(self.folder, "summary.json"), "w", encoding="utf-8") as file:
                file.write(text)
            with self.assertRaisesRegex(UnigaugeError, words):
                load(self.folder)

    def test_a_damaged_line_is_named(self):
        with open(os.path.join(self.folder, "grades.jsonl"), "a", encoding="utf-8") as file:
            file.write("\n{}\n")
        with self.assertRaisesRegex(UnigaugeError, "grades.jsonl has a line that is not JSON"):
            load(self.folder)

    def test_a_run_without_any_score(self):
        write_run(self.folder, overall={"value": None, "low": None, "high": None, "n": 0, "method": ""})
        result = load(self.folder)
        self.assertEqual((result.value, result.interval), (None, None))
        self.assertIn("–", str(result) + result._repr_html_())


class Tables(Case):
    def test_columns(self):
        rows = load(self.folder).records()
        self.assertEqual(len({tuple(row) for row in rows}), 1)
        self.assertEqual(rows[0]["tag.kind"], "sign")
        self.assertEqual([row["part.x"] for row in rows], [1.0, None, None])
        self.assertEqual([row["part.y"] for row in rows], [None, 2.0, None])

    def test_frames_of_fake_libraries(self):
        for library in ("pandas", "polars"):
            fake = types.ModuleType(library)
            fake.DataFrame = dict
            with mock.patch.dict(sys.modules, {library: fake}):
                frame = getattr(load(self.folder), f"to_{library}")()
            self.assertEqual(frame["score"], [1.0, 0.5, None])
            self.assertEqual(frame["model"], ["my-model"] * 3)
            with mock.patch.dict(sys.modules, {library: None}):
                with self.assertRaisesRegex(ImportError, f"pip install {library}"):
                    getattr(load(self.folder), f"to_{library}")()

    def test_pandas(self):
        support.need("pandas")
        frame = load(self.folder).to_pandas()
        self.assertEqual(frame["score"].mean(), 0.75)
        self.assertEqual(len(frame), 3)

    def test_polars(self):
        support.need("polars")
        frame = load(self.folder).to_polars()
        self.assertEqual((frame["score"].mean(), frame.height), (0.75, 3))


class Notebooks(Case):
    def test_everything_is_escaped(self):
        text = load(self.folder)._repr_html_()
        self.assertNotIn("<script>", text)
        self.assertIn("&lt;script&gt;", text)
        self.assertIn("0.75", text)
        self.assertIn("1 of 3 outputs have no score", text)

    def test_it_is_well_formed(self):
        import xml.etree.ElementTree

        xml.etree.ElementTree.fromstring(f"<div>{load(self.folder)._repr_html_()}</div>")

    def test_a_comparison(self):
        from unigauge._compare import Comparison, Difference

        one = Difference(EVIL, 3, 0.5, 0.6, 0.1, None, 0.2, None, 0.1, 1, 1, 1, None)
        text = Comparison("a", EVIL, one, [one], [EVIL], {})._repr_html_()
        self.assertNotIn("<script>", text)
        self.assertIn("+0.1", text)


class Package(unittest.TestCase):
    def test_what_it_offers(self):
        for name in unigauge.__all__:
            self.assertTrue(hasattr(unigauge, name), name)

    def test_importing_it_loads_no_library(self):
        heavy = ("numpy", "torch", "PIL", "pandas", "polars", "diffusers", "transformers")
        code = f"import sys, unigauge; print([name for name in {heavy!r} if name in sys.modules])"
        output = support.subprocess.check_output([sys.executable, "-c", code], env=support.environment())
        self.assertEqual(output, b"[]\n")


if __name__ == "__main__":
    unittest.main()
