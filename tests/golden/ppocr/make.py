"""Draws the pictures of this folder and writes what the Python package reads on them.

    pip install rapidocr-onnxruntime==1.4.4 onnxruntime opencv-python-headless pillow
    python make.py CJK_FONT        (for example wqy-zenhei.ttc; Latin text uses Pillow's own font)

Writes NAME.png or NAME.jpg and expected.json: {NAME: [{"text", "score", "polygon"}]} in reading order.
`python make.py CJK_FONT --only-read FOLDER` prints the same for all pictures of another folder.
"""

import json
import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rapidocr_onnxruntime import RapidOCR

HERE = Path(__file__).parent
WORDS = (
    "the old harbour sign says that boats leave every morning at seven and return before dark "
    "visitors may bring a lunch but please keep dogs on a lead near the nesting birds thank you"
).split()
CHINESE = "清晨的港口停着三条小船渔夫把网晒在木桩上孩子们沿着石阶跑下来数着远处灯塔的白光"


def latin(size):
    return ImageFont.load_default(size=size)


def cjk(size):
    return ImageFont.truetype(sys.argv[1], size)


def page(width, height, colour="white"):
    image = Image.new("RGB", (width, height), colour)
    return image, ImageDraw.Draw(image)


def wrapped(draw, words, font, left, top, right, colour="black", gap=1.35, joiner=" "):
    line, y = "", top
    for word in words:
        longer = line + joiner + word if line else word
        if draw.textlength(longer, font=font) > right - left:
            draw.text((left, y), line, font=font, fill=colour)
            line, y = word, y + font.size * gap
        else:
            line = longer
    draw.text((left, y), line, font=font, fill=colour)


def clean():
    image, draw = page(512, 512)
    draw.text((50, 60), "Hello World 2026", font=latin(40), fill="black")
    draw.text((80, 200), "OPEN DAILY", font=latin(52), fill="red")
    draw.text((300, 380), "right", font=latin(36), fill="blue")
    return image


def coloured():
    image, draw = page(800, 600, (20, 40, 70))
    draw.rectangle((80, 80, 720, 260), fill=(240, 200, 40))
    draw.text((120, 110), "GRAND MARKET", font=latin(72), fill=(150, 20, 30))
    draw.text((150, 320), "fresh bread & cheese", font=latin(44), fill=(230, 240, 250))
    draw.text((150, 430), "Price: $12.50 / kg", font=latin(40), fill=(120, 230, 140))
    return image


def rotated():
    image, draw = page(900, 640, (250, 248, 240))
    draw.text((150, 160), "This way to the lighthouse", font=latin(44), fill=(30, 30, 30))
    draw.text((180, 300), "Mind the steps 42", font=latin(56), fill=(10, 60, 120))
    return image.rotate(7, Image.BICUBIC, fillcolor=(250, 248, 240))


def tilted():
    image, draw = page(700, 700, (255, 255, 255))
    draw.text((120, 320), "steep banner text", font=latin(52), fill=(160, 0, 80))
    return image.rotate(-24, Image.BICUBIC, fillcolor=(255, 255, 255))


def small():
    image, draw = page(160, 90)
    draw.text((10, 14), "tiny label", font=latin(20), fill="black")
    draw.text((10, 50), "no. 7", font=latin(18), fill="green")
    return image


def large():
    image, draw = page(2400, 1500, (235, 235, 235))
    draw.text((200, 200), "A very large poster", font=latin(160), fill="black")
    draw.text((220, 700), "second line, smaller", font=latin(90), fill=(90, 30, 120))
    draw.text((220, 1200), "printed in 2026", font=latin(48), fill="black")
    return image


def dense():
    image, draw = page(1024, 1024)
    wrapped(draw, WORDS * 3, latin(30), 60, 60, 960)
    return image


def columns():
    image, draw = page(1000, 700)
    wrapped(draw, WORDS[:24], latin(26), 40, 60, 460)
    wrapped(draw, WORDS[10:], latin(26), 540, 64, 970, colour=(60, 60, 160))
    return image


def chinese():
    image, draw = page(768, 768, (252, 250, 245))
    draw.text((60, 60), "港口日报", font=cjk(72), fill=(180, 20, 20))
    wrapped(draw, CHINESE, cjk(36), 60, 200, 700, joiner="")
    draw.text((60, 640), "第12期 2026年3月", font=cjk(30), fill=(60, 60, 60))
    return image


def upside_down():
    image, draw = page(640, 360)
    draw.text((60, 60), "standing upright", font=latin(44), fill="black")
    band = Image.new("RGB", (520, 70), "white")
    ImageDraw.Draw(band).text((10, 8), "turned upside down", font=latin(44), fill="black")
    image.paste(band.rotate(180), (60, 200))
    return image


def vertical():
    image, draw = page(500, 640)
    for i, character in enumerate("海上明月共潮生"):
        draw.text((60, 40 + i * 70), character, font=cjk(60), fill="black")
    strip = Image.new("RGB", (420, 60), "white")
    ImageDraw.Draw(strip).text((10, 6), "SIDEWAYS SIGN", font=latin(42), fill=(0, 80, 0))
    image.paste(strip.rotate(90, expand=True), (300, 100))
    return image


def wide():
    image, draw = page(1400, 120, (245, 245, 245))
    draw.text((30, 30), "a very wide banner with one line of text across", font=latin(48), fill="black")
    return image


def low():
    image, draw = page(300, 28)
    draw.text((6, 2), "status: ready 100%", font=latin(20), fill="black")
    return image


def tall():
    image, draw = page(180, 1200)
    for i, word in enumerate(WORDS[:16]):
        draw.text((16, 20 + i * 72), word, font=latin(32), fill=(20, 20, 90))
    return image


def edge():
    image, draw = page(600, 400)
    draw.text((-4, 0), "cut at the corner", font=latin(60), fill="black")
    draw.text((330, 345), "bottom right", font=latin(50), fill="black")
    return image


def noisy():
    image, draw = page(640, 480, (128, 128, 128))
    draw.text((60, 120), "low contrast words", font=latin(48), fill=(170, 170, 170))
    draw.text((60, 260), "under the noise", font=latin(48), fill=(90, 90, 90))
    rng = random.Random(7)
    pixels = image.load()
    for y in range(image.height):
        for x in range(image.width):
            shift = rng.randint(-25, 25)
            pixels[x, y] = tuple(max(0, min(255, value + shift)) for value in pixels[x, y])
    return image


def blank():
    return page(512, 384)[0]


PICTURES = [
    clean, coloured, rotated, tilted, small, large, dense, columns, chinese,
    upside_down, vertical, wide, low, tall, edge, noisy, blank,
]


def read(engine, file):
    lines, _ = engine(str(file))
    return [
        {"text": text, "score": round(float(score), 6), "polygon": [[float(v) for v in p] for p in polygon]}
        for polygon, text, score in lines or []
    ]


def main():
    engine = RapidOCR()
    if "--only-read" in sys.argv:
        folder = Path(sys.argv[sys.argv.index("--only-read") + 1])
        files = sorted(p for p in folder.iterdir() if p.suffix in (".png", ".jpg"))
        print(json.dumps({file.name: read(engine, file) for file in files}, ensure_ascii=False))
        return
    expected = {}
    for draw in PICTURES:
        jpeg = draw in (coloured, noisy)
        file = HERE / f"{draw.__name__}.{'jpg' if jpeg else 'png'}"
        image = draw()
        image.save(file, **({"quality": 88} if jpeg else {"optimize": True}))
        expected[file.name] = read(engine, file)
    text = json.dumps(expected, ensure_ascii=False, indent=1)
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
