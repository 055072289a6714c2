"""Edited regions and their weights as UniWorld-V1's training finds them, by OpenCV, Pillow and NumPy.

    pip install opencv-python-headless pillow numpy
    python region.py > region.json

The steps, for a target and its references of the same size:
 1. absolute difference per channel, Pillow's "L" of it, white from the threshold on;
 2. morphological closing with OpenCV's ellipse;
 3. of the 8-connected parts those with at least a share of all white;
 4. what is white for every reference; without a reference all is; with one reference that equals the target, too;
 5. an empty region of several references, and one below the least share, are errors;
 6. max-pooling without padding, and the closing again on the small mask;
 7. weight log2(x) + 1 (or 2^(sqrt(x) - 1)), x = cells / white cells, six decimals; 1 elsewhere;
 8. nearest neighbour, as torch computes it in float32, where the latents have another grid.

Masks are stored as hexadecimal digits of their bits row by row, pictures as base64 of PNG.
"""

import base64
import io
import json
import math
import sys

import cv2
import numpy as np
from PIL import Image

DEFAULTS = {
    "threshold": 18,
    "kernel": 5,
    "pooled_kernel": 5,
    "component": 0.3,
    "smallest": 0.001,
    "pool": 8,
    "function": "log",
}


class Unweighted(Exception):
    pass


def close(mask, side):
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)


def changed(target, reference, settings):
    difference = np.abs(target.astype(np.int16) - reference.astype(np.int16)).astype(np.uint8)
    luma = np.asarray(Image.fromarray(difference).convert("L"))
    mask = np.where(luma >= settings["threshold"], 255, 0).astype(np.uint8)
    mask = close(mask, settings["kernel"])
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    least = settings["component"] * np.count_nonzero(mask)
    kept = np.zeros_like(mask)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] >= least:
            kept[labels == label] = 255
    return kept


def region(target, references, settings):
    mask = np.full(target.shape[:2], 255, np.uint8)
    for reference in references:
        mask &= changed(target, reference, settings)
    share = np.count_nonzero(mask) / mask.size
    if share == 0 and len(references) == 1:
        mask[:] = 255
    elif share == 0:
        raise Unweighted("nothing")
    elif share < settings["smallest"]:
        raise Unweighted("too small")
    pool = settings["pool"]
    rows, columns = mask.shape[0] // pool, mask.shape[1] // pool
    small = mask[: rows * pool, : columns * pool].reshape(rows, pool, columns, pool).max(axis=(1, 3))
    small = close(np.ascontiguousarray(small), settings["pooled_kernel"])
    inside = np.count_nonzero(small)
    if inside == 0:
        raise Unweighted("nothing")
    x = small.size / inside
    weight = math.log2(x) + 1 if settings["function"] == "log" else 2 ** (math.sqrt(x) - 1)
    return mask, small, round(weight, 6)


def nearest(small, width, height):
    def places(to, of):
        scale = np.float32(of) / np.float32(to)
        return np.minimum((np.arange(to, dtype=np.float32) * scale).astype(np.int64), of - 1)

    return small[places(height, small.shape[0])][:, places(width, small.shape[1])]


def bits(mask):
    return np.packbits((mask > 0).reshape(-1)).tobytes().hex()


def png(picture):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


random = np.random.default_rng(10)


