"""`score`: pictures that are there already."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any, List, Mapping, Optional, Sequence, Union

from . import _pictures
from ._evaluate import read_result
from ._program import options, run, settings
from ._results import PathLike, Result
from ._suite import NEED_PROMPTS, Asked, read_scorers, write_suite

_EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def score(
    images: Union[PathLike, Sequence[Any], Mapping[str, Any]],
    prompts: Union[Sequence[str], Mapping[str, str], None] = None,
    scorers: Sequence[str] = ("clip-score",),
    *,
    suite: Optional[PathLike] = None,
    name: str = "pictures",
    out: PathLike = "results",
    limit: Optional[int] = None,
    set: Optional[Mapping[str, Any]] = None,
    device: Optional[str] = None,
    jobs: Optional[int] = None,
    offline: bool = False,
    quiet: bool = True,
) -> Result:
    """Scores pictures.

    With `suite`, by a benchmark: `images` is a folder in the benchmark's official layout, and the benchmark
    has its own prompts and scorers. Without it, by `scorers`: `images` is a folder, a list of pictures, or a
    dict of pictures by name. A picture is whatever a served function may return: an image of Pillow, an array,
    a tensor, a path, or the bytes of a file.

    The first scorer gives the scores and the overall number; with several, `result.metrics` has the mean of
    each, and each item's `parts` its own numbers.

    Args:
        images: The pictures.
        prompts: The prompts, in the order of the pictures, or by name. Scorers that look at the picture alone
            need none.
        scorers: "clip-score", "hpsv2", "pickscore", "aesthetic", "vqascore", "qwen-vqascore", "quality" (measures
            without a network), or `OBSERVER:KEY` for one number of an observer's evidence.
        suite: A suite's name or file.
        name: The name of the model that made the pictures.
        out: The folder of the results; the run is written to `OUT/SUITE/NAME/RUN`.
        limit: Only the first items.
        set: Options of observers and rule, such as `{"observe.hpsv2.version": "v2.0"}`.
        device: Where the networks run: "cpu", "cuda", "cuda:1".
        jobs: How many pictures are observed at the same time.
        offline: Use no network.
        quiet: Show no progress.

    Raises:
        UnigaugeError: If the program ends without results, such as when weights are not fetched.
        ValueError: If prompts and pictures do not fit together.
    """
    with tempfile.TemporaryDirectory(prefix="unigauge-") as folder:
        if suite is not None:
            if not isinstance(images, (str, os.PathLike)):
                raise ValueError("score: with `suite`, `images` is a folder in the suite's official layout")
            target, pictures = os.fspath(suite), os.fspath(images)
        else:
            pictures = os.path.join(folder, "images")
            target = _prepared(folder, pictures, images, prompts, scorers)
        arguments = [
            *("observe", "--suite", target, "--images", pictures, "--name", name, "--json"),
            *options(out=os.fspath(out), limit=limit, device=device, jobs=jobs, offline=offline, quiet=quiet),
            *options(set=settings(set)),
        ]
        return read_result(run(arguments, accepted=(0, 5), quiet=quiet), os.fspath(out))


def _prepared(folder: str, pictures: str, images: Any, prompts: Any, scorers: Sequence[str]) -> str:
    """Writes the pictures and a suite for them, and gives the suite's path."""
    found = read_scorers(scorers)
    named = _named(images)
    if prompts is None:
        needed = [one.observer for one in found if one.observer in NEED_PROMPTS]
        if needed:
            raise ValueError(f"score: {needed[0]} compares pictures with their prompts; give `prompts`")
    texts = _texts(prompts, list(named))
    os.makedirs(pictures)
    for stem, picture in named.items():
        path = _pictures.write(picture, pictures, stem)
        if os.path.dirname(path) != pictures:
            shutil.copyfile(path, os.path.join(pictures, stem + os.path.splitext(path)[1].lower()))
    return write_suite(folder, [Asked(item, text) for item, text in zip(named, texts)], found)


def _named(images: Any) -> Mapping[str, Any]:
    """The pictures by name."""
    if isinstance(images, (str, os.PathLike)):
        folder = os.fspath(images)
        if not os.path.isdir(folder):
            raise ValueError(f"score: {folder} is not a folder; a single picture goes into a list")
        files = sorted(name for name in os.listdir(folder) if name.lower().endswith(_EXTENSIONS))
        named = {os.path.splitext(name)[0]: os.path.join(folder, name) for name in files}
        if len(named) < len(files):
            raise ValueError(f"score: two pictures in {folder} differ in their extension alone")
    elif isinstance(images, Mapping):
        named = {str(key): picture for key, picture in images.items()}
    elif _pictures.is_picture(images):
        raise ValueError("score: a single picture goes into a list")
    else:
        named = {f"{index:06}": picture for index, picture in enumerate(_pictures.pictures_of(images))}
    if not named:
        raise ValueError("score: there is no picture")
    wrong = [key for key in named if os.path.basename(key) != key or key in ("", ".", "..")]
    if wrong:
        raise ValueError(f"score: {wrong[0]!r} cannot be the name of a picture")
    return named


def _texts(prompts: Union[Sequence[str], Mapping[str, str], None], names: List[str]) -> List[str]:
    """The prompts in the order of the pictures. Without prompts, a picture's name stands there."""
    if prompts is None:
        return names
    if isinstance(prompts, str):
        raise ValueError("score: `prompts` is a list with one prompt for each picture, not a single text")
    if isinstance(prompts, Mapping):
        missing = [name for name in names if name not in prompts]
        if missing:
            raise ValueError(f"score: there is no prompt for the picture {missing[0]!r}")
        return [prompts[name] for name in names]
    if len(prompts) != len(names):
        raise ValueError(f"score: {len(prompts)} prompts for {len(names)} pictures")
    return list(prompts)
