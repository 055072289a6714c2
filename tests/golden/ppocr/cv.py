"""Writes cv.json: what OpenCV 5.0 and pyclipper 1.4 give on small inputs.

    pip install opencv-python-headless==5.0.0.93 pyclipper==1.4.0 numpy
    python cv.py
"""

import json
from pathlib import Path

import cv2
import numpy as np
import pyclipper

rng = np.random.default_rng(11)
picture = rng.integers(0, 256, (9, 13, 3), dtype=np.uint8)
smooth = cv2.GaussianBlur(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8), (9, 9), 3)


def flat(image):
    return {"width": image.shape[1], "height": image.shape[0], "pixels": image.ravel().tolist()}


def crop(quad, width, height):
    target = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    matrix = cv2.getPerspectiveTransform(np.float32(quad), target)
    out = cv2.warpPerspective(
        smooth, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC
    )
    return {"quad": quad, **flat(out)}


def blobs():
    bitmap = np.zeros((30, 44), np.uint8)
    cv2.ellipse(bitmap, (12, 12), (11, 7), 25, 0, 360, 1, -1)
    cv2.ellipse(bitmap, (11, 12), (4, 2), 10, 0, 360, 0, -1)
    bitmap[0:6, 34:44] = 1
    bitmap[2:4, 38:41] = 0
    bitmap[20:30, 0:3] = 1
    bitmap[22, 20:41] = 1
    bitmap[27, 30] = 1
    for i in range(9):
        bitmap[14 + i // 2, 26 + i] = 1
    return bitmap


def rectangle(points):
    rect = cv2.minAreaRect(np.array(points, np.int32).reshape(-1, 1, 2))
    return {"corners": cv2.boxPoints(rect).tolist(), "shorter_side": min(rect[1])}


def widened(quad, distance):
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(np.float32(quad), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    return rectangle(offset.Execute(distance)[0])


def widen_cases():
    cases = []
    for quad in (
        [[10, 10], [110, 10], [110, 30], [10, 30]],
        [[40.6, 12.2], [140.9, 40.7], [134.2, 64.5], [33.9, 36.0]],
        [[5, 90], [300, 20], [306, 46], [11, 116]],
        [[10, 10], [16, 10], [16, 14], [10, 14]],
    ):
        p = np.array(quad, np.float32).astype(float)
        q = np.roll(p, -1, axis=0)
        area = abs((p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1]).sum()) / 2
        distance = area * 1.6 / np.linalg.norm(p - q, axis=1).sum()
        cases.append({"quad": quad, **widened(quad, distance)})
    return cases


bitmap = blobs()
contours, _ = cv2.findContours(bitmap * 255, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
golden = {
    "picture": flat(picture),
    "resized": [flat(cv2.resize(picture, size)) for size in ((26, 18), (5, 4), (20, 6), (1, 1), (13, 9))],
    "smooth": flat(smooth),
    "crops": [
        crop([[10, 8], [40, 8], [40, 20], [10, 20]], 30, 12),
        crop([[8, 10], [48, 16], [46, 28], [6, 22]], 40, 12),
        crop([[0, 2], [58, 0], [59, 30], [2, 39]], 58, 37),
    ],
    "bitmap": {"width": bitmap.shape[1], "cells": bitmap.ravel().tolist()},
    "contours": [{"points": c.reshape(-1, 2).tolist(), **rectangle(c)} for c in contours],
    "widened": widen_cases(),
}
Path(__file__).with_name("cv.json").write_text(json.dumps(golden) + "\n")