def base(width, height):
    """A background with a slow gradient, so that pictures stay small."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = random.integers(60, 190, 3)
    picture += (np.arange(width) // 6).astype(np.uint8)[None, :, None]
    return picture


def drawn(picture, count, kinds=("rectangle", "ellipse"), faint=False):
    height, width = picture.shape[:2]
    picture = picture.copy()
    for _ in range(count):
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        w, h = int(random.integers(1, width // 3 + 2)), int(random.integers(1, height // 3 + 2))
        color = [int(c) for c in random.integers(0, 256, 3)]
        if faint:
            color = [int(c) + int(random.integers(-30, 31)) for c in picture[y, x]]
        color = [min(max(c, 0), 255) for c in color]
        if random.choice(kinds) == "rectangle":
            cv2.rectangle(picture, (x, y), (x + w, y + h), color, -1)
        else:
            cv2.ellipse(picture, (x, y), (w, h), int(random.integers(0, 180)), 0, 360, color, -1)
    return picture


def speckled(picture, share, strength=255):
    noise = random.integers(-strength, strength + 1, picture.shape)
    at = random.random(picture.shape[:2]) < share
    return np.where(at[..., None], np.clip(picture + noise, 0, 255), picture).astype(np.uint8)


def cases():
    sizes = [(64, 64), (48, 72), (83, 61), (100, 100), (56, 40), (33, 95), (77, 77), (120, 64)]
    for number, (width, height) in enumerate(sizes):
        before = drawn(base(width, height), 3)
        yield "shapes", drawn(before, 1), [before], {}
        yield "many shapes", drawn(before, 5), [before], {}
        yield "faint shapes", drawn(before, 3, faint=True), [before], {"function": "exp"}
        if number % 2 == 0:
            yield "two references", drawn(before, 2), [before, drawn(before, 1)], {}
            yield "speckles", speckled(before, 0.01), [before], {"component": 0.05, "pooled_kernel": 3}
    before = drawn(base(40, 40), 2)
    yield "dense speckles", speckled(before, 0.3), [before], {}
    yield "weak noise", speckled(before, 1.0, 30), [before], {}
    yield "three references", drawn(before, 3), [before, drawn(before, 1), drawn(before, 1)], {}
    yield "no reference", before, [], {}
    yield "equal to the reference", before, [before], {}
    yield "equal to both references", before, [before, before], {}
    yield "equal to one of two references", before, [before, drawn(before, 2)], {}
    one = drawn(base(100, 90), 1)
    dot = one.copy()
    dot[50, 50] ^= 255
    yield "one pixel", dot, [one], {}
    yield "one pixel that counts", dot, [one], {"smallest": 0.0001}
    corner = one.copy()
    corner[0, 0:4] ^= 255
    corner[-2:, -4:] ^= 255
    yield "corners", corner, [one], {}
    edge = one.copy()
    edge[88:90] ^= 255
    yield "only in the dropped rows", edge, [one], {}
    for step in (17, 18, 19):
        flat = np.full((32, 32, 3), 100, np.uint8)
        lighter = flat.copy()
        lighter[8:20, 4:14] += step
        yield f"luma {step}", lighter, [flat], {"pool": 4, "pooled_kernel": 1}
    channel = np.full((32, 32, 3), 100, np.uint8)
    blue = channel.copy()
    blue[3:9, 3:12, 2] += 155
    red = channel.copy()
    red[3:9, 3:12, 0] += 60
    yield "blue", blue, [channel], {"pool": 4, "pooled_kernel": 3}
    yield "red", red, [channel], {"pool": 4, "pooled_kernel": 3}
    for kernel, pooled_kernel in ((1, 1), (3, 1), (3, 3), (7, 3), (9, 5), (11, 7)):
        small = {"kernel": kernel, "pooled_kernel": pooled_kernel, "pool": 4, "component": 0.1}
        before = drawn(base(47, 50), 2)
        yield f"kernels {kernel} and {pooled_kernel}", speckled(drawn(before, 2), 0.03), [before], small


known = {}


def name(picture):
    """Pictures that come again are stored once."""
    return known.setdefault(png(picture), len(known))


records = []
for title, target, references, changes in cases():
    settings = DEFAULTS | changes
    record = {
        "title": title,
        "target": name(target),
        "references": [name(reference) for reference in references],
        "settings": changes,
    }
    try:
        mask, small, weight = region(target, references, settings)
    except Unweighted as error:
        record["error"] = str(error)
    else:
        other = [int(n) for n in random.integers(1, 24, 2)]
        record |= {
            "mask": bits(mask),
            "grid": [small.shape[1], small.shape[0]],
            "pooled": bits(small),
            "weight": weight,
            "other_grid": other,
            "other": bits(nearest(small, *other)),
        }
    records.append(record)
json.dump({"pictures": list(known), "cases": records}, sys.stdout, indent=0)
print()
