"""Any picture that a model returns becomes a file; nothing is guessed.

What is taken for a picture:

- an image of Pillow, of any mode that has a meaning in RGB;
- a numpy array, or whatever becomes one (a tensor of torch, on any device): (height, width),
  (height, width, channels) or (channels, height, width) with 1, 3 or 4 channels; bytes 0..255 (uint8), or
  floats in 0..1;
- a path, or the bytes of a PNG, JPEG or WebP file, which are kept as they are.
"""

from __future__ import annotations

import os
import sys
from typing import Any, List, Tuple

from . import _png
from ._errors import PictureError

#: How far a float may be outside of 0..1. It rounds to the same byte as the nearest end.
_SLACK = 1e-3
_CHANNELS = (1, 3, 4)
_ADVICE = "give uint8 in 0..255, or floats in 0..1"


def write(picture: Any, folder: str, stem: str) -> str:
    """Writes a picture into a folder, and gives the path of the file.

    Args:
        picture: What a model returned.
        folder: A folder that exists.
        stem: The name of the file without its extension. A path that the model returned stays where it is.

    Raises:
        PictureError: If it is not a picture, or not one that has a single meaning in RGB.
    """
    if isinstance(picture, (str, os.PathLike)):
        return _existing(os.fspath(picture))
    if isinstance(picture, (bytes, bytearray, memoryview)):
        content = bytes(picture)
        return _save(content, folder, f"{stem}.{_extension(content)}")
    if is_pillow(picture):
        path = os.path.join(folder, f"{stem}.png")
        # A profile of another colour space would make viewers show other colours.
        _to_rgb(picture).save(path, "PNG", icc_profile=None)
        return path
    if is_array(picture):
        return _save(_png.encode(_rgb_array(picture)), folder, f"{stem}.png")
    raise PictureError(
        f"returned {_kind(picture)}, which is not a picture; a picture is an image of Pillow, an array of numpy, a "
        "tensor, a path, or the bytes of a PNG or JPEG file"
    )


def is_pillow(value: Any) -> bool:
    """Whether a value is an image of Pillow."""
    return all(hasattr(value, name) for name in ("mode", "convert", "save", "getextrema"))


def is_array(value: Any) -> bool:
    """Whether a value is an array of numpy or becomes one: a tensor of torch, an array of JAX."""
    return hasattr(value, "shape") and (hasattr(value, "__array__") or hasattr(value, "detach"))


def is_picture(value: Any) -> bool:
    """Whether a value is a single picture, and not a list of pictures."""
    if isinstance(value, (str, os.PathLike, bytes, bytearray, memoryview)) or is_pillow(value):
        return True
    return is_array(value) and len(value.shape) < 4


def _kind(value: Any) -> str:
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return "None" if value is None else f"a value of type {module}{kind.__qualname__}"


def _existing(path: str) -> str:
    if not os.path.isfile(path):
        shown = path if len(path) <= 80 else path[:80] + "…"
        raise PictureError(f"returned the text {shown!r}, which is not the path of a file")
    return os.path.abspath(path)


def _save(content: bytes, folder: str, name: str) -> str:
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def _extension(content: bytes) -> str:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    raise PictureError(f"returned {len(content)} bytes that begin with {content[:8]!r}, not a PNG, JPEG or WebP file")


# Images of Pillow


def _to_rgb(image: Any) -> Any:
    """The image in RGB. Transparency and numbers of unknown range are errors."""
    width, height = image.size
    if width < 1 or height < 1:
        raise PictureError(f"returned an image of {width}x{height} pixels")
    mode = image.mode
    if mode == "RGB":
        return image
    if mode.startswith("I;16"):
        # Pillow's own conversion to 8 bits cuts off instead of scaling.
        scaled = image.convert("I").point(lambda value: value * (1 / 257) + 0.5)
        return scaled.convert("L").convert("RGB")
    if mode in ("F", "I"):
        raise PictureError(f"returned an image of mode {mode} with values in {image.getextrema()}; convert it to RGB")
    if "A" in mode or "a" in mode or "transparency" in image.info:
        return _opaque(image.convert("RGBA"), mode)
    try:
        return image.convert("RGB")
    except ValueError as error:
        raise PictureError(f"returned an image of mode {mode}, which Pillow cannot convert to RGB ({error})") from error


