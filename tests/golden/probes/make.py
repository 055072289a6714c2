"""Expected values of the probes: OpenCV, numpy, scipy and scikit-image on pictures that both sides draw.

    python make.py

with numpy, scipy, scikit-image and opencv-python-headless. It writes canny.json, thin.json and measures.json beside itself.
The pictures are drawn with whole numbers only, so that the Rust tests draw the same ones. The noise of `noise` is
torch.randn's, whose generator is written out here.
"""

import hashlib
import json
import math
import struct
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr
from skimage.morphology import skeletonize

HERE = Path(__file__).parent


class Numbers:
    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit


def pattern():
    y, x = np.mgrid[:64, :64]
    red = ((x * x + 3 * y * y) // 16) % 256
    green = (7 * x + y * y // 5) % 256
    blue = np.where((x - 30) ** 2 + (y - 34) ** 2 < 400, 220, 40)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def canny(picture, channels, low, high):
    image = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if channels == "grey" else picture
    return (cv2.Canny(image, low, high, apertureSize=3, L2gradient=False) > 0).astype(np.uint8)


def short(mask):
    return hashlib.sha256(mask.astype(np.uint8).tobytes()).hexdigest()[:16]


def blocks(width, height, seed):
    n = Numbers(seed)
    side, grain = 1 + n.below(8), 1 + n.below(60)
    across = -(-width // side)
    colours = [[n.below(256) for _ in range(3)] for _ in range(across * -(-height // side))]
    picture = np.zeros((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            for c in range(3):
                picture[y, x, c] = min(255, colours[(y // side) * across + x // side][c] + n.below(grain))
    return picture


BOUNDS = [(100, 200), (50, 100), (200, 400), (20, 300)]


def random_edges():
    cases = []
    for seed in range(60):
        n = Numbers(1000 + seed)
        width, height = 3 + n.below(46), 3 + n.below(46)
        picture = blocks(width, height, seed)
        edges = [
            {"channels": channels, "bounds": list(bounds), "sha256": short(canny(picture, channels, *bounds))}
            for channels in ("rgb", "grey") for bounds in BOUNDS
        ]
        cases.append({"width": width, "height": height, "seed": seed, "edges": edges})
    return cases


def thin(mask):
    """Zhang and Suen 1984, as printed."""
    white = np.pad(mask.astype(bool), 1)
    while True:
        before = white.sum()
        for step in (0, 1):
            p = [np.roll(white, shift, (0, 1)) for shift in
                 [(1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1)]]
            count = sum(q.astype(int) for q in p)
            starts = sum((~p[i] & p[(i + 1) % 8]).astype(int) for i in range(8))
            above, right, below, left = p[0], p[2], p[4], p[6]
            if step == 0:
                free = ~(above & right & below) & ~(right & below & left)
            else:
                free = ~(above & right & left) & ~(above & below & left)
            white = white & ~(white & (count >= 2) & (count <= 6) & (starts == 1) & free)
        if white.sum() == before:
            return white[1:-1, 1:-1]


def thinned():
    cases = []
    for seed in range(12):
        n = Numbers(seed)
        width, height = 12 + n.below(20), 12 + n.below(20)
        mask = np.zeros((height, width), np.uint8)
        for _ in range(3):
            start, end = (n.below(width), n.below(height)), (n.below(width), n.below(height))
            cv2.line(mask, start, end, 1, 1 + n.below(5))
        rows = lambda m: ["".join(".#"[int(v)] for v in row) for row in m]
        cases.append({"before": rows(mask), "after": rows(thin(mask))})
    return cases


def near(these, those, radius):
    return int((these & (distance_transform_edt(~those) <= radius + 1e-9)).sum())


def f(predicted, reference, radius):
    predicted, reference = predicted.astype(bool), reference.astype(bool)
    counts = [near(predicted, reference, radius), int(predicted.sum()), near(reference, predicted, radius),
              int(reference.sum())]
    precision, recall = counts[0] / counts[1], counts[2] / counts[3]
    return counts, round(2 * precision * recall / (precision + recall), 6)


def edges():
    picture = pattern()
    reference, grey = canny(picture, "rgb", 100, 200), canny(picture, "grey", 100, 200)
    shifted = np.zeros_like(reference)
    shifted[:, 1:] = reference[:, :-1]
    thick = cv2.dilate(reference, np.ones((3, 3), np.uint8))
    return {name: {radius: f(mask, reference, radius) for radius in (0, 1)}
            for name, mask in (("grey", grey), ("shifted", shifted), ("thick", thick))}


def depth():
    z = np.array([1, 1, 2, 2, 4, 4, 5, 5], float)
    d = np.array([250, 240, 140, 130, 80, 60, 40, 52]) / 255
    scale, shift = np.polyfit(d, 1 / z, 1)
    aligned = 1 / np.maximum(scale * d + shift, 1 / 10)
    difference = np.log(aligned / z)
    constant = min(np.mean(np.abs(c - z) / z) for c in z)
    return {
        "scale": scale, "shift": shift, "abs_rel": np.mean(np.abs(aligned - z) / z),
        "delta1": float(np.mean(np.maximum(aligned / z, z / aligned) < 1.25)),
        "si_rmse": math.sqrt(np.mean(difference**2) - np.mean(difference) ** 2),
        "spearman": float(spearmanr(d, -z).statistic), "null_abs_rel": constant,
    }


def ladder():
    """Isotonic regression by its min-max formula, and the half-loss level."""
    shares = [0.975, 0.975, 0.95, 0.975, 0.9, 0.725, 0.4, 0.25, 0.1, 0.125]
    curve = [max(min(np.mean(shares[a:b + 1]) for a in range(0, i + 1)) for b in range(i, 10)) for i in range(10)]
    levels = [i / 10 for i in range(10)]
    target = (curve[0] + 0.1) / 2
    i = next(i for i in range(10) if curve[i] <= target)
    half = levels[i - 1] + 0.1 * (curve[i - 1] - target) / (curve[i - 1] - curve[i])
    return {"curve": curve, "half": half}


def assignment():
    costs = np.array([[4, 1, 3], [2, 0, 5], [3, 2, 2]])
    return [int(column) for column in linear_sum_assignment(costs)[1]]


def segments():
    truth, answer = np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.array([0, 1, 1, 1, 0, 0, 1, 0])
    iou = [((truth == c) & (answer == c)).sum() / ((truth == c) | (answer == c)).sum() for c in (0, 1)]
    return {"iou": iou, "mean": float(np.mean(iou)), "accuracy": float((truth == answer).mean())}


def randn(seed, count):
    """torch.randn on a CPU generator for 16 values or more: 24-bit uniforms and Box-Muller in blocks of 16."""
    bits = np.random.MT19937()
    bits._legacy_seeding(seed % 2**32)

    def uniform(size):
        return ((bits.random_raw(size) & 0xFFFFFF) / 2**24).astype(np.float32)

    def transform(block):
        radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - block[:8]))
        angle = np.float32(2 * np.pi) * block[8:]
        block[:8], block[8:] = radius * np.cos(angle), radius * np.sin(angle)

    values = uniform(count)
    for start in range(0, count - 15, 16):
        transform(values[start:start + 16])
    if count % 16:
        values[-16:] = uniform(16)
        transform(values[-16:])
    return values


def seed_of(source, repeat):
    digest = hashlib.sha256(b"noise" + struct.pack("<I", repeat) + source.encode()).digest()
    return int.from_bytes(digest[:4], "little")


def noise():
    picture = np.full((4, 4, 3), 200, np.uint8)
    picture[2:] = 40
    field = randn(42, 48).reshape(3, 4, 4).transpose(1, 2, 0)
    x = picture.astype(np.float32) / np.float32(127.5) - np.float32(1)
    found = {"seed": seed_of("dog-00", 0)}
    for kind, t in (("mix", 0.0), ("mix", 0.4), ("mix", 0.6), ("add", 0.4), ("add", 0.6)):
        keep = np.float32(1 - t) if kind == "mix" else np.float32(1)
        y = np.clip(keep * x + np.float32(t) * field, -1, 1)
        bytes_ = np.floor((y + np.float32(1)) * np.float32(127.5) + np.float32(0.5)).astype(np.uint8)
        found[f"{kind}{t}"] = {"sha256": short(bytes_), "red": bytes_[..., 0].flatten().tolist()}
    return found


def pattern_edges():
    picture = pattern()
    rows = {f"{channels} {low}/{high}": canny(picture, channels, low, high)
            for channels in ("rgb", "grey") for low, high in BOUNDS[:3]}
    blue = np.repeat(picture[..., 2:], 3, axis=2)
    rows["blue"] = canny(blue, "rgb", 100, 200)
    return {name: [int(mask.sum()), short(mask)] for name, mask in rows.items()}


if __name__ == "__main__":
    (HERE / "canny.json").write_text(json.dumps(random_edges()) + "\n")
    (HERE / "thin.json").write_text(json.dumps(thinned(), indent=1) + "\n")
    same = [np.array_equal(np.array([[c == "#" for c in row] for row in case["after"]]),
                           skeletonize(np.array([[c == "#" for c in row] for row in case["before"]]), method="zhang"))
            for case in thinned()]
    measures = {"pattern": pattern_edges(), "edges": edges(), "depth": depth(), "ladder": ladder(),
                "assignment": assignment(), "segments": segments(), "noise": noise(),
                "thinned_as_scikit_image": f"{sum(same)} of {len(same)}"}
    (HERE / "measures.json").write_text(json.dumps(measures, indent=1) + "\n")
