"""The protocol: nothing that a model does on its streams disturbs it, and an error is that of one item."""

import json
import os
import signal
import time
import unittest

from support import PNG, Parent

HEAD = f"""
import os, sys, subprocess, unigauge
PNG = bytes.fromhex("{PNG.hex()}")
"""


class Streams(unittest.TestCase):
    def test_prints_of_all_kinds_go_to_standard_error(self):
        model = Parent(
            self,
            HEAD
            + """
import ctypes
print("while loading")

@unigauge.serve
def generate(prompt):
    print("a print of Python")
    sys.stdout.write('{"id": "a#1", "text": "forged"}\\n')
    os.write(1, b"a write to descriptor 1\\n")
    os.system("echo a shell")
    subprocess.run(["sh", "-c", "echo a child"])
    try:
        ctypes.CDLL(None).puts(b"a print of C")
        ctypes.CDLL(None).fflush(None)
    except (OSError, AttributeError):
        print("a print of C")
    for step in range(3):
        print(f"\\r{step}/3", end="")
    return PNG
""",
        )
        self.assertEqual(model.reply(), {"ready": True})
        for _ in range(2):
            self.assertTrue(model.ask()["image"].endswith("output.png"))
        self.assertEqual(model.end(), 0)
        for words in ("while loading", "of Python", "descriptor 1", "a shell", "a child", "a print of C", "forged"):
            self.assertIn(words, model.said())
        self.assertIsNone(model.lines.get(timeout=5))

    def test_input_and_children_eat_no_request(self):
        model = Parent(
            self,
            HEAD
            + """
@unigauge.serve
def generate(prompt):
    seen = os.read(0, 100) + subprocess.run(["cat"], stdout=subprocess.PIPE).stdout
    try:
        seen += input().encode()
    except EOFError:
        pass
    assert not seen, seen
    return PNG
""",
        )
        model.reply()
        requests = [model.request() for _ in range(3)]
        for request in requests:
            model.send(request)
        self.assertEqual([model.reply()["id"] for _ in requests], [request["id"] for request in requests])

    def test_a_fork_that_comes_back_replies_nothing(self):
        model = Parent(
            self,
            HEAD
            + """
@unigauge.serve
def generate(prompt):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    elif prompt == "raise":
        raise ValueError("in the child")
    return PNG
""",
        )
        model.reply()
        for prompt in ("return", "raise", "return"):
            self.assertIn("image", model.ask(prompt=prompt))
        model.end()
        self.assertIsNone(model.lines.get(timeout=5))

    def test_a_child_left_behind_holds_no_stream(self):
        model = Parent(
            self,
            HEAD
            + """
@unigauge.serve
def generate(prompt):
    subprocess.Popen(["sleep", "5"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return PNG
""",
        )
        model.reply()
        model.ask()
        before = time.monotonic()
        model.end()
        self.assertIsNone(model.lines.get(timeout=2))
        self.assertLess(time.monotonic() - before, 4)

    def test_signals_of_schedulers_do_not_end_it(self):
        model = Parent(self, HEAD + "@unigauge.serve\ndef generate(prompt):\n    return PNG\n")
        model.reply()
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGINT):
            os.killpg(model.process.pid, number)
        self.assertIn("image", model.ask())
        self.assertEqual(model.end(), 0)

    def test_other_lines_are_skipped(self):
        model = Parent(self, HEAD + "@unigauge.serve\ndef generate(prompt):\n    return PNG\n")
        model.reply()
        for line in (b"\n", b"what?\n", b"[]\n", b"{}\n", b'{"requests": [1]}\n', b"\xff\n"):
            model.process.stdin.write(line)
        model.process.stdin.flush()
        self.assertIn("image", model.ask())
        model.end()
        self.assertIn("a line without a request is skipped", model.said())

    def test_a_script_of_its_own_serves_with_run(self):
        code = HEAD + "@unigauge.serve\ndef generate(prompt, seed):\n    return PNG\n\ngenerate.run()\n"
        model = Parent(self, code, module=False)
        self.assertEqual(model.reply(), {"ready": True})
        self.assertIn("image", model.ask())


