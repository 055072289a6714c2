"""The example models that talk to servers, against fakes that check each request and answer as the servers do."""

import base64
import email.parser
import email.policy
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import support
from support import Parent, black_png, size_of_png

EXAMPLES = os.path.join(support.ROOT, "configs", "examples")
#: Texts that would break a request that is put together from texts.
PROMPT = 'a "red" door\nwith %seed% and <|im_end|>'
#: Larger than what 32 bits with a sign hold.
SEED = 4_000_000_000


class Wrong(Exception):
    """A request that the real server would refuse or misunderstand."""


class Answer:
    """What a fake says: JSON or bytes, perhaps cut or late."""

    def __init__(self, content, status=200, cut=None, wait=0.0):
        self.status = status
        self.content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.kind = "image/png" if isinstance(content, bytes) else "application/json"
        self.cut = cut
        self.wait = wait


class Fake:
    """A server on the loopback interface. `answer` gets method, path and body of each request."""

    def __init__(self, case):
        self.seen = []
        self.wrong = []
        self.fault = None
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.handle_with(b"")

            def do_POST(self):
                self.handle_with(self.rfile.read(int(self.headers["Content-Length"])))

            def handle_with(self, body):
                fake.seen.append((self.command, self.path))
                try:
                    answer = fake.answer(self.command, self.path, self.headers.get("Content-Type"), body)
                except (Wrong, KeyError, ValueError, TypeError) as error:
                    fake.wrong.append(f"{self.command} {self.path}: {error!r}")
                    answer = Answer({"detail": str(error)}, 400)
                time.sleep(answer.wait)
                try:
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.kind)
                    self.send_header("Content-Length", str(len(answer.content)))
                    self.end_headers()
                    self.wfile.write(answer.content[: answer.cut])
                except OSError:
                    pass

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        case.addCleanup(thread.join)
        case.addCleanup(self.server.server_close)
        case.addCleanup(self.server.shutdown)

    def paths(self):
        return [path for _, path in self.seen]


def expect(what, condition):
    if not condition:
        raise Wrong(what)


def fields(body, kind, names):
    """The JSON of a request, which must have exactly these fields."""
    expect(f"content type {kind}", kind == "application/json")
    told = json.loads(body)
    expect(f"fields {sorted(told)}", sorted(told) == sorted(names))
    return told


