"""BAGEL-7B-MoT behind vLLM-Omni: pictures from texts, edits of one picture, and answers to questions.

Start vLLM-Omni:  vllm serve ByteDance-Seed/BAGEL-7B-MoT --omni --port 8000
Then:             unigauge run SUITE --model configs/examples/vllm-omni-bagel.py

vLLM-Omni documents BAGEL behind the chat API, with the model's own marks around the prompt. Look at the first pictures
before a long run: with some versions of vLLM-Omni, BAGEL did not follow the prompt.

Sent: POST /v1/chat/completions with the prompt, the input images as data URLs, the wanted modality, and seed and
sampling settings in `extra_body`.
"""

import base64
import os
import sys
import time

import unigauge
from unigauge.servers import Server, as_json

SERVER = os.environ.get("VLLM_OMNI_SERVER", "http://127.0.0.1:8000")
# The longest time for one answer. The program waits for 600 seconds.
SECONDS = float(os.environ.get("VLLM_OMNI_SECONDS", "540"))
ask = Server(SERVER).ask

MODEL = "ByteDance-Seed/BAGEL-7B-MoT"
SAMPLING = {"num_inference_steps": 50, "cfg_text_scale": 4.0, "cfg_img_scale": 1.5}
# An edit has the size that the server derives from the input image.
DRAW = {**SAMPLING, "height": 1024, "width": 1024}
EDIT = SAMPLING
# The likeliest text, of at most so many tokens.
ANSWER = {"max_tokens": 1024, "temperature": 0.0}



@unigauge.serve(images="path")
def generate(prompt, seed, images, task):
    if task == "understand":
        marks = "<|image_pad|>\n" * len(images)
        text = f"<|im_start|>user\n{marks}{prompt}<|im_end|>\n<|im_start|>assistant\n"
        fields = {"modalities": ["text"], "seed": seed, **ANSWER}
    else:
        text = f"<|im_start|>{prompt}<|im_end|>"
        sampling = EDIT if task == "edit" else DRAW
        fields = {"modalities": ["image"], "extra_body": {**sampling, "seed": seed}}
    content = [{"type": "text", "text": text}]
    content += [{"type": "image_url", "image_url": {"url": data_url(path)}} for path in images]
    body = {"model": MODEL, "messages": [{"role": "user", "content": content}], **fields}
    told = as_json(ask("/v1/chat/completions", time.monotonic() + SECONDS, body))
    if told.get("error"):
        raise RuntimeError(f"vLLM-Omni answered with an error: {told['error']}")
    choices = told.get("choices") or []
    contents = [choice["message"].get("content") for choice in choices]
    if task == "understand":
        answer = only([content for content in contents if isinstance(content, str) and content.strip()], "texts")
        # An answer that the limit of tokens has cut says "length".
        return unigauge.Reply(answer, extra={"finish_reason": choices[0].get("finish_reason")})
    parts = [part for content in contents if isinstance(content, list) for part in content]
    urls = [part["image_url"]["url"] for part in parts if part.get("type") == "image_url"]
    url = only(urls, "pictures")
    if not url.startswith("data:image/"):
        raise RuntimeError(f"the picture is at {url[:80]!r}, not in the answer")
    try:
        return base64.b64decode(url.partition("base64,")[2], validate=True)
    except ValueError as error:
        raise ValueError(f"the picture is broken base64 ({error})") from None


def data_url(path):
    """An input image as a data URL."""
    with open(path, "rb") as file:
        content = file.read()
    kind = "png" if content.startswith(b"\x89PNG") else "webp" if content[8:12] == b"WEBP" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def only(answers, what):
    """The one answer."""
    if len(answers) != 1:
        raise RuntimeError(f"vLLM-Omni answered with {len(answers)} {what}, not one")
    return answers[0]


try:
    ask("/v1/models", time.monotonic() + 10)
except (OSError, RuntimeError) as problem:
    print(f"vLLM-Omni does not answer at {SERVER}: {problem}; start it, or set VLLM_OMNI_SERVER", file=sys.stderr)
    sys.exit(2)
