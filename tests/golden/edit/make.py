"""Expected measures of edits and of quality: scikit-image, torchmetrics, OpenCV and numpy on pictures that both sides draw.

    python make.py > expected.json

with scikit-image, scipy, opencv-python-headless, torch and torchmetrics. A picture is drawn with whole numbers only, so that
the Rust test draws the same one (tests/it/edit_measures.rs).
"""

import json
import math

import cv2
import numpy as np
import torch
from scipy.ndimage import binary_erosion
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import peak_signal_noise_ratio as torch_psnr
from torchmetrics.functional.image import structural_similarity_index_measure as torch_ssim

PAIRS = 50


class Numbers:
    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit


def pair(seed):
    """A gradient with noise, and the same with a rectangle drawn over it and a little noise everywhere."""
    n = Numbers(seed)
    width, height = 16 + n.below(60), 16 + n.below(60)
    slope_x, slope_y, start, grain = n.below(9), n.below(9), n.below(256), 1 + n.below(40)
    left, top = n.below(width), n.below(height)
    right, bottom = left + 1 + n.below(width), top + 1 + n.below(height)
    colour, drift = [n.below(256) for _ in range(3)], n.below(24)
    before = np.zeros((height, width, 3), np.uint8)
    after = np.zeros((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            for c in range(3):
                value = ((x * slope_x + y * slope_y + start + 37 * c) // 2 + n.below(grain)) % 256
                before[y, x, c] = value
                if left <= x < right and top <= y < bottom:
                    value = colour[c]
                after[y, x, c] = min(255, max(0, value + n.below(2 * drift + 1) - drift))
    return before, after


def region(before, after, inside):
    """L1, L2, PSNR over some pixels; SSIM over the windows that lie wholly among them."""
    a, b = before / 255.0, after / 255.0
    difference = (a - b)[inside]
    if difference.size == 0:
        return None
    l2 = float((difference**2).mean())
    _, ssim_map = structural_similarity(
        before, after, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True)
    whole = binary_erosion(inside, np.ones((11, 11)), border_value=0)[5:-5, 5:-5]
    values = ssim_map.mean(axis=2)[5:-5, 5:-5][whole]
    return {
        "l1": float(np.abs(difference).mean()),
        "l2": l2,
        "psnr": 10 * math.log10(1 / l2) if l2 > 0 else None,
        "ssim": float(values.mean()) if values.size else None,
    }


def change(before, after, kernel):
    difference = np.abs(before.astype(int) - after.astype(int))
    luma = (difference @ np.array([19595, 38470, 7471]) + 32768) >> 16
    raw = (luma >= 18).astype(np.uint8) * 255
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel, kernel))
    closed = cv2.morphologyEx(raw, cv2.MORPH_CLOSE, element)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    white = int((closed > 0).sum())
    main = np.zeros_like(closed)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] >= 0.3 * white:
            main[labels == label] = 255
    height, width = main.shape
    cells = main[: height // 8 * 8, : width // 8 * 8].reshape(height // 8, 8, width // 8, 8).max(axis=(1, 3))
    five = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    again = cv2.morphologyEx(cells, cv2.MORPH_CLOSE, five)
    white_cells = int((again > 0).sum())
    numbers = {
        "kernel": kernel,
        "differing": int((raw > 0).sum()),
        "all": white,
        "components": count - 1,
        "main": int((main > 0).sum()),
        "cells": int((cells > 0).sum()),
        "log_weight": math.log2(again.size / white_cells) + 1 if white_cells else None,
    }
    return numbers, main > 0


def quality(picture):
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    numpy_grey = ((picture.astype(int) @ np.array([9798, 19235, 3735]) + 16384) >> 15).astype(np.uint8)
    assert (grey == numpy_grey).all()
    y = grey.astype(float)
    height, width = y.shape
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], float)
    rough = np.abs(cv2.filter2D(y, cv2.CV_64F, kernel))
    inner = np.zeros(y.shape, bool)
    inner[1:-1, 1:-1] = True
    factor = math.sqrt(math.pi / 2) / 6
    energy = cv2.Sobel(y, cv2.CV_64F, 1, 0) ** 2 + cv2.Sobel(y, cv2.CV_64F, 0, 1) ** 2
    blocks = []
    for top in range(0, height // 16 * 16, 16):
        for left in range(0, width // 16 * 16, 16):
            at = (slice(top, top + 16), slice(left, left + 16))
            blocks.append((energy[at][inner[at]].sum(), rough[at][inner[at]]))
    blocks.sort(key=lambda block: block[0])
    flat = np.concatenate([values for _, values in blocks[: math.ceil(len(blocks) / 10)]])
    r, g, b = (picture[..., c].astype(float) for c in range(3))
    rg, yb = r - g, 0.5 * (r + g) - b
    low, high = np.percentile(y, [1, 99])
    shares = np.bincount(grey.ravel(), minlength=256) / grey.size
    shares = shares[shares > 0]
    most, least = picture.max(axis=2).astype(float), picture.min(axis=2).astype(float)
    saturation = np.divide(most - least, most, out=np.zeros_like(most), where=most > 0)
    return {
        "sharpness": float(cv2.Laplacian(grey, cv2.CV_64F).var()),
        "noise": float(factor * rough[inner].mean()),
        "noise_flat": float(factor * flat.mean()),
        "dynamic_range": float((high - low) / 255),
        "clipped": float(((least <= 2) | (most >= 253)).mean()),
        "entropy": float(-(shares * np.log2(shares)).sum()),
        "contrast": float(y.std() / 255),
        "brightness": float(y.mean() / 255),
        "colorfulness": float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())),
        "saturation": float(saturation.mean()),
    }


def inner_torch_ssim(a, b):
    """torchmetrics 1.9 averages over mirrored borders, too; earlier versions, which PIE-Bench was made with, did not."""
    _, ssim_map = torch_ssim(a, b, data_range=1.0, return_full_image=True)
    return float(ssim_map[..., 5:-5, 5:-5].mean())


def expected(seed):
    before, after = pair(seed)
    numbers, main = change(before, after, 3 + seed % 8)
    a, b = (torch.from_numpy(p / 255.0).permute(2, 0, 1)[None] for p in (before, after))
    whole = region(before, after, np.ones(main.shape, bool))
    psnr = peak_signal_noise_ratio(before, after, data_range=255)
    ssim = structural_similarity(
        before, after, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    return {
        "width": before.shape[1],
        "height": before.shape[0],
        "whole": whole | {"psnr": float(psnr), "ssim": float(ssim)},
        "torchmetrics": {
            "psnr": float(torch_psnr(a, b, data_range=1.0)),
            "ssim": inner_torch_ssim(a, b),
        },
        "change": numbers,
        "inside": region(before, after, main),
        "outside": region(before, after, ~main),
        "quality": quality(after) if seed % 5 == 0 else None,
    }


if __name__ == "__main__":
    def short(value):
        if isinstance(value, dict):
            return {key: short(inner) for key, inner in value.items()}
        return float(f"{value:.12g}") if isinstance(value, float) else value

    lines = [json.dumps(short(expected(seed))) for seed in range(PAIRS)]
    print("[\n" + ",\n".join(lines) + "\n]")