def _opaque(image: Any, mode: str) -> Any:
    lowest, _ = image.getchannel("A").getextrema()
    _refuse_transparent(int(lowest), f"an image of mode {mode}")
    return image.convert("RGB")


def _refuse_transparent(lowest: int, what: str) -> None:
    if lowest < 255:
        raise PictureError(
            f"returned {what} with transparent pixels (alpha from {lowest}); put it on a background and give RGB"
        )


# Arrays


def _rgb_array(value: Any) -> Any:
    """The picture as uint8 of shape (height, width, 3)."""
    array = _as_numpy(value)
    array = _to_bytes(_channels_last(array), array)
    channels = array.shape[2]
    if channels == 4:
        _refuse_transparent(int(array[:, :, 3].min()), f"an array of shape {_shape(value)}")
        array = array[:, :, :3]
    if channels == 1:
        array = array.repeat(3, axis=2)
    return array


def _as_numpy(value: Any) -> Any:
    """The array of numpy. A tensor leaves the device and its graph first; half precision becomes float."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if value.is_floating_point():
            value = value.float()
        value = value.numpy()
    numpy = sys.modules.get("numpy")
    if numpy is not None and not isinstance(value, numpy.ndarray):
        value = numpy.asarray(value)
    return value


def _shape(value: Any) -> Tuple[int, ...]:
    return tuple(int(side) for side in value.shape)


def _channels_last(array: Any) -> Any:
    """The array with the shape (height, width, channels)."""
    shape = _shape(array)
    if 0 in shape:
        raise PictureError(f"returned an array of shape {shape}, which has no pixels")
    if len(shape) == 4 and shape[0] == 1:
        return _channels_last(array[0])
    if len(shape) == 2:
        return array[:, :, None]
    if len(shape) != 3:
        raise PictureError(f"returned an array of shape {shape}; a picture is {_shapes_known()}")
    first, last = shape[0] in _CHANNELS, shape[2] in _CHANNELS
    if first and last:
        raise PictureError(
            f"returned an array of shape {shape}, where both the first and the last side can be the channels; "
            "give an image of Pillow instead"
        )
    if not (first or last):
        raise PictureError(f"returned an array of shape {shape}; a picture is {_shapes_known()}")
    return array if last else array.transpose(1, 2, 0)


def _shapes_known() -> str:
    return "(height, width), (height, width, channels) or (channels, height, width) with 1, 3 or 4 channels"


def _to_bytes(array: Any, original: Any) -> Any:
    """The array as uint8, contiguous, without guessing what its numbers mean."""
    kind = str(array.dtype)
    shape = _shape(original)
    if kind == "uint8":
        return array.copy(order="C")
    if not kind.startswith("float"):
        lowest, highest = array.min(), array.max()
        raise PictureError(f"returned an array of type {kind} and shape {shape} in {lowest}..{highest}; {_ADVICE}")
    array = array.astype("float64")
    lowest, highest = float(array.min()), float(array.max())
    # A comparison with NaN is false.
    if not lowest <= highest or highest == float("inf") or lowest == float("-inf"):
        wrong = _count_not_finite(array)
        raise PictureError(
            f"returned an array of shape {shape} with {wrong} of {array.size} numbers that are NaN or infinite"
        )
    if lowest < -_SLACK or highest > 1 + _SLACK:
        raise PictureError(f"returned floats in {lowest:.6g}..{highest:.6g} (shape {shape}); {_ADVICE}")
    return (array * 255).round().clip(0, 255).astype("uint8", order="C")


def _count_not_finite(array: Any) -> int:
    # x − x is 0 for finite numbers only. `!=` is true for NaN.
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return int(((array - array) != 0).sum())


def pictures_of(value: Any) -> List[Any]:
    """The list of pictures or texts in what a function returned: a list, a tuple, an array with one more axis,
    or the output of a diffusers pipeline (its `images`)."""
    images = getattr(value, "images", None)
    if images is not None and not is_picture(value):
        value = images
    if is_array(value) and len(value.shape) == 4:
        return [value[index] for index in range(int(value.shape[0]))]
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value]
