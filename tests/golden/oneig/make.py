"""Makes cases.json: OneIG-Bench's text score by an implementation of its own in plain Python.

    pip install Levenshtein==0.27.5
    python make.py > cases.json

`singles`: [language, text, reply, [distance, exact, matched, reference]] a line. `suites`: replies by item, and the numbers,
bootstrap interval and CSV tables that must come of them.
`python make.py --against FOLDER` compares the functions with the official ones of a checkout of OneIG-Benchmark.
"""

import json
import random
import sys
from collections import Counter

from Levenshtein import distance

ACCENTED = set("àâäéèêëîïôöùûüçÀÂÄÉÈÊËÎÏÔÖÙÛÜÇ")


def kept(c):
    return "\u4e00" <= c <= "\u9fa5" or (c.isascii() and c.isalnum()) or c in ACCENTED


def chinese(text):
    return any("\u4e00" <= c <= "\u9fff" for c in text)


def normal(text):
    text = "".join(c for c in text if kept(c) or c.isspace())
    return "".join(text.split()) if chinese(text) else " ".join(text.split())


def clean(reply):
    for words in ["addCriterion", "No text recognized."]:
        # What removal puts together is removed again where a line break stands beside it.
        for found in [words, "\n" + words, words + "\n"]:
            reply = "".join(reply.split(found))
    return reply


def score(text, reply):
    gold, read = normal(text), normal(clean(reply))
    unit = list if chinese(gold) else str.split
    want, have = Counter(unit(gold)), Counter(unit(read))
    edits = distance(read, gold)
    return [edits, int(edits == 0), sum(min(n, have[u]) for u, n in want.items()), sum(want.values())]


def together(counts, limit):
    ed = sum(c[0] for c in counts) / len(counts)
    cr = sum(c[1] for c in counts) / len(counts)
    wac = sum(c[2] for c in counts) / sum(c[3] for c in counts)
    return {"ed": ed, "cr": cr, "wac": wac, "score": 1 - min(limit, ed) * (1 - cr) * (1 - wac) / limit}


HAND = [
    ("en", "OPEN DAILY", "OPEN DAILY"),
    ("en", "OPEN DAILY", "open daily"),
    ("en", "OPEN DAILY", "OPEN\n\tDAILY."),
    ("en", "['The Impact of 5G', \"It's here\"]", "The Impact of 5G\nIts here"),
    ("en", "['two\\nlines']", "two lines"),
    ("en", "['two\\nlines']", "twonlines"),
    ("en", "Don't panic", "addCriterion\nDont panic"),
    ("en", "Sale 50%", "No text recognized."),
    ("en", "Sale 50%", "No text recognized"),
    ("en", "Sale 50%", ""),
    ("en", "a a a b", "a b b a"),
    ("en", "café Über", "cafe\u0301 Über"),
    ("en", "Menu", "菜单 Menu"),
    ("en", "A\u3000B\u00a0C\u200bD", "A B CD"),
    ("en", "ｆull width", "full width"),
    ("zh", "['5G技术的影响', '2025 年']", "5G技术的影响 2025年"),
    ("zh", "每日新鲜", "新鲜每日"),
    ("zh", "每日新鲜", "Fresh every day"),
    ("zh", "每日 ABC", "abc每日"),
    ("zh", "OPEN 24h", "OPEN 24 h"),
    ("zh", "龥龦", "龥"),
    ("zh", "电信行业报告，2025", "addCriterion电信行业报告2025No text recognized."),
    ("zh", "春春春", "春"),
    ("zh", "春\n夏\u2028秋", "春夏秋冬"),
]
PIECES = ["OPEN", "open", "Daily", "5G", "it's", "新", "鲜", "每日", "，", ".", " ", "  ", "\n", "é", "e\u0301", "Ｆ", "\u3000",
          "\u1c80", "\x1f", "-", "'", "No text recognized.", "addCriterion", "龦", "\u200b", "0", "Ü", "ß", "😀"]


def drawn(rng):
    text = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 12)))
    reply = list(text)
    for _ in range(rng.randint(0, 4)):
        at = rng.randint(0, len(reply))
        reply[at : at + rng.randint(0, 2)] = rng.choice(PIECES)
    return rng.choice(["en", "zh"]), text, "".join(reply)


def suite(rng, language, limit, items):
    pool = ["red", "Blue", "GREEN", "gold"] if language == "en" else list("红黄蓝绿金木水火土")
    join = " ".join if language == "en" else "".join
    records = []
    for i in range(items):
        text = join(rng.choice(pool) for _ in range(rng.randint(1, 40)))
        keep = lambda: join(w for w in (text.split() if language == "en" else text) if rng.random() < 0.8)
        replies = [rng.choice([text, keep(), keep(), "No text recognized."]) for _ in range(4)]
        if i == 2:
            replies = [None] * 4
        elif i == 3:
            replies[1] = None
        records.append({"id": f"{i:03}", "text": text, "replies": replies})
    counts = {r["id"]: [score(r["text"], reply) for reply in r["replies"] if reply is not None] for r in records}
    all_counts = [c for cs in counts.values() for c in cs]
    numbers = together(all_counts, limit)
    rows = "".join(
        f'{name},"{[sum(c[0] for c in cs) / len(cs), sum(c[1] for c in cs) / len(cs), sum(c[2] / c[3] for c in cs) / len(cs)]}"\n'
        if cs else f"{name},\n"
        for name, cs in counts.items()
    )
    tables = {
        "model": f",ED,CR,WAC,text score\nmine,{numbers['ed']},{numbers['cr']},{numbers['wac']},{numbers['score']}\n",
        "prompts": f",mine\n{rows}",
    }
    drawn = [cs for cs in counts.values() if cs]
    resampled = sorted(
        together([c for cs in rng.choices(drawn, k=len(drawn)) for c in cs], limit)["score"] for _ in range(8000)
    )
    interval = [resampled[round(0.025 * 7999)], resampled[round(0.975 * 7999)]]
    return {"language": language, "records": records, "numbers": numbers, "interval": interval, "tables": tables}


def against(folder):
    sys.path.insert(0, folder)
    from scripts.text import text_utils as official

    rng = random.Random(11)
    cases = HAND + [drawn(rng) for _ in range(20000)]
    for _, text, reply in cases:
        gold = official.preprocess_string(text)
        read = official.preprocess_string(official.clean_and_remove_hallucinations([reply])[0])
        edits = official.levenshtein_distance(read, gold)
        matched, _, total = official.calculate_char_match_ratio(gold, read)
        theirs = [edits, int(edits == 0), matched, total]
        assert theirs == score(text, reply), (text, reply, theirs, score(text, reply))
    print(len(cases), "cases agree")


def main():
    if "--against" in sys.argv:
        return against(sys.argv[sys.argv.index("--against") + 1])
    rng = random.Random(5)
    singles = HAND + [drawn(rng) for _ in range(300)]
    lines = ",\n".join(
        json.dumps([language, text, reply, score(text, reply)], ensure_ascii=False) for language, text, reply in singles
    )
    suites = ",\n".join(
        json.dumps(suite(rng, *kind), ensure_ascii=False) for kind in [("en", 100, 9), ("zh", 50, 9), ("en", 100, 60)]
    )
    print(f'{{"singles": [\n{lines}\n],\n"suites": [\n{suites}\n]}}')


if __name__ == "__main__":
    main()