class ComfyUi(Fake):
    """ComfyUI's routes /system_stats, /upload/image, /prompt, /queue, /interrupt, /history and /view."""

    def __init__(self, case):
        super().__init__(case)
        self.uploads = {}
        self.jobs = {}
        self.pictures = {}
        self.stopped = []

    def answer(self, method, path, kind, body):
        route = urllib.parse.urlsplit(path)
        if (method, path) == ("GET", "/system_stats"):
            return Answer({"system": {"os": "posix", "comfyui_version": "0.3.60"}, "devices": []})
        if (method, path) == ("POST", "/upload/image"):
            return self.upload(kind, body)
        if (method, path) == ("POST", "/prompt"):
            return self.prompt(fields(body, kind, ["prompt", "client_id"]))
        if (method, path) == ("GET", "/queue"):
            waiting = [[0, job, graph, {}, []] for job, (graph, left) in self.jobs.items() if left > 0]
            return Answer({"queue_running": waiting[:1], "queue_pending": waiting[1:]})
        if method == "POST" and path in ("/queue", "/interrupt"):
            self.stopped.append((path, json.loads(body)))
            return Answer(b"")
        if method == "GET" and path.startswith("/history/"):
            return self.history(path[len("/history/") :])
        if method == "GET" and route.path == "/view":
            query = {key: values[0] for key, values in urllib.parse.parse_qs(route.query, True).items()}
            expect(f"query {query}", sorted(query) == ["filename", "subfolder", "type"])
            picture = self.pictures[query["filename"], query["subfolder"], query["type"]]
            if self.fault == "page":
                return Answer(b"<html>not here</html>")
            return Answer(picture, cut=20 if self.fault == "cut" else None)
        raise Wrong("no such route")

    def upload(self, kind, body):
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        parts = [(part.get_param("name", header="content-disposition"), part) for part in form.iter_parts()]
        expect(f"form {[name for name, _ in parts]}", [name for name, _ in parts] == ["image"])
        name = parts[0][1].get_filename()
        expect(f"file {name}", re.fullmatch(r"[\w.-]+\.png", name))
        self.uploads[name] = parts[0][1].get_payload(decode=True)
        return Answer({"name": name, "subfolder": "", "type": "input"})

    def prompt(self, told):
        graph = told["prompt"]
        if self.fault == "refused":
            error = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"}
            node = {"1": {"errors": [{"message": "Value not in list", "details": "ckpt_name: 'sd_xl' not in []"}]}}
            return Answer({"error": {**error, "details": "", "extra_info": {}}, "node_errors": node}, 400)
        if self.fault == "broken":
            return Answer({"detail": "no memory"}, 500)
        kinds = {node["class_type"]: node["inputs"] for node in graph.values()}
        for node in graph.values():
            for value in node["inputs"].values():
                expect(f"a link to {value}", not isinstance(value, list) or value[0] in graph)
        expect("the seed", kinds["KSampler"]["seed"] == SEED)
        texts = [node["inputs"]["text"] for node in graph.values() if node["class_type"] == "CLIPTextEncode"]
        expect(f"texts {texts}", texts == [PROMPT, ""])
        prefix = kinds["SaveImage"]["filename_prefix"]
        expect(f"prefix {prefix}", re.fullmatch(r"unigauge/[0-9a-f]{32}", prefix))
        if "LoadImage" in kinds:
            picture = self.uploads[kinds["LoadImage"]["image"]]
        else:
            picture = black_png(kinds["EmptyLatentImage"]["width"])
        job = f"job-{len(self.jobs)}"
        folder, name = prefix.split("/")
        place = {"filename": f"{name}_00001_.png", "subfolder": folder, "type": "output"}
        self.pictures[place["filename"], folder, "output"] = picture
        self.jobs[job] = [graph, {"never": 10**9, "lost": 0}.get(self.fault, 2)]
        self.place = place
        return Answer({"prompt_id": job, "number": len(self.jobs), "node_errors": {}})

    def history(self, job):
        state = self.jobs[job]
        state[1] -= 1
        if state[1] > 0 or self.fault == "lost":
            return Answer({})
        preview = {"filename": "preview.png", "subfolder": "", "type": "temp"}
        outputs = {"7": {"images": [self.place]}, "9": {"images": [preview]}, "10": {"text": ["done"]}}
        status = {"status_str": "success", "completed": True, "messages": [["execution_start", {"prompt_id": job}]]}
        if self.fault == "none":
            outputs = {"10": {"text": ["done"]}}
        if self.fault == "two":
            outputs["8"] = {"images": [self.place]}
        if self.fault == "failed":
            error = {"node_id": "5", "node_type": "KSampler", "exception_message": "out of memory", "traceback": []}
            status = {"status_str": "error", "completed": False, "messages": [["execution_error", error]]}
            outputs = {}
        if self.fault == "interrupted":
            status = {"status_str": "error", "completed": False, "messages": [["execution_interrupted", {}]]}
        return Answer({job: {"prompt": [], "outputs": outputs, "status": status, "meta": {}}})


class WebUi(Fake):
    """The routes /sdapi/v1/txt2img, img2img, sd-models and interrupt of Stable Diffusion web UI."""

    COMMON = ["prompt", "negative_prompt", "seed", "steps", "cfg_scale", "sampler_name", "batch_size", "n_iter"]
    COMMON += ["width", "height", "send_images", "save_images"]

    def answer(self, method, path, kind, body):
        if (method, path) == ("GET", "/sdapi/v1/sd-models"):
            return Answer([{"title": "sd_xl_base_1.0", "model_name": "sd_xl_base_1.0"}])
        if (method, path) == ("POST", "/sdapi/v1/interrupt"):
            return Answer({})
        expect("no such route", (method, path[:-7]) == ("POST", "/sdapi/v1/"))
        edit = path.endswith("img2img")
        told = fields(body, kind, self.COMMON + (["init_images", "denoising_strength"] if edit else []))
        expect("the prompt", told["prompt"] == PROMPT and told["seed"] == SEED)
        expect("one picture", (told["batch_size"], told["n_iter"], told["send_images"]) == (1, 1, True))
        size = (told["width"], told["height"])
        if edit:
            expect("the input image", [base64.b64decode(image) for image in told["init_images"]] == [black_png(30)])
            # 30 is no multiple of 8.
            expect(f"size {size}", size == (24, 24))
        if self.fault == "broken":
            error = {"error": "OutOfMemoryError", "detail": "", "body": "", "errors": "CUDA out of memory"}
            return Answer(error, 500)
        picture = base64.b64encode(black_png(size[0])).decode()
        info = {"seed": told["seed"], "all_seeds": [told["seed"]], "sd_model_name": "sd_xl_base_1.0"}
        images = {"none": [], "null": None, "two": [picture] * 2, "base64": ["iVBORw0K*"], "page": ["PGh0bWw+"]}
        if self.fault == "seed":
            info["seed"] = 1
        reply = {"images": images.get(self.fault, [picture]), "parameters": {}, "info": json.dumps(info)}
        cut, wait = (40 if self.fault == "cut" else None), (3.0 if self.fault == "slow" else 0.0)
        return Answer(reply, cut=cut, wait=wait)


