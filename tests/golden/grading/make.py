"""Makes the golden files of the grading tests: an implementation of its own of the official rules, in plain Python.

    python3 make.py geneval  [cases] [seed] > geneval.jsonl
    python3 make.py longtext [cases] [seed] > longtext.jsonl
    python3 make.py bootstrap                 (needs numpy) prints the intervals that stand in tests/it/grading.rs
"""

import collections
import json
import math
import random
import re
import sys

COLORS = "red orange yellow green blue purple pink brown black white".split()
RELATIONS = ["left of", "right of", "above", "below"]
CLASSES = ["dog", "bench", "computer mouse", "tv remote", "computer keyboard", "cow"]
COCO = {"computer mouse": "mouse", "tv remote": "remote", "computer keyboard": "keyboard"}


# --- GenEval -------------------------------------------------------------------------------------------------------


def pixel_iou(p, q):
    width = lambda lo, hi: max(hi - lo + 1, 0)
    both = width(max(p[0], q[0]), min(p[2], q[2])) * width(max(p[1], q[1]), min(p[3], q[3]))
    either = sum(width(r[0], r[2]) * width(r[1], r[3]) for r in (p, q)) - both
    return both / either if either else 0


def directions(p, q, slack):
    shortened, offset = [], []
    for k in (0, 1):
        d = (p[k] + p[k + 2]) / 2 - (q[k] + q[k + 2]) / 2
        sizes = abs(p[k + 2] - p[k]) + abs(q[k + 2] - q[k])
        offset.append(d)
        shortened.append(math.copysign(max(abs(d) - slack * sizes, 0), d))
    if max(map(abs, shortened)) < 1e-3:
        return []
    norm = math.sqrt(offset[0] ** 2 + offset[1] ** 2)
    x, y = (s / norm for s in shortened)
    return [r for r, held in zip(RELATIONS, (x < -0.5, x > 0.5, y < -0.5, y > 0.5)) if held]


def survivors(detections, limit, options):
    table = collections.defaultdict(list)
    back = {short: name for name, short in COCO.items()}
    for d in detections:
        if d["score"] > limit:
            table[back.get(d["class"], d["class"])].append(d)
    for name, queue in table.items():
        queue = sorted(queue, key=lambda d: -d["score"])[: options["max_objects"]]
        kept = []
        while queue:
            top = queue.pop(0)
            kept.append(top)
            if options["max_overlap"] != 1:
                queue = [d for d in queue if pixel_iou(top["box"], d["box"]) < options["max_overlap"]]
        table[name] = kept
    return table


def geneval(expect, detections, options):
    """(correct, reason), or None when a colour that the rule needs is unknown."""
    limit = options["counting_threshold" if expect["tag"] == "counting" else "threshold"]
    seen = survivors(detections, limit, options)
    lines, groups = [], []
    for clause in expect.get("include", ()):
        name, need = clause["class"], clause["count"]
        mine = seen[name][:need]
        line = None
        if len(mine) < need:
            line = f"expected {name}>={need}, found {len(mine)}"
        if line is None and "color" in clause:
            painted = [d["color"] for d in mine]
            if None in painted:
                return None
            tally = collections.Counter(painted)
            want = clause["color"]
            if tally[want] < need:
                all_seen = ", ".join(f"{tally[c]} {c}" for c in COLORS if tally[c])
                line = f"expected {want} {name}>={need}, found {tally[want]} {want}; and {all_seen}"
        if line is None and "position" in clause:
            relation, index = clause["position"]
            if groups[index] is None:
                line = f"no target for {name} to be {relation}"
            else:
                for d in mine:
                    for t in groups[index]:
                        true = directions(d["box"], t["box"], options["position_threshold"])
                        if line is None and relation not in true:
                            line = f"expected {name} {relation} target, found {' and '.join(true)} target"
        groups.append(mine if line is None else None)
        if line is not None:
            lines.append(line)
    for clause in expect.get("exclude", ()):
        there = len(seen[clause["class"]])
        if there >= clause["count"]:
            lines.append(f"expected {clause['class']}<{clause['count']}, found {there}")
    return not lines, "\n".join(lines)


