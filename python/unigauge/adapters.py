"""Ready functions for pipelines of diffusers and for models of transformers.

    import unigauge
    model = unigauge.adapters.diffusers(pipe, num_inference_steps=28)

The result is a served function: a model file may keep it in a variable (`unigauge run SUITE --model
my_model.py`), and `unigauge.evaluate` takes it.

Each output has a torch generator of its own, on the CPU, with the output's seed. So the first noise of an
output does not depend on the device, nor on which outputs share its batch.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any, Callable, Dict, List, Optional

from ._serve import Served

__all__ = ["diffusers", "transformers", "pretrained_diffusers", "pretrained_transformers"]


def diffusers(pipe: Any, *, batch: int = 1, **call: Any) -> Served:
    """A pipeline of diffusers as a model.

    An item without input images is asked as `pipe(prompt=…, generator=…, **call)`. For an edit, the pipeline
    also gets `image`: the input image, or the list of them if there are several. Edits are made one at a
    time, since pipelines disagree about what a list of images means.

    Args:
        pipe: The pipeline, on its device.
        batch: The largest number of prompts in one call.
        **call: Further arguments of the pipeline's call, such as `num_inference_steps=28`, `height=1024`
            (pixels).

    Raises:
        TypeError: If the pipeline takes no `generator`, since its outputs could then not be repeated, or
            lacks one of the arguments in `call`.
    """
    _check_call(pipe, call)

    def generate(prompt: List[str], seed: List[int], images: List[List[Any]]) -> List[Any]:
        torch = _torch()
        generators = [torch.Generator("cpu").manual_seed(one) for one in seed]
        with torch.no_grad():
            if not any(images):
                several = len(prompt) > 1
                output = pipe(
                    prompt=prompt if several else prompt[0],
                    generator=generators if several else generators[0],
                    **call,
                )
                return list(output.images)
            pictures = []
            for text, generator, inputs in zip(prompt, generators, images):
                given = {"image": inputs[0] if len(inputs) == 1 else inputs} if inputs else {}
                pictures.extend(pipe(prompt=text, generator=generator, **given, **call).images)
            return pictures

    return Served(generate, batch)


def transformers(
    model: Any,
    processor: Any,
    *,
    batch: int = 1,
    template: Optional[Callable[[str, int], str]] = None,
    **generate: Any,
) -> Served:
    """A vision-language model of transformers as a model that answers questions.

    Images and question become one message of the user, in the checkpoint's own chat template. Decoding is
    greedy unless `do_sample=True` is given; then each output is drawn by itself with its own seed.

    Args:
        model: The model, on its device.
        processor: Its processor.
        batch: The largest number of questions in one call.
        template: Makes the model's text from the question and the number of images, for processors without a
            chat template.
        **generate: Further arguments of `model.generate`, such as `max_new_tokens=64` (512 without it).
    """
    generate.setdefault("max_new_tokens", 512)
    sampled = bool(generate.setdefault("do_sample", False))
    make_text = template or _chat_template(processor)

    def ask(texts: List[str], images: List[List[Any]]) -> List[str]:
        torch = _torch()
        # One flat list: which image belongs to which text follows from the texts.
        flat = [image for several in images for image in several]
        given: Dict[str, Any] = {"images": flat} if flat else {}
        inputs = processor(text=texts, **given, return_tensors="pt", padding=len(texts) > 1)
        inputs = inputs.to(model.device)
        dtype = getattr(model, "dtype", None)
        for key, value in list(inputs.items()):
            if dtype is not None and hasattr(value, "is_floating_point") and value.is_floating_point():
                inputs[key] = value.to(dtype)
        with torch.no_grad():
            tokens = model.generate(**inputs, **generate)
        length = inputs["input_ids"].shape[1]
        return [text.strip() for text in processor.batch_decode(tokens[:, length:], skip_special_tokens=True)]

    def answer(prompt: List[str], seed: List[int], images: List[List[Any]]) -> List[str]:
        texts = [make_text(question, len(several)) for question, several in zip(prompt, images)]
        # Images of one text only: processors disagree about lists of lists.
        if sampled or (len(texts) > 1 and len({len(several) for several in images}) > 1):
            return [_alone(ask, *one, sampled) for one in zip(texts, images, seed)]
        with _left_padding(processor):
            return ask(texts, images)

    return Served(answer, batch)


def pretrained_diffusers(
    repository: str,
    *,
    device: Optional[str] = None,
    dtype: Optional[str] = None,
    batch: int = 1,
    revision: Optional[str] = None,
    variant: Optional[str] = None,
    offload: bool = False,
    **call: Any,
) -> Served:
    """A pipeline of diffusers from a repository of the hub or a folder.

    Args:
        repository: `owner/name` on the hub, or a folder.
        device: Such as "cuda:0"; without it, a GPU if there is one, otherwise the CPU.
        dtype: Such as "bfloat16"; without it, bfloat16 on a GPU and float32 on the CPU.
        batch: The largest number of prompts in one call.
        revision: A commit or branch of the repository.
        variant: A variant of the weights' files, such as "fp16".
        offload: Keep each network on the device only while it works, for pipelines that do not fit as a whole.
        **call: Further arguments of the pipeline's call.
    """
    torch = _torch()
    from diffusers import DiffusionPipeline

    device = device or _device()
    precision = getattr(torch, dtype or _dtype(device))
    options = {key: value for key, value in (("revision", revision), ("variant", variant)) if value is not None}
    pipe = DiffusionPipeline.from_pretrained(repository, torch_dtype=precision, **options)
    pipe = pipe.to(dtype=precision)
    if offload:
        pipe.enable_model_cpu_offload(device=device)
    else:
        pipe = pipe.to(device)
    return diffusers(pipe, batch=batch, **call)


def pretrained_transformers(
    repository: str,
    *,
    device: Optional[str] = None,
    dtype: Optional[str] = None,
    batch: int = 1,
    revision: Optional[str] = None,
    **generate: Any,
) -> Served:
    """A vision-language model of transformers from a repository of the hub or a folder.

    The arguments are those of `pretrained_diffusers`; all others go to `model.generate`.
    """
    torch = _torch()
    import transformers as library

    # Before version 4.46 it had another name.
    names = ("AutoModelForImageTextToText", "AutoModelForVision2Seq")
    loader = next(getattr(library, name) for name in names if hasattr(library, name))
    device = device or _device()
    precision = getattr(torch, dtype or _dtype(device))
    options = {} if revision is None else {"revision": revision}
    model = loader.from_pretrained(repository, torch_dtype=precision, **options)
    processor = library.AutoProcessor.from_pretrained(repository, **options)
    return transformers(model.to(device=device, dtype=precision).eval(), processor, batch=batch, **generate)


def _torch() -> Any:
    import torch

    return torch


def _device() -> str:
    return "cuda" if _torch().cuda.is_available() else "cpu"


def _dtype(device: str) -> str:
    return "float32" if device.startswith("cpu") else "bfloat16"


def _check_call(pipe: Any, call: Dict[str, Any]) -> None:
    """Refuses arguments that a pipeline does not take. One that takes any may ignore them, so that there is a
    warning."""
    parameters = inspect.signature(pipe.__call__).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    name = type(pipe).__name__
    if "generator" not in parameters and not takes_any:
        raise TypeError(f"{name} takes no `generator`, so its outputs would not follow the seeds")
    unknown = ", ".join(key for key in call if key not in parameters)
    if unknown and not takes_any:
        raise TypeError(f"{name} takes no argument {unknown}")
    if unknown:
        warnings.warn(f"{name} names no argument {unknown} and may ignore it", stacklevel=3)


def _chat_template(processor: Any) -> Callable[[str, int], str]:
    def make_text(question: str, images: int) -> str:
        content: List[Dict[str, str]] = [{"type": "image"} for _ in range(images)]
        content.append({"type": "text", "text": question})
        messages = [{"role": "user", "content": content}]
        return str(processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))

    return make_text


def _alone(
    ask: Callable[[List[str], List[List[Any]]], List[str]], text: str, images: List[Any], seed: int, sampled: bool
) -> str:
    """The answer to one question. A sampled one is drawn with its seed, and the random numbers of others stay as
    they are."""
    if not sampled:
        return ask([text], [images])[0]
    torch = _torch()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ask([text], [images])[0]


class _left_padding:
    """In a batch, answers must begin at the same place, so that shorter questions are padded on the left."""

    def __init__(self, processor: Any) -> None:
        self._tokenizer = getattr(processor, "tokenizer", processor)

    def __enter__(self) -> None:
        self._side = getattr(self._tokenizer, "padding_side", None)
        if self._side is not None:
            self._tokenizer.padding_side = "left"

    def __exit__(self, *_: Any) -> None:
        if self._side is not None:
            self._tokenizer.padding_side = self._side
