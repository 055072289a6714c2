"""ComfyUI: pictures from texts, and edits of one picture, by two workflows.

Start ComfyUI:  python main.py --port 8188
Then:           unigauge run SUITE --model configs/examples/comfyui.py

Put workflows of your own below: ComfyUI writes one with "Export (API)". In each, replace the text that changes by a
placeholder: "%prompt%", "%seed%" (the whole value), "%image%" for the input image of a LoadImage node, "%image2%" for
a second one, and "%id%" in the filename_prefix of the SaveImage node, since ComfyUI does not run a workflow again
that it has just run. A workflow saves exactly one picture.

Sent, for each output: POST /upload/image (each input image), POST /prompt (the workflow), GET /history/ID and GET
/queue until it is done, GET /view (the picture). After the time limit: POST /queue and /interrupt.
"""

import json
import os
import re
import sys
import time
import urllib.parse
import uuid

import unigauge
from unigauge.servers import Server, as_json

SERVER = os.environ.get("COMFYUI_SERVER", "http://127.0.0.1:8188")
# The longest time for one picture. The program waits for 600 seconds.
SECONDS = float(os.environ.get("COMFYUI_SECONDS", "540"))
ask = Server(SERVER).ask

PLACEHOLDER = re.compile(r"%(?:prompt|seed|id|image\d*)%")

DRAW = json.loads(r"""
{
  "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd_xl_base_1.0.safetensors"}},
  "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "%prompt%"}},
  "3": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": ""}},
  "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
  "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0],
        "latent_image": ["4", 0], "seed": "%seed%", "steps": 30, "cfg": 7.0, "sampler_name": "euler",
        "scheduler": "normal", "denoise": 1.0}},
  "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
  "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "unigauge/%id%"}}
}
""")

EDIT = json.loads(r"""
{
  "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd_xl_base_1.0.safetensors"}},
  "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "%prompt%"}},
  "3": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": ""}},
  "4": {"class_type": "LoadImage", "inputs": {"image": "%image%"}},
  "5": {"class_type": "VAEEncode", "inputs": {"pixels": ["4", 0], "vae": ["1", 2]}},
  "6": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0],
        "latent_image": ["5", 0], "seed": "%seed%", "steps": 30, "cfg": 7.0, "sampler_name": "euler",
        "scheduler": "normal", "denoise": 0.7}},
  "7": {"class_type": "VAEDecode", "inputs": {"samples": ["6", 0], "vae": ["1", 2]}},
  "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "unigauge/%id%"}}
}
""")


@unigauge.serve(images="path")
def generate(prompt, seed, images, task):
    if task == "understand":
        raise ValueError("ComfyUI answers no questions")
    end = time.monotonic() + SECONDS
    values = {"%prompt%": prompt, "%seed%": seed, "%id%": uuid.uuid4().hex}
    for number, path in enumerate(images, start=1):
        values["%image%" if number == 1 else f"%image{number}%"] = upload(path, end)
    workflow = filled(EDIT if task == "edit" else DRAW, values)
    told = as_json(ask("/prompt", end, {"prompt": workflow, "client_id": values["%id%"]}))
    job = told.get("prompt_id")
    if not job:
        raise RuntimeError(f"ComfyUI took no job: {told}")
    try:
        picture = only_picture(finished(job, end))
        return ask("/view?" + urllib.parse.urlencode(picture), end)
    except TimeoutError:
        give_up(job)
        raise TimeoutError(f"no picture within {SECONDS:g} seconds") from None


def filled(workflow, values):
    """The workflow with each placeholder replaced. One without a value, or a value without one, is an error."""
    used = set()

    def value_of(name):
        used.add(name)
        return values.get(name, "")

    def fill(node):
        if isinstance(node, dict):
            return {key: fill(value) for key, value in node.items()}
        if isinstance(node, list):
            return [fill(value) for value in node]
        if not isinstance(node, str):
            return node
        if PLACEHOLDER.fullmatch(node):
            return value_of(node)
        return PLACEHOLDER.sub(lambda found: str(value_of(found.group())), node)

    result = fill(workflow)
    absent = sorted(set(values) - used - {"%id%"})
    if absent:
        raise ValueError(f"the workflow has no {', '.join(absent)}")
    unknown = sorted(used - set(values))
    if unknown:
        raise ValueError(f"the workflow has {', '.join(unknown)}, but the item has no such input image")
    return result


def upload(path, end):
    """Uploads an input image, and gives its name on the server."""
    boundary = uuid.uuid4().hex
    name = f"unigauge-{boundary}{os.path.splitext(path)[1]}"
    with open(path, "rb") as file:
        content = file.read()
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
    head += "Content-Type: application/octet-stream\r\n\r\n"
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    told = as_json(ask("/upload/image", end, body, f"multipart/form-data; boundary={boundary}"))
    if not told.get("name"):
        raise RuntimeError(f"ComfyUI took no image: {told}")
    return "/".join(part for part in (told.get("subfolder"), told["name"]) if part)


def finished(job, end):
    """The history of a job once it has ended. A job that failed, or that the server no longer knows, is an error."""
    pause = 0.05
    while True:
        # In this order: a job that ends between the two questions is in the history the next time.
        waiting = is_queued(job, end)
        history = as_json(ask(f"/history/{job}", end)).get(job)
        if history is not None:
            break
        if not waiting:
            raise RuntimeError("ComfyUI no longer knows the job; it was cleared, or the server was started again")
        time.sleep(min(pause, max(0.0, end - time.monotonic())))
        pause = min(pause * 1.5, 1.0)
    status = history.get("status") or {}
    for kind, told in status.get("messages") or []:
        if kind == "execution_error":
            raise RuntimeError(f"node {told.get('node_id')} ({told.get('node_type')}): {told.get('exception_message')}")
        if kind == "execution_interrupted":
            raise RuntimeError("the job was interrupted")
    if status.get("status_str", "success") != "success":
        raise RuntimeError(f"the job ended with the status {status.get('status_str')!r}")
    return history


def is_queued(job, end):
    """Whether a job waits or runs."""
    queue = as_json(ask("/queue", end))
    jobs = (queue.get("queue_running") or []) + (queue.get("queue_pending") or [])
    return any(job in entry[:2] for entry in jobs)


def only_picture(history):
    """The place of the one picture that a job saved. Pictures of preview nodes do not count."""
    outputs = (history.get("outputs") or {}).values()
    pictures = [picture for output in outputs for picture in output.get("images") or []]
    saved = [picture for picture in pictures if picture.get("type") == "output"] or pictures
    if len(saved) != 1:
        raise RuntimeError(f"the job saved {len(saved)} pictures, not one")
    return {key: saved[0].get(key, "") for key in ("filename", "subfolder", "type")}


def give_up(job):
    """Takes a job from the queue, so that the next one does not wait for it."""
    end = time.monotonic() + 10
    try:
        running = as_json(ask("/queue", end)).get("queue_running") or []
        if any(job in entry[:2] for entry in running):
            ask("/interrupt", end, {"prompt_id": job})
        else:
            ask("/queue", end, {"delete": [job]})
    except (OSError, RuntimeError, ValueError) as error:
        print(f"the job {job} could not be taken back: {error}", file=sys.stderr)


try:
    ask("/system_stats", time.monotonic() + 10)
except (OSError, RuntimeError) as problem:
    print(f"ComfyUI does not answer at {SERVER}: {problem}; start it, or set COMFYUI_SERVER", file=sys.stderr)
    sys.exit(2)
