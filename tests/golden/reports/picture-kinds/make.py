"""`python3 make.py`, with Pillow and pyarrow: the pictures and tables of this folder.

`kinds` holds pictures that decoding changes or that are no ordinary files; `tiff` holds kinds of TIFF, `tiff-src` what Pillow
reads of those that are read; `table` holds tables with a whole and a cut picture.
"""
import base64
import io
import json
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageChops

here = Path(__file__).parent
for folder in ("kinds", "tiff", "tiff-src", "table"):
    (here / folder).mkdir(exist_ok=True)


def ramp(size=(48, 32)):
    """Colours that differ everywhere."""
    red = Image.linear_gradient("L").resize(size)
    green = red.transpose(Image.Transpose.FLIP_LEFT_RIGHT).rotate(90, expand=True).resize(size)
    return Image.merge("RGB", (red, green, ImageChops.invert(red)))


rgb = ramp()


def saved(picture, name, **options):
    picture.save(here / name, **options)


# What decoding changes, one change a file.
saved(rgb.convert("RGBA"), "kinds/opaque_0.png")
saved(rgb, "kinds/plain_0.jpg")
deep = Image.new("I;16", (32, 32), 30000)
saved(deep, "kinds/deep_0.png")
saved(rgb.convert("CMYK"), "kinds/cmyk_0.jpg")
frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
saved(frames[0], "kinds/apng_0.png", save_all=True, append_images=frames[1:], duration=100)
saved(frames[0], "kinds/moving_0.webp", save_all=True, append_images=frames[1:], duration=100, lossless=True)
sheer = rgb.quantize(16)
saved(sheer, "kinds/sheer_0.gif", transparency=0)
keyed = rgb.copy()
keyed.putpixel((3, 3), (1, 2, 3))
saved(keyed, "kinds/keyed_0.png", transparency=(1, 2, 3))
exif = Image.Exif()
exif[0x0112] = 8
saved(rgb, "kinds/turned_0.webp", exif=exif, lossless=True)
saved(frames[0], "kinds/pages_0.tiff", save_all=True, append_images=frames[1:])


def with_tag(name, tag, value, entry_type=3):
    """The TIFF with another value of a tag of one number."""
    data = bytearray((here / name).read_bytes())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] == tag:
            struct.pack_into("<HIHH", data, entry + 2, entry_type, 1, value, 0)
    (here / name).write_bytes(data)


# Kinds of TIFF that are read, with what Pillow reads.
half = rgb.convert("RGBA")
half.putalpha(Image.linear_gradient("L").resize(rgb.size))
read = {
    "rgb": (rgb, {}),
    "grey": (rgb.convert("L"), {}),
    "bits": (rgb.convert("1"), {}),
    "lzw": (rgb, {"compression": "tiff_lzw"}),
    "deflate": (rgb, {"compression": "tiff_adobe_deflate"}),
    "packbits": (rgb, {"compression": "packbits"}),
    "fax": (rgb.convert("1"), {"compression": "group4"}),
    "jpeg": (rgb, {"compression": "jpeg"}),
    "cmyk": (rgb.convert("CMYK"), {}),
    "alpha": (half, {}),
}
for name, (picture, options) in read.items():
    saved(picture, f"tiff/{name}_0.tiff", **options)
    back = Image.open(here / f"tiff/{name}_0.tiff")
    back.load()
    if back.mode == "RGBA":
        back = Image.alpha_composite(Image.new("RGBA", back.size, "white"), back)
    saved(back.convert("RGB"), f"tiff-src/{name}.png")
# The colours are multiplied by the alpha: the same picture as `alpha`.
multiplied = Image.merge("RGBA", [ImageChops.multiply(band, half.getchannel("A")) for band in half.split()[:3]] + [half.getchannel("A")])
saved(multiplied, "tiff/associated_0.tiff")
with_tag("tiff/associated_0.tiff", 338, 1)
saved(Image.open(here / "tiff-src/alpha.png"), "tiff-src/associated.png")
# White is 0.
saved(ImageChops.invert(rgb.convert("L")), "tiff/inverted_0.tiff")
with_tag("tiff/inverted_0.tiff", 262, 0)
saved(rgb.convert("L").convert("RGB"), "tiff-src/inverted.png")

# Kinds that are not.
saved(rgb.quantize(16), "tiff/palette_0.tiff")
saved(rgb.convert("F"), "tiff/float_0.tiff")
saved(rgb.convert("I"), "tiff/integer_0.tiff")
saved(rgb.convert("LAB"), "tiff/lab_0.tiff")
saved(rgb.convert("YCbCr"), "tiff/ycbcr_0.tiff")
three = rgb.tobytes()
floats = struct.pack(f"<{len(three)}f", *(value / 255 for value in three))
entries = [(256, 4, 1, 48), (257, 4, 1, 32), (258, 3, 3, None), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, None), (277, 3, 1, 3), (278, 4, 1, 32), (279, 4, 1, len(floats)), (339, 3, 3, None)]
end = 8 + 2 + 12 * len(entries) + 4
places = {258: end, 339: end + 6, 273: end + 12}
head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
for tag, kind, count, value in entries:
    value = places.get(tag, value)
    head += struct.pack("<HHIHH", tag, kind, count, value, 0) if kind == 3 and count == 1 else struct.pack("<HHII", tag, kind, count, value)
head += struct.pack("<I", 0) + struct.pack("<3H", 32, 32, 32) + struct.pack("<3H", 3, 3, 3)
(here / "tiff/rgb-float_0.tiff").write_bytes(head + floats)

# Formats that are not read at all.
saved(rgb, "tiff/picture_0.avif")
saved(rgb, "tiff/picture_0.jp2")

# Tables.
def encoded(format, **options):
    file = io.BytesIO()
    rgb.save(file, format, **options)
    return file.getvalue()


def cut(data):
    return data[: len(data) * 6 // 10]


whole = encoded("PNG")
rows = [("1", whole), ("2", cut(encoded("JPEG"))), ("3", cut(encoded("WEBP", lossless=True))), ("4", encoded("GIF"))]
with open(here / "table/rows.jsonl", "w") as file:
    for index, data in rows:
        text = base64.b64encode(data).decode()
        file.write(json.dumps({"index": index, "image": text, "question": "How many boats?", "answers": ["2"]}) + "\n")
table = {
    "index": [index for index, _ in rows],
    "image": [{"bytes": data, "path": None} for _, data in rows],
    "question": ["How many boats?"] * len(rows),
    "answers": ["2"] * len(rows),
}
pq.write_table(pa.table(table), here / "table/rows.parquet")