class Omni(Fake):
    """The chat API of vLLM-Omni, as its documentation has it for BAGEL."""

    def answer(self, method, path, kind, body):
        if (method, path) == ("GET", "/v1/models"):
            return Answer({"object": "list", "data": [{"id": "ByteDance-Seed/BAGEL-7B-MoT"}]})
        expect("no such route", (method, path) == ("POST", "/v1/chat/completions"))
        ask = json.loads(body)
        pictures = ask["modalities"] == ["image"]
        more = ["extra_body"] if pictures else ["seed", "max_tokens", "temperature"]
        fields(body, kind, ["model", "messages", "modalities", *more])
        expect("the model", ask["model"] == "ByteDance-Seed/BAGEL-7B-MoT")
        (message,) = ask["messages"]
        text, *images = message["content"]
        for image in images:
            expect("the input image", image == {"type": "image_url", "image_url": {"url": data_url(black_png(30))}})
        if self.fault == "broken":
            return Answer({"error": {"message": "engine died", "type": "InternalServerError", "code": 500}}, 500)
        if pictures:
            expect(f"text {text}", text == {"type": "text", "text": f"<|im_start|>{PROMPT}<|im_end|>"})
            sampling = ask["extra_body"]
            expect("the seed", sampling["seed"] == SEED and sampling["num_inference_steps"] == 50)
            expect("the size", ("width" in sampling) == (not images))
            url = data_url(black_png(30 if images else sampling["width"]))
            if self.fault == "base64":
                url = "data:image/png;base64,iVBORw0K*"
            content = [{"type": "image_url", "image_url": {"url": url}, "stage_durations": {}}]
        else:
            marks = "<|image_pad|>\n" * len(images)
            due = f"<|im_start|>user\n{marks}{PROMPT}<|im_end|>\n<|im_start|>assistant\n"
            expect(f"text {text}", text["text"] == due and ask["seed"] == SEED)
            content = "It is red."
        if self.fault in ("none", "empty"):
            content = {"none": None, "empty": " "}[self.fault]
        message = {"role": "assistant", "content": content}
        reply = {"id": "chatcmpl-1", "object": "chat.completion", "model": ask["model"], "usage": {}}
        reply["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
        cut, wait = (40 if self.fault == "cut" else None), (3.0 if self.fault == "slow" else 0.0)
        return Answer(reply, cut=cut, wait=wait)


def data_url(picture):
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


class Examples(unittest.TestCase):
    def model(self, fake, file, name, seconds="30"):
        """The example as a running model that asks this fake."""
        own = {f"{name}_SERVER": fake.url, f"{name}_SECONDS": seconds}
        with open(os.path.join(EXAMPLES, file), encoding="utf-8") as code:
            with unittest.mock.patch.dict(os.environ, own):
                model = Parent(self, code.read())
        self.assertEqual(model.reply(), {"ready": True})
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.input = os.path.join(folder.name, "input.png")
        with open(self.input, "wb") as image:
            image.write(black_png(30))
        return model

    def picture(self, model, side, **keys):
        """Asks for a picture, which must have this size."""
        reply = model.ask(prompt=PROMPT, seed=SEED, **keys)
        self.assertNotIn("error", reply)
        self.assertEqual(size_of_png(reply["image"]), (side, side))
        return reply

    def fails(self, fake, model, faults, **keys):
        """Each fault is the error of its request, with these words; the next request is answered."""
        for fault, words in faults.items():
            fake.fault = fault
            reply = model.ask(prompt=PROMPT, seed=SEED, **keys)
            self.assertEqual(sorted(reply), ["error", "id"], fault)
            self.assertIn(words, reply["error"], fault)
        fake.fault = None
        self.assertEqual(fake.wrong, [])

    def test_comfyui(self):
        fake = ComfyUi(self)
        model = self.model(fake, "comfyui.py", "COMFYUI")
        self.picture(model, 1024)
        self.picture(model, 30, task="edit", images=[self.input])
        self.assertEqual(fake.wrong, [])
        self.assertEqual(list(fake.uploads.values()), [black_png(30)])
        self.assertEqual(fake.stopped, [])
        self.assertIn("no questions", model.ask(task="understand", prompt=PROMPT, seed=SEED)["error"])
        too_many = model.ask(task="edit", prompt=PROMPT, seed=SEED, images=[self.input] * 2)["error"]
        self.assertIn("the workflow has no %image2%", too_many)
        self.assertIn("has %image%, but the item", model.ask(task="edit", prompt=PROMPT, seed=SEED)["error"])
        faults = {
            "refused": "ckpt_name: 'sd_xl' not in []",
            "broken": "/prompt answered 500",
            "failed": "node 5 (KSampler): out of memory",
            "interrupted": "the job was interrupted",
            "none": "the job saved 0 pictures",
            "two": "the job saved 2 pictures",
            "cut": "the answer of",
            "page": "not a PNG, JPEG or WebP file",
            "lost": "no longer knows the job",
        }
        self.fails(fake, model, faults)
        self.picture(model, 1024)

    def test_a_queue_of_comfyui_that_never_ends(self):
        fake = ComfyUi(self)
        model = self.model(fake, "comfyui.py", "COMFYUI", seconds="0.5")
        self.fails(fake, model, {"never": "within 0.5 seconds"})
        self.assertEqual(fake.stopped, [("/interrupt", {"prompt_id": "job-0"})])
        # A job that waits behind another one is taken from the queue.
        self.fails(fake, model, {"never": "within 0.5 seconds"})
        self.assertEqual(fake.stopped[1:], [("/queue", {"delete": ["job-1"]})])

    def test_automatic1111(self):
        fake = WebUi(self)
        model = self.model(fake, "automatic1111.py", "AUTOMATIC1111")
        reply = self.picture(model, 1024)
        self.assertEqual(reply["extra"], {"server": {"sd_model_name": "sd_xl_base_1.0"}})
        self.picture(model, 24, task="edit", images=[self.input])
        self.assertEqual(fake.wrong, [])
        self.assertIn("one input image", model.ask(task="edit", prompt=PROMPT, seed=SEED)["error"])
        self.assertIn("no questions", model.ask(task="understand", prompt=PROMPT, seed=SEED)["error"])
        faults = {
            "broken": "CUDA out of memory",
            "none": "0 pictures",
            "null": "0 pictures",
            "two": "2 pictures",
            "base64": "broken base64",
            "page": "not a PNG, JPEG or WebP file",
            "cut": "the answer of",
            "seed": "the picture has the seed 1",
        }
        for keys in ({}, {"task": "edit", "images": [self.input]}):
            self.fails(fake, model, faults, **keys)
        self.picture(model, 1024)

    def test_a_slow_automatic1111_is_interrupted(self):
        fake = WebUi(self)
        model = self.model(fake, "automatic1111.py", "AUTOMATIC1111", seconds="0.5")
        self.fails(fake, model, {"slow": "no picture within 0.5 seconds"})
        self.assertEqual(fake.paths()[-1], "/sdapi/v1/interrupt")

    def test_bagel_behind_vllm_omni(self):
        fake = Omni(self)
        model = self.model(fake, "vllm-omni-bagel.py", "VLLM_OMNI")
        self.picture(model, 1024)
        self.picture(model, 30, task="edit", images=[self.input])
        for images in ([], [self.input]):
            reply = model.ask(prompt=PROMPT, seed=SEED, task="understand", images=images)
            self.assertEqual((reply.get("text"), reply["extra"]), ("It is red.", {"finish_reason": "stop"}), reply)
        self.assertEqual(fake.wrong, [])
        faults = {
            "broken": "engine died",
            "none": "0 pictures",
            "base64": "broken base64",
            "cut": "the answer of",
        }
        self.fails(fake, model, faults)
        self.fails(fake, model, {"none": "0 texts", "empty": "0 texts"}, task="understand")
        slow = self.model(fake, "vllm-omni-bagel.py", "VLLM_OMNI", seconds="0.5")
        self.fails(fake, slow, {"slow": "within the time limit"})

    def test_a_server_that_is_not_there_ends_the_model_at_once(self):
        fake = Omni(self)
        fake.server.server_close()
        for file, name in (("comfyui.py", "COMFYUI"), ("automatic1111.py", "AUTOMATIC1111")):
            with open(os.path.join(EXAMPLES, file), encoding="utf-8") as code:
                with unittest.mock.patch.dict(os.environ, {f"{name}_SERVER": fake.url}):
                    model = Parent(self, code.read())
            self.assertEqual(model.end(), 2)
            self.assertIn(f"or set {name}_SERVER", model.said())


class WithTheProgram(unittest.TestCase):
    """Runs `unigauge generate` with an example, as a user does."""

    def generate(self, fake, file, name):
        support.need_program()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        item = {"id": "a", "prompt": PROMPT, "expect": {"answers": ["red"]}}
        suite = 'name = "s"\nversion = "1"\ntitle = "S"\ntask = "text-to-image"\n\n'
        suite += '[items]\nfile = "items.jsonl"\n\n[grade]\nrule = "contains"\n'
        for path, text in (("s.toml", suite), ("items.jsonl", json.dumps(item) + "\n")):
            with open(os.path.join(folder.name, path), "w", encoding="utf-8") as target:
                target.write(text)
        own = {f"{name}_SERVER": fake.url, "UNIGAUGE_PYTHON": sys.executable}
        command = [os.environ["UNIGAUGE_BIN"], "generate", "./s.toml", "--out", "out"]
        command += ["--model", os.path.join(EXAMPLES, file)]
        own = {**support.environment(), **own}
        ended = subprocess.run(
            command, cwd=folder.name, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        run = os.path.join(folder.name, "out", "s", os.path.splitext(file)[0], "seed0")
        records = []
        if os.path.exists(os.path.join(run, "outputs.jsonl")):
            with open(os.path.join(run, "outputs.jsonl"), encoding="utf-8") as lines:
                records = [json.loads(line) for line in lines]
        return ended.returncode, ended.stdout.decode(), records

    def test_pictures_and_errors_are_recorded(self):
        global SEED
        for file, name, kind in (
            ("comfyui.py", "COMFYUI", ComfyUi),
            ("automatic1111.py", "AUTOMATIC1111", WebUi),
            ("vllm-omni-bagel.py", "VLLM_OMNI", Omni),
        ):
            fake = kind(self)
            # The seed that the program makes of the run, the item and the repeat.
            with unittest.mock.patch(f"{__name__}.SEED", AnySeed()):
                code, said, records = self.generate(fake, file, name)
                self.assertEqual((code, fake.wrong), (0, []), said)
                self.assertEqual([(record["width"], record["height"]) for record in records], [(1024, 1024)])
                self.assertEqual(SEED.seen, {records[0]["seed"]})
                fake.fault = "broken"
                code, said, records = self.generate(fake, file, name)
                self.assertEqual(code, 5, said)
                self.assertIn("answered 500", records[0]["error"]["message"])
                self.assertNotIn("file", records[0])

    def test_a_server_that_is_not_there_ends_the_run(self):
        fake = ComfyUi(self)
        fake.server.server_close()
        code, said, records = self.generate(fake, "comfyui.py", "COMFYUI")
        self.assertEqual((code, records), (6, []), said)
        self.assertIn("ComfyUI does not answer at", said)


class AnySeed:
    """Equal to each seed, and remembers what it was compared with."""

    def __init__(self):
        self.seen = set()

    def __eq__(self, other):
        self.seen.add(other)
        return True


if __name__ == "__main__":
    unittest.main()
