"""Writes what the Python package rapidocr 3.10.0 (PP-OCRv6 small) reads on the pictures of this folder.

    pip install rapidocr==3.10.0 onnxruntime==1.32.0
    python make_v6.py

Writes expected_v6.json: {NAME: [{"text", "score", "polygon"}]} in reading order; the pictures are make.py's.
"""

import json
from pathlib import Path

from rapidocr import RapidOCR

HERE = Path(__file__).parent


def read(engine, file):
    found = engine(str(file))
    if found.txts is None:
        return []
    return [
        {"text": text, "score": round(float(score), 6), "polygon": [[float(v) for v in p] for p in polygon]}
        for polygon, text, score in zip(found.boxes, found.txts, found.scores)
    ]


def main():
    engine = RapidOCR(params={"Global.log_level": "error"})
    files = sorted(p for p in HERE.iterdir() if p.suffix in (".png", ".jpg"))
    lines = ",\n".join(f"{json.dumps(p.name)}: {json.dumps(read(engine, p), ensure_ascii=False)}" for p in files)
    (HERE / "expected_v6.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
