"""Stable Diffusion web UI (AUTOMATIC1111, and others with its API): pictures from texts, and edits of one picture.

Start the web UI:  ./webui.sh --api --nowebui --port 7860
Then:              unigauge run SUITE --model configs/examples/automatic1111.py

Sent: POST /sdapi/v1/txt2img with prompt, seed and DRAW; for edits, POST /sdapi/v1/img2img with the input image, its
size and EDIT. At the start: GET /sdapi/v1/sd-models, which says that the server is there. After the time limit: POST
/sdapi/v1/interrupt.
"""

import base64
import json
import os
import sys
import time

import unigauge
from unigauge.servers import Server, as_json

SERVER = os.environ.get("AUTOMATIC1111_SERVER", "http://127.0.0.1:7860")
# The longest time for one picture. The program waits for 600 seconds.
SECONDS = float(os.environ.get("AUTOMATIC1111_SECONDS", "540"))
ask = Server(SERVER).ask

# Without "override_settings", the checkpoint that is loaded answers. The record of each output names it.
# "override_settings": {"sd_model_checkpoint": "sd_xl_base_1.0.safetensors"},
COMMON = {"negative_prompt": "", "steps": 30, "cfg_scale": 7.0, "sampler_name": "Euler", "batch_size": 1, "n_iter": 1}
DRAW = {**COMMON, "width": 1024, "height": 1024}
EDIT = {**COMMON, "denoising_strength": 0.7}



@unigauge.serve(images="path")
def generate(prompt, seed, images, task):
    if task == "understand":
        raise ValueError("the web UI answers no questions")
    fields = {"prompt": prompt, "seed": seed, "send_images": True, "save_images": False}
    if task == "edit":
        if len(images) != 1:
            raise ValueError(f"img2img takes one input image, not {len(images)}")
        with open(images[0], "rb") as file:
            content = file.read()
        width, height = size_of(content)
        # The web UI works with multiples of 8.
        size = {"width": max(8, width // 8 * 8), "height": max(8, height // 8 * 8)}
        fields = {**EDIT, **fields, **size, "init_images": [base64.b64encode(content).decode()]}
        path = "/sdapi/v1/img2img"
    else:
        fields = {**DRAW, **fields}
        path = "/sdapi/v1/txt2img"
    end = time.monotonic() + SECONDS
    try:
        told = as_json(ask(path, end, fields))
    except TimeoutError:
        give_up()
        raise TimeoutError(f"no picture within {SECONDS:g} seconds") from None
    pictures = told.get("images") or []
    if len(pictures) != 1:
        raise RuntimeError(f"{path} answered with {len(pictures)} pictures, not one")
    info = json.loads(told.get("info") or "{}")
    if info.get("seed", seed) != seed:
        raise RuntimeError(f"the picture has the seed {info['seed']}, not {seed}")
    model = {key: info[key] for key in ("sd_model_name", "sd_model_hash", "version") if info.get(key)}
    return unigauge.Reply(decoded(pictures[0]), extra={"server": model} if model else {})


def decoded(text):
    """The bytes of a picture in base64; some servers send a data URL."""
    try:
        return base64.b64decode(text.rpartition("base64,")[2], validate=True)
    except ValueError as error:
        raise ValueError(f"the picture is broken base64 ({error})") from None


def size_of(content):
    """Width and height of a PNG or JPEG file."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    at = 2
    while content.startswith(b"\xff\xd8") and at + 9 < len(content) and content[at] == 0xFF:
        kind, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        # The start of a frame; C4, C8 and CC are other segments.
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(content[at + 7 : at + 9], "big"), int.from_bytes(content[at + 5 : at + 7], "big")
        at += 2 + length
    raise ValueError("the input image is neither PNG nor JPEG")


def give_up():
    """Stops what runs, so that the next picture does not wait for it."""
    try:
        ask("/sdapi/v1/interrupt", time.monotonic() + 10, {})
    except (OSError, RuntimeError) as error:
        print(f"the web UI could not be interrupted: {error}", file=sys.stderr)


try:
    ask("/sdapi/v1/sd-models", time.monotonic() + 10)
except (OSError, RuntimeError) as problem:
    print(f"The web UI does not answer at {SERVER}: {problem}; start it, or set AUTOMATIC1111_SERVER", file=sys.stderr)
    sys.exit(2)
