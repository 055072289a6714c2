"""evaluate, score, compare and the callback with the real program, which UNIGAUGE_BIN names."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import types
import unittest
import unittest.mock
import warnings

import support
import unigauge
from support import PNG


class Case(unittest.TestCase):
    def setUp(self):
        support.need_program()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        self.out = os.path.join(self.folder, "results")

    def evaluate(self, model, suite="mini-text", **more):
        return unigauge.evaluate(suite, model, **{"limit": 4, "out": self.out, "quiet": True, "offline": True, **more})


class Evaluate(Case):
    def test_a_function_of_this_process(self):
        asked = []

        def generate(prompt, seed, images, task, item, repeat):
            asked.append((item, seed, os.getpid()))
            self.assertEqual((images, task, repeat), ([], "text-to-image", 0))
            print("a print of the model")
            return PNG

        result = self.evaluate(generate)
        self.assertEqual((result.suite, result.model, result.expected, result.failed), ("mini-text", "generate", 4, 0))
        self.assertEqual(len(result.items), 4)
        self.assertEqual({process for *_, process in asked}, {os.getpid()})
        self.assertEqual({item: seed for item, seed, _ in asked}, {item.item: item.seed for item in result})
        self.assertTrue(all(os.path.isfile(item.file) for item in result))
        self.assertTrue(os.path.isfile(result.report))

    def test_an_error_of_one_item_is_a_warning(self):
        def generate(prompt, item):
            if item.endswith("01"):
                raise ValueError("no sign")
            return PNG

        with self.assertWarnsRegex(UserWarning, "1 of 4 outputs of mini-text have no score"):
            result = self.evaluate(generate)
        self.assertEqual((result.partial, result.failed), (True, 1))
        errors = [item.error for item in result if item.error]
        self.assertEqual(len(errors), 1)
        self.assertRegex(errors[0], r"ValueError: no sign \(test_program.py:\d+\)")

    def test_each_call_asks_again_unless_the_version_is_the_same(self):
        asked = []

        def generate(item):
            asked.append(item)
            return PNG

        for expected in (4, 8):
            self.evaluate(generate)
            self.assertEqual(len(asked), expected)
        for _ in range(2):
            self.evaluate(generate, version="one")
            self.assertEqual(len(asked), 12)
        self.evaluate(generate, version="two")
        self.assertEqual(len(asked), 16)

    def test_seeds_are_runs(self):
        results = self.evaluate(lambda prompt: PNG, seeds=[0, 1], limit=2)
        self.assertEqual([result.model for result in results], ["model", "model"])
        self.assertEqual(len({result.run for result in results}), 2)
        self.assertNotEqual(results[0].items[0].seed, results[1].items[0].seed)

    def test_a_model_by_name_and_a_comparison(self):
        before = self.evaluate("world", limit=8)
        after = self.evaluate("world-mistaken", limit=8)
        self.assertEqual(before.value, 1.0)
        compared = unigauge.compare(before, after)
        self.assertAlmostEqual(compared.overall.difference, after.value - before.value)
        self.assertEqual(compared.overall.n, 8)
        self.assertIn("length=", compared.groups[0].name)
        self.assertIn("p = ", repr(compared))
        self.assertIn("<table>", compared._repr_html_())
        same = unigauge.compare(before.path, before.path)
        self.assertEqual((same.overall.difference, same.significant), (0.0, False))

    def test_runs_that_cannot_be_compared(self):
        before = self.evaluate("world", limit=2)
        after = self.evaluate("world", suite="mini-geneval", limit=2)
        with self.assertRaises(unigauge.UnigaugeError):
            unigauge.compare(before, after)
        with self.assertRaisesRegex(ValueError, "choose from"):
            unigauge.compare(before, after, allow=["everything"])

    def test_input_images_of_edits(self):
        support.need("PIL")

        def edit(prompt, images):
            self.assertEqual([image.mode for image in images], ["RGB"])
            return images[0]

        result = self.evaluate(edit, suite="mini-edit", limit=2)
        self.assertEqual(result.failed, 0)

    def test_paths_of_input_images(self):
        result = self.evaluate(unigauge.serve(lambda images: images[0], images="path"), suite="mini-edit", limit=2)
        self.assertEqual(result.failed, 0)

    def test_batches(self):
        calls = []

        def generate(prompts, seeds):
            calls.append(len(prompts))
            self.assertEqual(len(seeds), len(prompts))
            return [PNG] * len(prompts)

        result = self.evaluate(generate, batch=4)
        self.assertEqual((result.failed, sum(calls)), (0, 4))

    def test_a_broken_gpu_fails_its_items(self):
        def generate(prompts):
            raise RuntimeError("CUDA error: device-side assert triggered")

        with self.assertWarns(UserWarning):
            result = self.evaluate(generate, batch=4)
        self.assertEqual(result.failed, 4)

    def test_wrong_arguments_are_errors_of_the_program(self):
        with self.assertRaises(unigauge.UnigaugeError) as caught:
            self.evaluate(lambda prompt: PNG, suite="no-such-suite")
        self.assertEqual(caught.exception.code, 2)
        self.assertIn("no-such-suite", str(caught.exception))

    def test_ctrl_c_ends_it_and_the_same_version_goes_on(self):
        code = f"""
            import os, signal, sys, threading, time
            import unigauge
            PNG = bytes.fromhex("{PNG.hex()}")
            made = 0
            def generate(prompt):
                global made
                made += 1
                if made == 3 and sys.argv[1] == "stop":
                    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
                    time.sleep(60)
                return PNG
            try:
                unigauge.evaluate("mini-text", generate, limit=6, out="results", version="1", jobs=1, offline=True)
            except KeyboardInterrupt:
                print("interrupted", file=sys.stderr)
                raise
            finally:
                print(made)
        """
        path = os.path.join(self.folder, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(code))

        def run(word):
            start = time.monotonic()
            ended = subprocess.run(
                [sys.executable, path, word],
                cwd=self.folder,
                env=support.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                check=False,
            )
            self.assertLess(time.monotonic() - start, 30)
            return ended

        stopped = run("stop")
        self.assertIn(b"KeyboardInterrupt", stopped.stderr)
        self.assertEqual(stopped.stdout, b"3\n")
        finished = run("go on")
        self.assertEqual((finished.returncode, finished.stdout), (0, b"4\n"), finished.stderr)

    def test_a_killed_process_leaves_no_program_behind(self):
        code = """
            import os, time, unigauge
            def generate(prompt):
                print("asked", flush=True)
                time.sleep(60)
            unigauge.evaluate("mini-text", generate, limit=2, out="results", offline=True, quiet=True, jobs=1)
        """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=self.folder,
            env={**support.environment(), "UNIGAUGE_CACHE": os.path.join(self.folder, "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b"asked\n")
        process.send_signal(signal.SIGKILL)
        process.wait()
        for _ in range(200):
            left = subprocess.run(["pgrep", "-f", self.folder], stdout=subprocess.PIPE, check=False).stdout
            if not left.strip():
                return
            time.sleep(0.1)
        self.fail(f"processes that are left: {left}")


class Score(Case):
    def score(self, images, prompts=None, scorers=("quality",), **more):
        return unigauge.score(images, prompts, scorers, out=self.out, offline=True, **more)

    def test_pictures_by_measures_without_a_network(self):
        result = self.score([PNG, PNG], name="mine")
        self.assertEqual((result.model, result.expected, result.partial), ("mine", 2, False))
        self.assertIn("quality.sharpness", result.metrics)
        self.assertEqual(result.items[0].parts["quality.brightness"], 0.0)

    def test_one_number_of_the_evidence(self):
        result = self.score({"dark": PNG}, scorers=["quality:brightness"])
        self.assertEqual((result.value, result.items[0].item), (0.0, "dark"))

    def test_a_folder_and_prompts_by_name(self):
        pictures = os.path.join(self.folder, "pictures")
        os.mkdir(pictures)
        for name in ("b.png", "a.PNG", "notes.txt"):
            with open(os.path.join(pictures, name), "wb") as file:
                file.write(PNG)
        result = self.score(pictures, {"a": "first", "b": "second"})
        self.assertEqual([(item.item, item.prompt) for item in result], [("a", "first"), ("b", "second")])

    def test_other_pictures_of_the_same_name_are_looked_at_again(self):
        support.need("numpy")
        import numpy

        for level in (0, 255):
            result = self.score([numpy.full((32, 32, 3), level, "uint8")], scorers=["quality:brightness"])
            self.assertEqual(result.value, level / 255)

    def test_a_folder_of_a_suite(self):
        made = self.evaluate("world", limit=80, only=[])
        result = self.score(os.path.join(made.path, "outputs"), suite="mini-text", name="theirs", scorers=())
        self.assertEqual((result.value, result.model, result.expected), (made.value, "theirs", 80))

    def test_what_is_refused(self):
        for arguments, words in (
            (([PNG], None, ["clip-score"]), "give `prompts`"),
            (([PNG], ["a", "b"]), "2 prompts for 1 pictures"),
            (([PNG], "a cat"), "not a single text"),
            (([PNG], None, ["beauty"]), "'beauty' is no scorer"),
            (([PNG], None, []), "name at least one"),
            (([],), "there is no picture"),
            ((PNG,), "goes into a list"),
            (({"../a": PNG},), "cannot be the name"),
            (({"a": PNG}, {"b": "b"}), "no prompt for the picture 'a'"),
            ((os.path.join(self.folder, "absent"),), "is not a folder"),
        ):
            with self.assertRaisesRegex(ValueError, words):
                self.score(*arguments)

    def test_weights_that_are_absent(self):
        os.environ["UNIGAUGE_CACHE"] = os.path.join(self.folder, "cache")
        self.addCleanup(os.environ.pop, "UNIGAUGE_CACHE")
        with self.assertRaises(unigauge.UnigaugeError) as caught:
            self.score([PNG], ["a cat"], ["hpsv2"])
        self.assertEqual(caught.exception.code, 6)


class Callback(Case):
    def train(self, steps, sample=lambda prompt: PNG, suite="mini-text", **more):
        given = {"every": 2, "limit": 2, "out": self.out, "offline": True, **more}
        with unigauge.Callback(suite, sample, **given) as scores:
            for step in range(steps):
                scores(step)
        return scores

    def test_every_second_step(self):
        logged = []
        scores = self.train(5, logger=logged.append)
        self.assertEqual(sorted(scores.results), [0, 2, 4])
        self.assertEqual([values["unigauge/step"] for values in logged], [0, 2, 4])
        self.assertEqual({values["unigauge/errors"] for values in logged}, {0.0})
        self.assertEqual(logged[0]["unigauge/mini-text"], scores.results[0].value)
        self.assertTrue(scores.results[4].path.endswith(os.path.join("mini-text", "training", "step-00000004")))
        self.assertTrue(all(isinstance(value, float) for values in logged for value in values.values()))

    def test_seeds_are_the_same_at_each_step(self):
        seen = []
        self.train(3, lambda seed: seen.append(seed) or PNG)
        self.assertEqual(seen[:2], seen[2:])

    def test_prompts_of_the_user(self):
        scores = self.train(1, suite=["a cat", "a dog"], scorers=["quality"], limit=None, name="suite")
        self.assertEqual([item.prompt for item in scores.results[0]], ["a cat", "a dog"])
        self.assertIn("quality.contrast", scores.results[0].metrics)

    def test_the_training_does_not_wait(self):
        with unigauge.Callback("mini-text", lambda prompt: PNG, every=1, limit=2, out=self.out, offline=True) as scores:
            scores._program = lambda *arguments: time.sleep(2)
            start = time.monotonic()
            scores(0)
            scores(1)
            self.assertLess(time.monotonic() - start, 2)
            self.assertEqual(scores.results, {})
            scores._cancelled = True

    def test_errors_never_end_the_training(self):
        def sample(prompt):
            raise RuntimeError("CUDA error: an illegal memory access")

        logged = []
        with self.assertWarnsRegex(RuntimeWarning, "2 samples failed"):
            scores = self.train(1, sample, logger=logged.append)
        self.assertEqual((scores.results[0].failed, scores.errors), (2, 1))
        with self.assertWarnsRegex(RuntimeWarning, "(?s)sampling at step 0 failed: .*no-such-suite"):
            scores = self.train(1, suite="./no-such-suite.toml", logger=logged.append)
        self.assertEqual((scores.errors, logged[-1]), (1, {"unigauge/errors": 1.0, "unigauge/step": 0.0}))

        def broken(values):
            raise OSError("the logger has no connection")

        with self.assertWarnsRegex(RuntimeWarning, "logging at step 0 failed: OSError"):
            self.assertEqual(self.train(1, logger=broken).errors, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.assertEqual(self.train(1, suite="./no-such-suite.toml").errors, 1)
        with self.assertRaisesRegex(ValueError, "there is no suite 'no-such-suite'"):
            self.train(1, suite="no-such-suite")

    def test_a_real_file_of_tensorboard(self):
        support.need("tensorboardX", "tensorboard")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboardX import SummaryWriter

        folder = os.path.join(self.folder, "events")
        writer = SummaryWriter(folder)
        scores = self.train(5, logger=writer)
        writer.close()
        events = EventAccumulator(folder)
        events.Reload()
        read = [(event.step, event.value) for event in events.Scalars("unigauge/mini-text")]
        self.assertEqual(read, [(step, scores.results[step].value) for step in (0, 2, 4)])

    def test_an_error_of_the_training_gives_up_the_rest(self):
        with self.assertRaises(KeyError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with unigauge.Callback(
                "mini-text", lambda prompt: PNG, every=1, limit=2, out=self.out, offline=True
            ) as scores:
                for step in range(3):
                    scores(step)
                raise KeyError("of the training")
        self.assertEqual(len(scores.results) + scores.errors, 3)

    def test_random_numbers_of_the_training_stay(self):
        import random

        def sample(prompt):
            random.seed(5)
            return PNG

        random.seed(1)
        expected = random.random()
        random.seed(1)
        self.train(1, sample)
        self.assertEqual(random.random(), expected)


    def test_a_training_with_torch_stays_as_it_is(self):
        support.need("torch", "numpy")
        import numpy
        import torch

        def sample(prompt):
            self.assertFalse(torch.is_grad_enabled())
            return torch.rand(3, 8, 8)

        torch.manual_seed(3)
        numpy.random.seed(3)
        expected = torch.rand(2), numpy.random.random()
        torch.manual_seed(3)
        numpy.random.seed(3)
        scores = self.train(1, sample)
        self.assertEqual(scores.results[0].failed, 0)
        self.assertTrue(torch.is_grad_enabled())
        self.assertTrue((torch.rand(2) == expected[0]).all())
        self.assertEqual(numpy.random.random(), expected[1])


class Loggers(unittest.TestCase):
    def log(self, logger):
        from unigauge._loggers import log_function

        log_function(logger, "unigauge")({"unigauge/a": 1.0, "unigauge/step": 3.0}, 3)

    def test_what_can_log(self):
        calls = []

        def note(*arguments, **named):
            calls.append((arguments, named))

        def with_step(values, step=None):
            calls.append(((values,), {"step": step}))

        def without(values):
            calls.append(((values,), {}))

        values = {"unigauge/a": 1.0, "unigauge/step": 3.0}
        for logger, expected in (
            (types.SimpleNamespace(log=with_step), [((values,), {"step": 3})]),
            (types.SimpleNamespace(log=without), [((values,), {})]),
            (types.SimpleNamespace(log_metrics=note), [((values,), {"step": 3})]),
            (types.SimpleNamespace(add_scalar=note), [(("unigauge/a", 1.0, 3), {}), (("unigauge/step", 3.0, 3), {})]),
            (without, [((values,), {})]),
            (None, []),
        ):
            calls.clear()
            self.log(logger)
            self.assertEqual(calls, expected)
        with self.assertRaisesRegex(TypeError, "not int"):
            self.log(3)

    def test_wandb_gets_an_axis_of_its_own(self):
        calls = []
        wandb = types.SimpleNamespace(
            log=lambda values, step=None: calls.append((values["unigauge/step"], step)),
            define_metric=lambda name, step_metric: calls.append((name, step_metric)),
        )
        self.log(wandb)
        self.assertEqual(calls, [("unigauge/*", "unigauge/step"), (3.0, None)])


class ModelFile(Case):
    """`--model my_model.py`: the program starts the file with the runner of the package."""

    def setUp(self):
        super().setUp()
        own = {**support.environment(), "UNIGAUGE_PYTHON": sys.executable}
        patch = unittest.mock.patch.dict(os.environ, own)
        patch.start()
        self.addCleanup(patch.stop)

    def model(self, code):
        path = os.path.join(self.folder, "my_model.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"import os, time, unigauge\nPNG = bytes.fromhex({PNG.hex()!r})\n")
            file.write(f"CALLS = {os.path.join(self.folder, 'calls')!r}\n" + textwrap.dedent(code))
        return path

    def calls(self):
        with open(os.path.join(self.folder, "calls"), encoding="utf-8") as file:
            return file.read().split()

    def test_a_batch_is_asked_together_and_nothing_twice(self):
        path = self.model(
            """
            @unigauge.serve(batch=4)
            def generate(prompts, item):
                print("a print")
                with open(CALLS, "a") as file:
                    print(len(prompts), file=file)
                return [PNG] * len(prompts)
            """
        )
        result = self.evaluate(path, limit=8)
        self.assertEqual((result.model, result.failed, result.expected), ("my_model", 0, 8))
        self.assertEqual(sum(map(int, self.calls())), 8)
        self.assertIn("4", self.calls())
        before = self.calls()
        self.evaluate(path, limit=8)
        self.assertEqual(self.calls(), before)

    def test_one_bad_item_of_a_batch_fails_alone(self):
        path = self.model(
            """
            @unigauge.serve(batch=4)
            def generate(item):
                if any(one.endswith("2") for one in item):
                    raise ValueError("no sign")
                return [PNG] * len(item)
            """
        )
        with self.assertWarnsRegex(UserWarning, "no sign"):
            result = self.evaluate(path, limit=8)
        self.assertEqual(result.failed, 1)

    def test_a_broken_gpu_fails_the_item_that_breaks_it(self):
        path = self.model(
            """
            @unigauge.serve(batch=4)
            def generate(item):
                if any(one.endswith("2") for one in item):
                    raise RuntimeError("CUDA error: device-side assert triggered")
                return [PNG] * len(item)
            """
        )
        with self.assertWarnsRegex(UserWarning, "device-side assert"):
            result = self.evaluate(path, limit=8)
        self.assertEqual(result.failed, 1)

    def test_an_item_that_hangs_fails_alone(self):
        path = self.model(
            """
            def generate(item):
                if item.endswith("2"):
                    time.sleep(600)
                return PNG
            """
        )
        with self.assertWarnsRegex(UserWarning, "did not reply within 1 s"):
            result = self.evaluate(f"{path},timeout_seconds=1", limit=4)
        self.assertEqual((result.failed, result.expected), (1, 4))

    def test_a_killed_run_goes_on(self):
        path = self.model(
            """
            def generate(item):
                with open(CALLS, "a") as file:
                    print(item, file=file)
                time.sleep(0.3)
                return PNG
            """
        )
        options = ["--model", path, "--limit", "6", "--out", self.out, "--offline", "--quiet"]
        process = subprocess.Popen(
            [os.environ["UNIGAUGE_BIN"], "run", "mini-text", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if os.path.exists(os.path.join(self.folder, "calls")) and len(self.calls()) >= 3:
                break
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        result = self.evaluate(path, limit=6)
        self.assertEqual((result.failed, result.expected), (0, 6))
        # Only the output in hand, and one that was being written, were asked for twice.
        self.assertLessEqual(len(self.calls()), 8)
        self.assertEqual(len(set(self.calls())), 6)

    def test_what_cannot_be_served_is_said_at_once(self):
        path = self.model("def one(prompt): pass\ndef two(prompt): pass\n")
        with self.assertRaisesRegex(unigauge.UnigaugeError, "several functions that could be meant"):
            self.evaluate(path)
        self.assertEqual(self.evaluate(f"{self.model('def one(item): return PNG')}:one", limit=2).failed, 0)


if __name__ == "__main__":
    unittest.main()
