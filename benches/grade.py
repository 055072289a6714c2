#!/usr/bin/env python3
"""How long `unigauge grade` takes for texts: answers of a few words, and sentences by BLEU, METEOR, F-measure and edit distance.

    cargo build --config profile.dev.package.unigauge.opt-level=3
    python3 benches/grade.py target/debug/unigauge [ANSWERS]

Prints one JSON object: seconds on the clock and of all cores, by rule.
"""
import json, os, random, resource, subprocess, sys, tempfile, time

program, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
WORDS = "the sign says open closed street market north exit total amount invoice number date price of and to in 12 1999 7 kg".split()
CHINESE = "今天天气很好我们去北京大学看展览价格总计电话地址有限公司出口入口每日新鲜"


def grade(rule, answers, folder):
    """Every third answer is said with a mistake."""
    suite = f'name = "texts"\nversion = "1"\ntitle = "Texts"\ntask = "understand"\n[items]\nfile = "items.jsonl"\n[grade]\nrule = "{rule}"\n'
    open(f"{folder}/texts.toml", "w").write(suite)
    with open(f"{folder}/items.jsonl", "w") as items, open(f"{folder}/outputs.jsonl", "w") as outputs:
        for i, answer in enumerate(answers):
            expect = {"answers": [answer], "dataset": "textVQA", "type": "Scene Text-centric VQA"}
            items.write(json.dumps({"item": f"q{i}", "task": "understand", "prompt": "?", "expect": expect}) + "\n")
            said = answer if i % 3 else answer[: len(answer) // 2] + "x" + answer[len(answer) // 2 :]
            outputs.write(json.dumps({"item": f"q{i}", "repeat": 0, "seed": 1, "kind": "text", "text": f"It says: {said}."}) + "\n")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [program, "grade", "--suite", "./texts.toml", "--items", "items.jsonl", "--outputs", "outputs.jsonl", "--out", "out"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": round(time.monotonic() - start, 2), "of all cores": round(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, 2)}


r = random.Random(1)
phrase = lambda low, high: " ".join(r.choice(WORDS) for _ in range(r.randint(low, high)))
with tempfile.TemporaryDirectory() as folder:
    short = [phrase(1, 4) for _ in range(count)]
    long = [phrase(8, 20) if i % 2 else "".join(r.choice(CHINESE) for _ in range(r.randint(15, 40))) for i in range(count)]
    timed = {"ocrbench": grade("ocrbench", short, folder), "anls": grade("anls", short, folder), "page-ocr": grade("page-ocr", long, folder)}
    print(json.dumps({"answers": count, **timed}, indent=2))