class Errors(unittest.TestCase):
    def test_an_error_names_type_message_and_line(self):
        model = Parent(
            self,
            HEAD
            + """
@unigauge.serve
def generate(prompt):
    if prompt == "bad":
        raise ValueError("no \\ud800 cat\\nhere")
    if prompt == "exit":
        sys.exit(3)
    if prompt == "deep":
        import json
        json.loads("{")
    return PNG
""",
        )
        model.reply()
        with open(model.path, encoding="utf-8") as file:
            line = 1 + file.read().splitlines().index('        raise ValueError("no \\ud800 cat\\nhere")')
        self.assertEqual(model.ask(prompt="bad")["error"], f"ValueError: no ? cat\nhere (my_model.py:{line})")
        self.assertEqual(model.ask(prompt="exit")["error"], f"SystemExit: 3 (my_model.py:{line + 2})")
        self.assertIn("(my_model.py:", model.ask(prompt="deep")["error"])
        self.assertIn("image", model.ask())
        model.end()
        self.assertIn("Traceback", model.said())

    def test_a_wrong_answer_is_an_error_of_the_item(self):
        model = Parent(
            self,
            HEAD
            + """
@unigauge.serve
def generate(prompt, task):
    return eval(prompt)
""",
        )
        model.reply()
        for prompt, words in {
            "None": "returned None, which is not a picture",
            "3": "returned a value of type int",
            "[]": "returned 0 answers for one prompt",
            "[PNG, PNG]": "returned 2 answers for one prompt",
            "'a cat'": "'a cat', which is not the path of a file",
            "b'GIF89a'": "not a PNG, JPEG or WebP file",
        }.items():
            self.assertIn(words, model.ask(prompt=prompt)["error"], prompt)
        self.assertIn("return text", model.ask(prompt="PNG", task="understand")["error"])
        self.assertEqual(model.ask(prompt="'a cat'", task="understand")["text"], "a cat")
        self.assertIn("image", model.ask(prompt="[PNG]"))
        with_remarks = "unigauge.Reply(PNG, timings={'draw': 1}, extra={'steps': 3})"
        reply = model.ask(prompt=with_remarks)
        self.assertEqual((reply["timings"], reply["extra"]), ({"draw": 1.0}, {"steps": 3}))
        no_form = "unigauge.Reply(PNG, extra={'steps': {1}})"
        self.assertIn("no JSON form", model.ask(prompt=no_form)["error"])

    def test_a_broken_gpu_is_reported_and_the_process_ends(self):
        model = Parent(
            self,
            HEAD
            + """
class AcceleratorError(RuntimeError): pass
class OutOfMemoryError(RuntimeError): pass

@unigauge.serve
def generate(prompt):
    if prompt == "large":
        raise OutOfMemoryError("CUDA out of memory. CUDA error: out of memory")
    raise AcceleratorError("CUDA error: device-side assert triggered")
""",
        )
        model.reply()
        self.assertIn("out of memory", model.ask(prompt="large")["error"])
        last = model.ask()
        self.assertIn("device-side assert", last["error"])
        self.assertIs(last["last"], True)
        self.assertIsNone(model.lines.get(timeout=20))
        self.assertEqual(model.end(), 1)


