#!/usr/bin/env python3
"""Rewards of `unigauge serve rewards` for trainers: adapters for flow_grpo, TRL and verl.

    import reward_client
    "geneval": reward_client.flow_grpo("http://127.0.0.1:8080", "geneval-soft", "geneval")     # flow_grpo
    "ocr": reward_client.pair("http://127.0.0.1:8080", "ocr")                                  # its other rewards
    reward_funcs=[reward_client.trl("http://127.0.0.1:8080", "x-omni")]                        # TRL
    compute_score = reward_client.verl("http://127.0.0.1:8080", "x-omni")                      # verl, in a file of its own

Pictures are PIL images, arrays of bytes (height, width, 3), or tensors of 0 to 1 (3, height, width). They are sent as
PNG: JPEG blurs small letters and the edges of colours. A reward that is missing is never a number: flow_grpo and verl
get an error, and TRL gets None, which it leaves out. A token goes into the address: http://x:TOKEN@host:8080.
"""
import asyncio, base64, io, sys, time

import requests

#: The tasks of GenEval, which flow_grpo reports apart, and its mark for "another task".
TAGS = ("single_object", "two_object", "counting", "colors", "position", "color_attr")
OTHER = -10.0


class MissingReward(RuntimeError):
    """An output has no reward; the message says why."""


class Rewards:
    """A connection to the server. `seconds` is the longest wait for one batch, retries included."""

    def __init__(self, url, seconds=120.0):
        self.url, self.seconds, self.session = url.rstrip("/"), seconds, requests.Session()

    def ask(self, reward, outputs):
        """One result for each output: {"reward": number or None, "parts", "errors", …}."""
        end = time.monotonic() + self.seconds
        while True:
            left = max(end - time.monotonic(), 0.001)
            body = {"reward": reward, "requests": outputs, "timeout_ms": int(left * 1000)}
            # The header counts before the server has read the body.
            headers = {"X-Timeout-Ms": str(body["timeout_ms"])}
            try:
                answer = self.session.post(f"{self.url}/v1/rewards", json=body, headers=headers, timeout=left + 5)
            except requests.ConnectionError:
                # A connection that was not used for a while ends; asking twice changes nothing.
                if time.monotonic() + 1 > end:
                    raise
                time.sleep(1)
                continue
            pause = float(answer.headers.get("Retry-After", 1))
            if answer.status_code not in (429, 503) or time.monotonic() + pause > end:
                break
            time.sleep(pause)
        if answer.status_code != 200:
            raise RuntimeError(f"{self.url}: {answer.status_code}: {answer.text[:500]}")
        return answer.json()["results"]

    def numbers(self, reward, outputs):
        """The rewards alone.

        Raises MissingReward if an output has none."""
        return [number(at, result) for at, result in enumerate(self.ask(reward, outputs))]


def number(at, result):
    if result["reward"] is None:
        why = "; ".join(f"{name}: {fault['kind']}: {fault['message']}" for name, fault in result["errors"].items())
        raise MissingReward(f"output {at}: {why}")
    return result["reward"]


def png(picture):
    """The base64 of a picture's PNG file."""
    if not hasattr(picture, "save"):
        from PIL import Image

        if hasattr(picture, "detach"):
            picture = (picture.detach().float().clamp(0, 1) * 255).round().byte().cpu().permute(1, 2, 0).numpy()
        picture = Image.fromarray(picture)
    file = io.BytesIO()
    picture.convert("RGB").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def pictures(images, prompts, metadata):
    """Outputs as the server reads them. Metadata of a prompt, such as GenEval's, are what its picture must show."""
    outputs = []
    for at, (image, prompt) in enumerate(zip(images, prompts)):
        output = {"prompt": prompt, "image": png(image)}
        own = metadata[at] if metadata is not None and len(metadata) > at else None
        if own:
            output["expect"] = {key: value for key, value in own.items() if key != "prompt"}
        outputs.append(output)
    return outputs


def flow_grpo(url, soft="geneval-soft", strict="geneval"):
    """In place of flow_grpo's `geneval_score`: five values, of which the first trains."""
    client = Rewards(url)

    def make(device=None):
        def score(images, prompts, metadata, only_strict=False):
            outputs = pictures(images, prompts, metadata)
            right = client.numbers(strict, outputs)
            scores = right if only_strict else client.numbers(soft, outputs)
            tags = [own.get("tag") for own in metadata]
            groups = {tag: [r if own == tag else OTHER for r, own in zip(right, tags)] for tag in TAGS}
            return scores, right, right, groups, {tag: list(of) for tag, of in groups.items()}

        return score

    return make


def pair(url, reward):
    """In place of flow_grpo's other rewards: the scores, and nothing beside them."""
    client = Rewards(url)

    def make(device=None):
        return lambda images, prompts, metadata=None: (client.numbers(reward, pictures(images, prompts, metadata)), {})

    return make


def trl(url, reward):
    """A reward function for TRL. Completions are words or pictures; the column `expect` is sent along."""
    client = Rewards(url)

    def score(prompts, completions, expect=None, **_columns):
        outputs = []
        for at, (prompt, completion) in enumerate(zip(prompts, completions)):
            output = {"prompt": words(prompt)}
            if isinstance(completion, (str, list)):
                output["text"] = words(completion)
            else:
                output["image"] = png(completion)
            if expect is not None and expect[at]:
                output["expect"] = expect[at]
            outputs.append(output)
        results = client.ask(reward, outputs)
        for at, result in enumerate(results):
            if result["reward"] is None:
                print(f"reward {reward}: output {at}: {result['errors']}", file=sys.stderr)
        return [result["reward"] for result in results]

    score.__name__ = reward
    return score


def words(message):
    """The last words of a conversation, or the words themselves."""
    if isinstance(message, str):
        return message
    content = message[-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def verl(url, reward):
    """A `compute_score` for verl: of a picture (`solution_image`) or of words (`solution_str`)."""
    client = Rewards(url)

    async def compute_score(data_source, solution_str=None, ground_truth=None, extra_info=None, solution_image=None, **_):
        extra = extra_info or {}
        output = {"prompt": extra.get("prompt", "")}
        if solution_image is not None:
            output["image"] = png(solution_image)
        elif solution_str is not None:
            output["text"] = solution_str
        expect = extra.get("expect") or (ground_truth if isinstance(ground_truth, dict) else None)
        if expect:
            output["expect"] = expect
        return (await asyncio.to_thread(client.numbers, reward, [output]))[0]

    return compute_score
