#!/usr/bin/env python3
"""What the page of a run with many pictures costs, for an old and a new program side by side.

    cargo build --config profile.dev.package.unigauge.opt-level=3
    python3 benches/pages.py OLD NEW [--pictures 2212 10000] [--rounds 3] [--side 1024] [--noise 3] [--jpeg] [--keep FOLDER]

Makes runs of that many different pictures (`unigauge observe` makes one output, whose records are then written for all),
and times `unigauge report` in turns: into an empty folder, and into the same folder again. With three bits of noise a
1024 x 1024 PNG has 1.7 MB, as a photograph; without noise it is a drawing. With --jpeg the pictures are JPEG files, which
Pillow writes. 10,000 pictures need 17 GB. Prints one JSON object: the size of a picture, medians of seconds, peak memory
and the size of the page, and the ratios new / old. OLD may be `-`.
"""
import argparse, json, os, pathlib, random, shutil, statistics, struct, subprocess, tempfile, time, zlib

parser = argparse.ArgumentParser()
parser.add_argument("old")
parser.add_argument("new")
parser.add_argument("--pictures", type=int, nargs="+", default=[2212, 10_000])
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--side", type=int, default=1024)
parser.add_argument("--noise", type=int, default=3, help="bits of noise in each colour, 0 to 4")
parser.add_argument("--jpeg", action="store_true")
parser.add_argument("--keep", help="make the runs here and leave them; those that are there are used again")
args = parser.parse_args()
programs = {name: os.path.abspath(path) for name, path in [("old", args.old), ("new", args.new)] if path != "-"}
DRAWN = 24
SUITE = '''name = "pages"
version = "1"
title = "Pages"
task = "text-to-image"
observers = ["quality"]
[items]
file = "pages.jsonl"
[items.map]
tags = { kind = "kind" }
[grade]
rule = "measure"
[grade.options]
key = "brightness"
[report]
group_by = ["kind"]
'''


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def lines(number):
    """The bytes of each line: bands of colour under the noise of a sensor."""
    dice, width = random.Random(number), args.side * 3
    noise_mask = int.from_bytes(bytes([(1 << args.noise) - 1]) * width, "big")
    wave = [dice.randrange(20, 60) for _ in range(3)]
    for y in range(args.side):
        smooth = bytes((40 + (x // 3 * (c + 1) // wave[c] + y // 3) % 180 for x in range(0, width, 3) for c in range(3))) if y % 8 == 0 else smooth
        noise = int.from_bytes(dice.randbytes(width), "big") & noise_mask
        yield (int.from_bytes(smooth, "big") + noise).to_bytes(width, "big")


def png(number):
    before, packed = bytes(args.side * 3), zlib.compressobj(6)
    parts = []
    for line in lines(number):
        # The filter "up".
        parts.append(packed.compress(b"\2" + bytes((a - b) & 255 for a, b in zip(line, before))))
        before = line
    data = b"".join(parts) + packed.flush()
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", args.side, args.side, 8, 2, 0, 0, 0))
    return head, chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg(number):
    import io
    from PIL import Image

    file = io.BytesIO()
    Image.frombytes("RGB", (args.side, args.side), b"".join(lines(number))).save(file, "JPEG", quality=92)
    return file.getvalue()[:2], file.getvalue()[2:]


def picture(drawn, number):
    """One of the drawn pictures with a remark of its own, so that no two files are the same."""
    head, tail = drawn[number % DRAWN]
    remark = b"Comment\0" + str(number).encode()
    if args.jpeg:
        return head + b"\xff\xfe" + struct.pack(">H", len(remark) + 2) + remark + tail
    return head + chunk(b"tEXt", remark) + tail


def make(root, count, drawn):
    name = f"{'jpg' if args.jpeg else 'png'}-{args.side}-{args.noise}-{count}"
    run = root / f"results/pages/{name}/seed0"
    if (run / "complete").exists():
        return run
    item = {"id": "0", "prompt": "A photograph of a street at dusk, with a red car and two people", "kind": "k0"}
    (root / "pages.toml").write_text(SUITE)
    (root / "pages.jsonl").write_text(json.dumps(item) + "\n")
    ending = "jpg" if args.jpeg else "png"
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / f"0_0.{ending}").write_bytes(picture(drawn, 0))
        program = next(iter(programs.values()))
        subprocess.run([program, "observe", "--suite", "./pages.toml", "--images", folder, "--name", name], cwd=root, check=True, capture_output=True)
    shutil.rmtree(run / "report", ignore_errors=True)
    dice = random.Random(count)
    outputs = json.loads((run / "outputs.jsonl").read_text().splitlines()[0])
    (run / "outputs").mkdir(exist_ok=True)
    for stream in ["items", "outputs", "evidence", "grades"]:
        first = json.loads((run / f"{stream}.jsonl").read_text().splitlines()[0])
        with open(run / f"{stream}.jsonl", "w") as file:
            for number in range(count):
                own = dict(first, item=str(number))
                if stream == "items":
                    own.update(prompt=f"{item['prompt']}, number {number}", tags={"kind": f"k{number % 6}"})
                if stream == "outputs":
                    own["file"] = f"outputs/{number}_0.{ending}"
                if stream == "grades":
                    own.update(score=round(dice.random(), 4), tags={"kind": f"k{number % 6}"})
                file.write(json.dumps(own) + "\n")
    for number in range(count):
        (run / f"outputs/{number}_0.{ending}").write_bytes(picture(drawn, number))
    (run / "complete").write_text("")
    return run


def report(program, run, out):
    start = time.monotonic()
    child = subprocess.Popen([program, "report", run, "--out", out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"{program} failed"
    return {"seconds": time.monotonic() - start, "MiB": usage.ru_maxrss / 1024}


def measure(run, out):
    rounds = {name: {"first": [], "again": []} for name in programs}
    for _ in range(args.rounds):
        for name, program in programs.items():
            shutil.rmtree(out, ignore_errors=True)
            rounds[name]["first"].append(report(program, run, out))
            rounds[name]["again"].append(report(program, run, out))
            rounds[name]["page"] = os.path.getsize(out / "index.html") / 1e6
    found = {}
    for name, both in rounds.items():
        found[name] = {"page_mb": round(both["page"], 2)}
        for which in ["first", "again"]:
            middle = {key: statistics.median(one[key] for one in both[which]) for key in ["seconds", "MiB"]}
            found[name][which] = {key: round(value, 2) for key, value in middle.items()}
    if len(found) == 2:
        found["ratio"] = {which: round(found["new"][which]["seconds"] / found["old"][which]["seconds"], 3) for which in ["first", "again"]}
    return found


with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(args.keep or folder).absolute()
    root.mkdir(parents=True, exist_ok=True)
    drawn = [(jpeg if args.jpeg else png)(number) for number in range(DRAWN)]
    found = {}
    for count in args.pictures:
        found[count] = measure(make(root, count, drawn), root / "page")
    size = statistics.mean(len(head) + len(tail) for head, tail in drawn)
    told = {"cores": os.cpu_count(), "side": args.side, "picture_kb": round(size / 1000), "rounds": args.rounds}
    print(json.dumps({**told, "pictures": found}, indent=2))
