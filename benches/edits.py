"""Milliseconds of the observer `edit-pixels` for a pair of 1024 x 1024 pixels, decoding aside and with it.

    pip install pillow
    cargo build --config profile.dev.package.unigauge.opt-level=3 && python benches/edits.py target/debug/unigauge
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from PIL import Image, ImageDraw, ImageFilter

PAIRS, SIDE = 24, 1024
program = pathlib.Path(sys.argv[1]).resolve()
random.seed(5)
with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    for name in ("in", "out"):
        (root / name).mkdir()
    lines = []
    for number in range(PAIRS):
        noise = Image.effect_noise((SIDE, SIDE), 60).filter(ImageFilter.GaussianBlur(2)).convert("RGB")
        left, top = random.randrange(600), random.randrange(600)
        noise.save(root / f"in/{number}.png", compress_level=1)
        ImageDraw.Draw(noise).rectangle([left, top, left + 300, top + 300], fill=(200, 40, 40))
        noise.save(root / f"out/{number}_0.png", compress_level=1)
        pixels = [value for y in range(top, top + 301) for value in (y * SIDE + left, 301)]
        lines.append(json.dumps({"id": str(number), "prompt": "edit", "images": [f"{number}.png"], "mask": pixels}))
    (root / "in/items.jsonl").write_text("\n".join(lines) + "\n")
    start = time.perf_counter()
    subprocess.run([program, "observe", "--suite", "preservation", "--items", "in/items.jsonl", "--images", "out", "--quiet"],
                   cwd=root, check=True, stdout=subprocess.DEVNULL)
    whole = time.perf_counter() - start
    evidence = (root / "results/preservation/folder/seed0/evidence.jsonl").read_text().splitlines()
    seconds = [json.loads(line)["seconds"] for line in evidence]
    print(f"{len(seconds)} pairs: whole command {1000 * whole / PAIRS:.0f} ms a pair with report, "
          f"observer {1000 * sorted(seconds)[len(seconds) // 2]:.0f} ms of a thread (median)")
