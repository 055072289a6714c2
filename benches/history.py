#!/usr/bin/env python3
"""How long `unigauge history` takes for many runs of a suite, on made data with two changes.

    cargo build --config profile.dev.package.unigauge.opt-level=3
    python3 benches/history.py target/debug/unigauge [RUNS] [ITEMS] [--keep FOLDER]

Makes RUNS graded runs of ITEMS items each (by `unigauge grade`, whose time does not count), then times the command three
times. Prints one JSON object: seconds on the clock, peak memory, and the change points that were found.
"""
import argparse, json, os, pathlib, random, resource, subprocess, tempfile, time
from concurrent.futures import ThreadPoolExecutor

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("runs", type=int, nargs="?", default=1000)
parser.add_argument("items", type=int, nargs="?", default=2000)
parser.add_argument("--keep", help="make the results tree here and leave it; one that is there is used again")
args = parser.parse_args()
program = os.path.abspath(args.program)
SUITE = 'name = "many"\nversion = "1"\ntitle = "Many"\ntask = "understand"\n[items]\nfile = "many.jsonl"\n[items.map]\nexpect = ["answers"]\ntags = { kind = "kind" }\n[grade]\nrule = "contains"\n[report]\ngroup_by = ["kind"]\n'
MODEL = 'name = "echo"\ntitle = "Echo"\ngenerator = "echo"\n[settings]\n'


def call(*command, cwd):
    subprocess.run([program, *command], cwd=cwd, check=True, capture_output=True)


def make(root):
    (root / "many.toml").write_text(SUITE)
    (root / "echo.toml").write_text(MODEL)
    with open(root / "many.jsonl", "w") as file:
        for i in range(args.items):
            file.write(json.dumps({"id": f"q{i}", "prompt": f"What stands on sign number {i}, in the street of item {i}?", "answers": ["yes"], "kind": f"k{i % 6}"}) + "\n")
    call("run", "./many.toml", "--model", "./echo.toml", "--run", "first", cwd=root)
    first = root / "results/many/echo/first"
    manifest = json.loads((first / "manifest.json").read_text())
    items = (first / "items.jsonl").read_bytes()
    outputs = [json.loads(line) for line in (first / "outputs.jsonl").read_text().splitlines()]
    chances = random.Random(0)
    hard = {output["item"]: chances.random() for output in outputs}

    def one(number):
        dice, folder = random.Random(number + 1), root / f"results/many/echo/run{number:04}"
        folder.mkdir()
        shift = 0.0 if number < args.runs // 3 else -0.03 if number < 2 * args.runs // 3 else 0.01
        own = dict(manifest, run=folder.name, seed=number, started=time.strftime("%FT%TZ", time.gmtime(1.7e9 + number * 21600)))
        own["program"] = dict(manifest["program"], commit=f"{number * 3 // args.runs:040}")
        (folder / "manifest.json").write_text(json.dumps(own))
        (folder / "items.jsonl").write_bytes(items)
        with open(folder / "outputs.jsonl", "w") as file:
            for output in outputs:
                right = dice.random() < min(1, max(0, hard[output["item"]] + shift))
                file.write(json.dumps(dict(output, text="yes" if right else "no")) + "\n")
        call("grade", ".", cwd=folder)
        for name in ["outputs.jsonl", "grades.jsonl"]:
            (folder / name).unlink()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, range(args.runs)))
    for file in sorted(first.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    first.rmdir()


with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(args.keep or folder)
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "results").exists():
        make(root)
    seconds = []
    for _ in range(3):
        start = time.monotonic()
        shown = subprocess.run([program, "history", "many", "--json"], cwd=root, check=True, capture_output=True).stdout
        seconds.append(round(time.monotonic() - start, 2))
    series = json.loads(shown)[0]["series"][0]
    changes = [{"at": c["at"], "difference": round(c["difference"], 4)} for c in series["changes"]]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(json.dumps({"runs": len(series["points"]), "items": args.items, "seconds": seconds, "MiB": peak, "changes": changes}, indent=2))
