"""`serve`: a function becomes the program side of the generator `command`."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Union, overload

from . import _arguments, _pictures
from ._errors import PictureError, broke_the_device, describe, is_ours

Json = Dict[str, Any]


@dataclass
class Reply:
    """An answer with remarks for the record of the output.

    Attributes:
        answer: The picture or the text.
        timings: Seconds by phase, such as `{"denoise": 3.1}`.
        extra: Further keys of the record, such as `{"steps": 28}`; they must have a JSON form.
    """

    answer: Any
    timings: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


class DeviceLost(Exception):
    """The GPU cannot be used by this process any more.

    Attributes:
        unanswered: The replies to requests of a batch that have none yet. One of them alone may be to blame: if
            the process ends without these replies, the program asks each alone in a fresh process.
    """

    def __init__(self, unanswered: Sequence[Json] = ()) -> None:
        super().__init__("the GPU cannot be used by this process any more")
        self.unanswered = list(unanswered)


class Served:
    """A function that answers requests; `serve` makes it. Calling it calls the function.

    Attributes:
        function: The user's function.
        batch: How many requests it takes together, or None if it takes one at a time.
    """

    def __init__(self, function: Callable[..., Any], batch: Optional[int] = None, images: str = "pillow") -> None:
        if isinstance(function, Served):
            function = function.function
        if not callable(function):
            raise TypeError(f"unigauge.serve takes a function, not {type(function).__name__}")
        if batch is not None and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
            raise ValueError(f"unigauge.serve: batch={batch!r} is not a whole number from 1")
        if images not in ("pillow", "path"):
            raise ValueError(f"unigauge.serve: images={images!r} is neither 'pillow' nor 'path'")
        self.function: Callable[..., Any] = function
        self.batch = batch
        self._images = images
        self._taken = _arguments.parameters(function, batch is not None)
        self._file = _file_of(function)
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def run(self) -> None:
        """Answers the requests on standard input until it is closed.

        A model file ends with this call only if it is started as a program of its own
        (`program = ["python3", "my_model.py"]` in a model's TOML file). `unigauge run SUITE --model my_model.py`
        calls it by itself.
        """
        from ._protocol import run

        run(self)

    def answers(self, requests: Sequence[Json]) -> Iterator[Json]:
        """The replies to requests, each as soon as it is there. An error of one request is its own reply.

        Args:
            requests: Requests of the protocol; at most `batch` of them where the function takes lists.

        Raises:
            DeviceLost: If an error made the GPU unusable for this process.
        """
        if self.batch is None:
            for request in requests:
                yield from self._one(request)
        else:
            yield from self._several(requests)

    def _one(self, request: Json) -> Iterator[Json]:
        try:
            value = _called(self.function, _arguments.single(self._taken, self._values(request)))
            reply = self._reply(request, _only(value))
        except (Exception, SystemExit) as error:
            yield self._failure(request, error)
            if broke_the_device(error):
                raise DeviceLost() from error
        else:
            yield reply

    def _several(self, requests: Sequence[Json]) -> Iterator[Json]:
        readable: List[Json] = []
        values: List[Json] = []
        for request in requests:
            try:
                values.append(self._values(request))
                readable.append(request)
            except Exception as error:
                yield self._failure(request, error)
        if not readable:
            return
        try:
            answers = _pictures.pictures_of(_called(self.function, _arguments.lists(self._taken, values)))
            if len(answers) != len(readable):
                raise PictureError(
                    f"returned {_counted(len(answers), 'answer')} for {_counted(len(readable), 'prompt')}"
                )
        except (Exception, SystemExit) as error:
            yield from self._failed_batch(readable, error)
            return
        for request, answer in zip(readable, answers):
            try:
                reply = self._reply(request, answer)
            except Exception as error:
                reply = self._failure(request, error)
            yield reply

    def _failed_batch(self, requests: Sequence[Json], error: BaseException) -> Iterator[Json]:
        """Tries each request of a batch alone, so that one bad request fails no other."""
        if len(requests) == 1:
            yield self._failure(requests[0], error)
            if broke_the_device(error):
                raise DeviceLost() from error
            return
        if broke_the_device(error):
            raise DeviceLost([self._failure(request, error) for request in requests]) from error
        _say(f"a batch of {len(requests)} failed ({describe(error, self._file)}); each request is tried alone")
        for request in requests:
            yield from self._several([request])

    def _values(self, request: Json) -> Json:
        """What the function can take of a request."""
        values = {key: request.get(key) for key in _arguments.NAMES}
        if "images" in self._taken.values():
            paths = request.get("images") or []
            values["images"] = [_opened(path) for path in paths] if self._images == "pillow" else list(paths)
        return values

    def _reply(self, request: Json, value: Any) -> Json:
        reply: Json = {"id": request["id"]}
        if isinstance(value, Reply):
            if value.timings:
                reply["timings"] = {key: float(seconds) for key, seconds in value.timings.items()}
            if value.extra:
                reply["extra"] = dict(value.extra)
            value = _only(value.answer)
        if request.get("task") == "understand":
            if not isinstance(value, str):
                raise TypeError(f"returned a value of type {type(value).__name__} for a question; return text")
            reply["text"] = value
        else:
            reply["image"] = _pictures.write(value, request["output_dir"], "output")
        return reply

    def _failure(self, request: Json, error: BaseException) -> Json:
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
        failure: Json = {"id": request["id"], "error": describe(error, self._file)}
        if broke_the_device(error):
            # This process ends, so the next request belongs to another one.
            failure["last"] = True
        return failure


@overload
def serve(function: Callable[..., Any]) -> Served: ...


@overload
def serve(*, batch: Optional[int] = ..., images: str = ...) -> Callable[[Callable[..., Any]], Served]: ...


def serve(
    function: Optional[Callable[..., Any]] = None, *, batch: Optional[int] = None, images: str = "pillow"
) -> Union[Served, Callable[[Callable[..., Any]], Served]]:
    """Turns a function into a model that unigauge can ask.

    The function takes some of these by name, and returns a picture, or text for a question:

    - `prompt` (str): exactly what the benchmark asks;
    - `seed` (int): 0 to 2³² − 1, the same each time for the same item and repeat;
    - `images` (list): the input images, as images of Pillow in RGB, upright;
    - `task` (str): "text-to-image", "edit" or "understand";
    - `item` (str): the item's id;
    - `repeat` (int): the number of the output among those of the item, from 0.

    A picture is an image of Pillow, an array of numpy or a tensor of torch (height × width × channels or
    channels × height × width; uint8, or floats in 0..1), a path, or the bytes of a PNG or JPEG file.

    Example:
        ```python
        @unigauge.serve
        def generate(prompt, seed):
            return pipe(prompt, generator=torch.Generator().manual_seed(seed)).images[0]
        ```

    Args:
        function: The function, where `serve` has no other argument.
        batch: The largest number of requests that the function takes together. Each of its arguments is then a
            list with one entry for each request, and it returns a list of the same length.
        images: "pillow", or "path" for the paths of the input images as they are.
    """
    if function is None:
        return lambda decorated: Served(decorated, batch, images)
    return Served(function, batch, images)


def _called(function: Callable[..., Any], arguments: Json) -> Any:
    """The function's value. A process that the function forked and that came back here ends."""
    process = os.getpid()
    code = 0
    try:
        return function(**arguments)
    except BaseException as error:
        code = error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1
        raise
    finally:
        if os.getpid() != process:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _only(value: Any) -> Any:
    """The answer in what a function returned for one request."""
    if isinstance(value, (str, Reply)) or _pictures.is_picture(value):
        return value
    answers = _pictures.pictures_of(value)
    if len(answers) != 1:
        raise PictureError(f"returned {_counted(len(answers), 'answer')} for one prompt")
    return answers[0]


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _opened(path: str) -> Any:
    """An input image in RGB, upright."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError(
            "the function takes `images`, but Pillow is not installed; install it (`pip install pillow`), or write "
            "serve(images='path') to get paths"
        ) from None
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _file_of(function: Callable[..., Any]) -> Optional[str]:
    """The file that a user's function was written in; None for one of this package."""
    inner = inspect.unwrap(function)
    code = getattr(inner, "__code__", None) or getattr(getattr(type(inner), "__call__", None), "__code__", None)
    file = getattr(code, "co_filename", None)
    return None if file is None or is_ours(file) else file


def _say(remark: str) -> None:
    print(f"unigauge: {remark}", file=sys.stderr, flush=True)