def geneval_case(rng):
    options = {"threshold": 0.3, "counting_threshold": 0.9, "max_objects": 16, "max_overlap": 1.0, "position_threshold": 0.1}
    if rng.random() < 0.4:
        options.update(
            threshold=rng.choice([0.3, 0.5]),
            max_objects=rng.choice([2, 16]),
            max_overlap=rng.choice([0.5, 1 / 3, 1.0]),
            position_threshold=rng.choice([0.0, 0.1, 0.25]),
        )
    tag = rng.choice(["single_object", "two_object", "counting", "colors", "position", "color_attr"])
    a, b = rng.sample(CLASSES, 2)
    one = {"class": a, "count": 1}
    expect = {"tag": tag, "include": [one]}
    if tag == "two_object":
        expect["include"].append({"class": b, "count": 1})
    elif tag == "counting":
        n = rng.randint(2, 4)
        expect["include"] = [{"class": a, "count": n}]
        expect["exclude"] = [{"class": a, "count": n + 1}]
    elif tag == "colors":
        one["color"] = rng.choice(COLORS[:4])
        one["count"] = rng.choice([1, 1, 2])
    elif tag == "position":
        one["count"] = rng.choice([1, 1, 2])
        expect["include"].append({"class": b, "count": rng.choice([1, 1, 2]), "position": [rng.choice(RELATIONS), 0]})
    elif tag == "color_attr":
        one["color"] = rng.choice(COLORS[:3])
        expect["include"].append({"class": b, "count": 1, "color": rng.choice(COLORS[:3])})
        if rng.random() < 0.3:
            expect["include"].append({"class": b, "count": 1, "position": [rng.choice(RELATIONS), 0]})
    if rng.random() < 0.1:
        expect.setdefault("exclude", []).append({"class": rng.choice(CLASSES), "count": rng.randint(1, 2)})
    detections = []
    for name in rng.sample([a, a, a, b, b, b, rng.choice(CLASSES)], rng.randint(0, 7)):
        x, y, w, h = (rng.choice([0, 40, 80, 120, 200, 250.5, 300]) for _ in range(4))
        score = rng.choice([0.06, 0.3, 0.300001, 0.5, 0.9, 0.95, 0.95, 0.99])
        color = rng.choice(COLORS[:4]) if rng.random() < 0.95 else None
        shown = COCO.get(name, name) if rng.random() < 0.5 else name
        detections.append({"class": shown, "score": score, "box": [x, y, x + w, y + h], "color": color})
    verdict = geneval(expect, detections, options)
    return {"options": options, "expect": expect, "detections": detections, "verdict": verdict}


# --- LongText-Bench ------------------------------------------------------------------------------------------------

KEPT = re.compile(r"[^\u4e00-\u9fa5a-zA-Z0-9\sàâäéèêëîïôöùûüçÀÂÄÉÈÊËÎÏÔÖÙÛÜÇ]")


def longtext(texts, language, reply):
    def units(text):
        text = KEPT.sub("", text)
        if language == "en":
            return re.sub(r"\s+", " ", text).strip().lower().split()
        return list(re.sub(r"\s", "", text))

    gold = units(" ".join(texts))
    shown = units(reply.replace("No text recognized.", ""))
    return sum((collections.Counter(gold) & collections.Counter(shown)).values()), len(gold)


def longtext_case(rng):
    pieces = list("aAbB19 -'.,\n\t\u00a0\u3000\u2028\u0085\u200b\u001c\u001fÉéÜüßİıΣσςＡａ１中央公园\u9fa5\u9fa6㐀")
    pieces += ["e\u0301", "ABC", "the", "Don't", "No text recognized.", "No text recognized", "\U0001f600"]

    def draw(n):
        return "".join(rng.choice(pieces) for _ in range(rng.randint(0, n)))

    texts = [draw(12) for _ in range(rng.randint(1, 3))]
    shuffled = list("".join(texts))
    rng.shuffle(shuffled)
    reply = rng.choice([draw(30), " ".join(texts), " ".join(texts).upper() + draw(4), "".join(shuffled)])
    language = rng.choice(["en", "zh"])
    return {"texts": texts, "language": language, "reply": reply, "counts": longtext(texts, language, reply)}


# --- bootstrap -----------------------------------------------------------------------------------------------------


def bootstrap():
    """Items of three tags with 4 repeats, made by the same formula as the test; 100,000 resamples, BCa."""
    import numpy
    from scipy import stats

    def interval(samples, statistic):
        found = stats.bootstrap(samples, statistic, n_resamples=100_000, method="BCa", random_state=1, batch=2000)
        return found.confidence_interval

    strata = []
    for tag, size in enumerate((30, 50, 20)):
        right = numpy.array([((item * 7 + tag * 3) % 11) % 5 for item in range(size)])
        strata.append(right / 4)
    for tag, values in enumerate(strata):
        print(f"tag {tag}", values.mean(), interval((values,), lambda x, axis: x.mean(axis)))
    means = lambda a, b, c, axis: (a.mean(axis) + b.mean(axis) + c.mean(axis)) / 3
    print("macro", numpy.mean([s.mean() for s in strata]), interval(tuple(strata), means))


def main():
    kind, *rest = sys.argv[1:]
    if kind == "bootstrap":
        return bootstrap()
    cases, seed = (int(x) for x in (rest + [600, 1][len(rest):]))
    rng = random.Random(seed)
    make = {"geneval": geneval_case, "longtext": longtext_case}[kind]
    for _ in range(cases):
        print(json.dumps(make(rng), separators=(",", ":")))


main()
