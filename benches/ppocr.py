"""Pages per second: the Python package and our observer in turn, on the same pictures, models and cores.

    pip install rapidocr-onnxruntime==1.4.4 onnxruntime opencv-python-headless pillow
    cargo bench --profile dev --config profile.dev.package.unigauge.opt-level=3 --bench ppocr --no-run     (prints the program's path)
    python benches/ppocr.py PROGRAM MODELS PICTURES [ROUNDS]

MODELS holds the package's three .onnx files and libonnxruntime.so.*; both sides read and decode the files.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from rapidocr_onnxruntime import RapidOCR


def ours(program, models, pictures):
    out = subprocess.run([program, models, pictures, "1"], check=True, capture_output=True, text=True)
    return float(out.stdout.split()[0])


def theirs(engine, pictures):
    files = sorted(p for p in Path(pictures).iterdir() if p.suffix in (".png", ".jpg"))
    engine(str(files[0]))
    start = time.perf_counter()
    for file in files:
        engine(str(file))
    return len(files) / (time.perf_counter() - start)


def main():
    program, models, pictures = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    engine = RapidOCR()
    pairs = []
    for _ in range(rounds):
        pairs.append((theirs(engine, pictures), ours(program, models, pictures)))
        print(f"package {pairs[-1][0]:.3f}  ours {pairs[-1][1]:.3f}  ratio {pairs[-1][1] / pairs[-1][0]:.2f}", flush=True)
    package, own = (statistics.median(side) for side in zip(*pairs))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"median pages/s: package {package:.3f}, ours {own:.3f}; median ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
