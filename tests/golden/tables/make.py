"""Tables as others write them, with tiny pictures inside.

    pip install pyarrow pandas pillow
    python make.py

hub-0.parquet, hub-1.parquet   the hub's way: a struct of bytes and path, strings in dictionaries, row groups of 2, snappy
lists.parquet                  lists of structs and of bytes, nested values, pages of version 2, zstd
vlmevalkit.tsv                 pandas with tabs: base64, a picture shared by index, quotes and line ends inside values
"""

import base64, io
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def picture(shade, format="PNG", size=(6, 4)):
    file = io.BytesIO()
    Image.new("RGB", size, (shade, 10, 200)).save(file, format)
    return file.getvalue()


struct = lambda shade, path: {"bytes": picture(shade), "path": path}
image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
for shard, ids in enumerate([[0, 1, 2], [3, 4]]):
    table = pa.table({
        "question_id": pa.array(ids, pa.int64()),
        "image": pa.array([struct(40 * i, "../../outside.png" if i == 1 else None) for i in ids], image),
        "question": [f"What is shown in {i}?" for i in ids],
        "answer": pa.array([["one", f"n{i}"] for i in ids], pa.list_(pa.string())),
        "question_type": pa.array(["colour" if i % 2 else "shape" for i in ids]).dictionary_encode(),
        "weight": pa.array([0.5 * i if i else None for i in ids]),
        "when": pa.array([i * 1000 for i in ids], pa.timestamp("ms")),
    })
    pq.write_table(table, f"hub-{shard}.parquet", row_group_size=2, compression="snappy")

table = pa.table({
    "id": ["a", "b", "c"],
    "images": pa.array([[struct(1, "x"), struct(2, "y")], [], None], pa.list_(image)),
    "raw": pa.array([picture(3, "JPEG"), None, picture(4, "BMP")], pa.large_binary()),
    "options": pa.array([["p", "q"], None, []], pa.list_(pa.large_string())),
    "nested": pa.array([{"n": 1, "list": [True, None]}, None, {"n": None, "list": []}],
                       pa.struct([("n", pa.int32()), ("list", pa.list_(pa.bool_()))])),
})
pq.write_table(table, "lists.parquet", compression="zstd", data_page_version="2.0", use_dictionary=False)

b64 = lambda shade: base64.b64encode(picture(shade)).decode()
rows = [
    {"index": 0, "image": b64(7), "question": 'Which "sign"\tis it?', "hint": "two\nlines", "A": "stop", "B": "go", "C": None, "answer": "B",
     "category": "signs", "split": "dev"},
    {"index": 1, "image": "0", "question": "Same picture?", "hint": None, "A": "yes", "B": "no", "C": "maybe", "answer": "A",
     "category": "signs", "split": "dev"},
    {"index": 2, "image": "3", "question": "A later picture?", "hint": None, "A": "yes", "B": "no", "C": None, "answer": "A",
     "category": "later", "split": "dev"},
    {"index": 3, "image": b64(9), "question": "Not asked", "hint": None, "A": "yes", "B": "no", "C": None, "answer": "A",
     "category": "later", "split": "test"},
    {"index": 4, "image": str([b64(7), b64(8)]), "question": "Two pictures?", "hint": None, "A": None, "B": None, "C": None,
     "answer": "['two', 'it\\'s 2']", "category": "open", "split": "dev"},
]
pd.DataFrame(rows).to_csv("vlmevalkit.tsv", sep="\t", index=False)
