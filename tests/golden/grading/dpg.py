"""Random DPG-Bench items and answers with what the official script makes of them: dpg.json.

    python dpg.py [--items 90] [--seed 1] [--out dpg.json]

The computation is written from compute_dpg_bench.py of ELLA (3c228f1d) as the specification describes it (section 2.4 and
its corrections), with the same dictionaries: no code of unigauge is used. Odd shapes are drawn often: parents that come
later or do not exist, repeated ids, answers in other letters, tuples without brackets.
"""

import argparse
import json
import random
from pathlib import Path

TUPLES = ["entity - whole (cat)", "entity - part (cat, tail)", "attribute - color (cat, red)", "attribute - size (cat, big)",
          "relation - spatial (cat, mat, on)", "relation - non-spatial (cat, dog, chase)", "global - (a photo)", "global (x)",
          "other - count (cat, ==3)", "no brackets", "attribute-texture (fur)"]
ANSWERS = ["yes"] * 6 + ["no"] * 3 + ["Yes", "yes.", " yes", "", "maybe"]


def item(rng, number):
    rows, n = [], rng.randint(1, 9)
    for i in range(1, n + 1):
        kind = rng.random()
        parents = [0] if kind < 0.4 else rng.sample(range(1, n + 1), min(n, rng.randint(1, 3)))
        if rng.random() < 0.03:
            parents.append(n + 5)
        rng.shuffle(parents)
        rows.append({"id": i if rng.random() > 0.02 else max(1, i - 1), "dependency": ",".join(map(str, parents)),
                     "category_broad": "", "category_detailed": "", "tuple": rng.choice(TUPLES), "question": f"q{number}.{i}?"})
    return {"item": f"{number}", "task": "text-to-image", "prompt": f"prompt {number}", "images": [],
            "expect": {"propositions": rows}, "tags": {}}


def official(items, answers, pictures):
    scores, per_item, categories = {}, [], {1: {}, 2: {}}
    for it in items:
        question, parents, tuples = {}, {}, {}
        for row in it["expect"]["propositions"]:
            question[row["id"]] = row["question"]
            parents[row["id"]] = [int(p.strip()) for p in row["dependency"].split(",")]
            tuples[row["id"]] = row["tuple"]
        crops, original = [], None
        try:
            for crop in range(pictures):
                given = answers[it["item"], crop]
                live = {q: float(given[str(q)] == "yes") for q in question}
                original = dict(live)
                for q, above in parents.items():
                    for p in above:
                        if p == 0:
                            continue
                        if live[p] == 0:
                            live[q] = 0.0
                            break
                crops.append(sum(live.values()) / len(live))
        except KeyError:
            scores[it["item"]] = None
            continue
        scores[it["item"]] = crops
        per_item.append(sum(crops) / len(crops))
        for q, s in original.items():
            detailed = tuples[q].split("(")[0].strip()
            categories[2].setdefault(detailed, []).append(s)
            categories[1].setdefault(detailed.split("-")[0].strip(), []).append(s)
    metrics = {f"L{level} {name}": 100 * sum(v) / len(v) for level, all in categories.items() for name, v in all.items()}
    return {"scores": scores, "overall": sum(per_item) / len(per_item), "metrics": metrics}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "dpg.json")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    items = [item(rng, i) for i in range(args.items)]
    answers, evidence = {}, []
    for it in items:
        for crop in range(4):
            ids = {row["id"] for row in it["expect"]["propositions"]}
            answers[it["item"], crop] = {str(i): rng.choice(ANSWERS) for i in sorted(ids)}
            evidence.append({"item": it["item"], "repeat": crop, "observer": "mplug-vqa",
                             "evidence": {"answers": answers[it["item"], crop]}})
    out = {"items": items, "evidence": evidence, "expected": official(items, answers, 4)}
    args.out.write_text(json.dumps(out) + "\n")
    print(len(items), "items,", sum(s is None for s in out["expected"]["scores"].values()), "left out")


main()
