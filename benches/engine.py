#!/usr/bin/env python3
"""What the engine costs by itself: a million items, a generator that does nothing, a stock rule, the report.

    cargo build --config profile.dev.package.unigauge.opt-level=3
    python3 benches/engine.py target/debug/unigauge [ITEMS]

Prints one JSON object: seconds and peak memory of the first run and of the same command again.
"""
import json, os, resource, subprocess, sys, tempfile, time

program, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
SUITE = '''name = "million"
version = "1"
title = "Engine"
task = "understand"
[items]
file = "items.jsonl"
[items.map]
expect = ["answers"]
tags = { kind = "kind" }
[grade]
rule = "contains"
[report]
group_by = ["kind"]
'''


def run(arguments, folder):
    start = time.monotonic()
    child = subprocess.Popen([program, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    return {"seconds": round(time.monotonic() - start, 3), "peak_mib": usage.ru_maxrss // 1024, "exit": os.waitstatus_to_exitcode(status)}


with tempfile.TemporaryDirectory() as folder:
    with open(f"{folder}/items.jsonl", "w") as file:
        for i in range(count):
            file.write(json.dumps({"id": f"q{i}", "prompt": f"say number {i}", "answers": [f"number {i}" if i % 2 else "no"], "kind": f"k{i % 7}"}) + "\n")
    open(f"{folder}/million.toml", "w").write(SUITE)
    open(f"{folder}/echo.toml", "w").write('name = "echo"\ntitle = "Echo"\ngenerator = "echo"\n')
    arguments = ["run", "./million.toml", "--model", "./echo.toml"]
    print(json.dumps({
        "items": count,
        "help": min((run(["--help"], folder) for _ in range(10)), key=lambda r: r["seconds"]),
        "list": min((run(["list"], folder) for _ in range(10)), key=lambda r: r["seconds"]),
        "first": run(arguments, folder),
        "again": run(arguments, folder),
    }, indent=2))