class Batches(unittest.TestCase):
    CODE = (
        HEAD
        + """
@unigauge.serve(batch=4)
def generate(prompts, seeds, images, repeat):
    print("called with", len(prompts))
    assert len(prompts) == len(seeds) == len(images) == len(repeat) <= 4
    if "bad" in prompts:
        raise ValueError("bad prompt")
    if prompts[0] == "short":
        return [PNG] * (len(prompts) - 1)
    if prompts[0] == "one":
        return PNG
    return [b"no picture" if prompt == "nothing" else PNG for prompt in prompts]
"""
    )

    def test_batches_and_single_requests(self):
        model = Parent(self, self.CODE)
        self.assertEqual(model.reply(), {"ready": True, "batch": 4})
        self.assertTrue(all("image" in reply for reply in model.ask_batch({}, {}, {})))
        self.assertIn("image", model.ask())
        self.assertTrue(all("image" in reply for reply in model.ask_batch({})))
        model.end()
        self.assertEqual(model.said().split("called with ")[1:], ["3\n", "1\n", "1\n"])

    def test_one_bad_request_fails_alone(self):
        model = Parent(self, self.CODE)
        model.reply()
        good, bad, other = model.ask_batch({}, {"prompt": "bad"}, {})
        self.assertIn("image", good)
        self.assertIn("image", other)
        self.assertRegex(bad["error"], r"ValueError: bad prompt \(my_model.py:\d+\)")

    def test_one_bad_picture_fails_alone_and_the_batch_is_not_repeated(self):
        model = Parent(self, self.CODE)
        model.reply()
        good, bad = model.ask_batch({}, {"prompt": "nothing"})
        self.assertIn("image", good)
        self.assertIn("not a PNG", bad["error"])
        model.end()
        self.assertEqual(model.said().count("called with"), 1)

    def test_a_list_of_the_wrong_length(self):
        model = Parent(self, self.CODE)
        model.reply()
        first, second = model.ask_batch({"prompt": "short"}, {})
        self.assertIn("returned 0 answers for 1 prompt", first["error"])
        self.assertIn("image", second)
        first, second = model.ask_batch({"prompt": "one"}, {})
        self.assertIn("image", first)
        self.assertIn("image", second)
        model.end()
        self.assertIn("returned 1 answer for 2 prompts", model.said())

    def test_a_function_of_single_requests_takes_a_batch_line(self):
        model = Parent(self, HEAD + "def generate(prompt):\n    return PNG\n")
        self.assertEqual(model.reply(), {"ready": True})
        self.assertTrue(all("image" in reply for reply in model.ask_batch({}, {})))

    def test_a_broken_gpu_leaves_a_batch_to_a_fresh_process(self):
        code = HEAD + "@unigauge.serve(batch=2)\ndef generate(prompt):\n    raise RuntimeError('CUDA error: assert')\n"
        model = Parent(self, code)
        model.reply()
        model.send({"requests": [model.request(), model.request()]})
        self.assertIsNone(model.lines.get(timeout=20))
        self.assertEqual(model.end(), 1)
        self.assertIn("CUDA error: assert", model.said())
        model = Parent(self, code)
        model.reply()
        self.assertIn("CUDA error", model.ask_batch({})[0]["error"])
        self.assertEqual(model.end(), 1)


class ModelFiles(unittest.TestCase):
    def fails(self, code, *words, function=""):
        model = Parent(self, code)
        model.end()
        if function:
            model = Parent(self, code)
        self.assertEqual(model.process.returncode, 2)
        self.assertIsNone(model.lines.get(timeout=5))
        for word in words:
            self.assertIn(word, model.said())

    def test_which_function_is_meant(self):
        two = "def one(prompt): pass\ndef two(prompt): pass\n"
        self.fails(two, "several functions", "one, two", "my_model.py:one")
        self.fails("import os\n_x = 1\ndef _hidden(prompt): pass\n", "no public function")
        self.fails("def generate(text, seed): pass\n", "'text', which gets no value", "prompt, seed, images")
        self.fails("def generate(): pass\n", "takes nothing of a request")
        self.fails("async def generate(prompt): pass\n", "ordinary function")

    def test_a_decorated_function_goes_before_public_ones(self):
        code = HEAD + "def helper(x): return PNG\n@unigauge.serve\ndef generate(prompt, steps=3): return helper(1)\n"
        self.assertEqual(Parent(self, code).reply(), {"ready": True})

    def test_a_named_function(self):
        import support

        code = "def one(prompt): return 'one'\ndef two(prompt): return 'two'\n"
        model = Parent(self, code)
        model.end()
        process = support.subprocess.run(
            [support.sys.executable, "-m", "unigauge._run_model", f"{model.path}:two"],
            input=json.dumps(model.request(task="understand")).encode(),
            stdout=support.subprocess.PIPE,
            env=support.environment(),
            check=True,
        )
        self.assertEqual(json.loads(process.stdout.splitlines()[1])["text"], "two")

    def test_keyword_arguments_of_any_name(self):
        code = "def generate(**request): return ' '.join(sorted(request))\n"
        model = Parent(self, code)
        model.reply()
        self.assertEqual(model.ask(task="understand")["text"], "images item prompt repeat seed task")

    def test_an_error_while_loading_ends_with_a_traceback(self):
        model = Parent(self, "raise RuntimeError('no weights')\n")
        self.assertEqual(model.end(), 1)
        self.assertIn("RuntimeError: no weights", model.said())


if __name__ == "__main__":
    unittest.main()
