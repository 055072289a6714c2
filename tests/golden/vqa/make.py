"""Expected scores of the rules for visual question answering, from Python.

    pip install --no-deps lmms-eval==0.7.3 && pip install numpy
    python make.py > expected.json

TextVQA's normaliser, ChartQA's relaxed correctness and MMMU's open questions are the official code as lmms-eval 0.7.3
carries it (cut out of its files, since importing them wants the whole package). VQAv2's score, ANLS, POPE's and the
strict readings are written here a second time, from the rules' descriptions.
"""

import importlib.util, json, pathlib, re, statistics, unicodedata

ROOT = pathlib.Path(importlib.util.find_spec("lmms_eval").submodule_search_locations[0]) / "tasks"


def cut(path, names):
    """The named functions and classes of a file, without its imports."""
    import ast

    tree = ast.parse((ROOT / path).read_text())
    tree.body = [n for n in tree.body if getattr(n, "name", None) in names]
    scope = {"re": re}
    exec(compile(tree, path, "exec"), scope)
    return scope


VQA = cut("_task_utils/vqa_eval_metric.py", {"EvalAIAnswerProcessor"})["EvalAIAnswerProcessor"]()
CHART = cut("chartqa/utils.py", {"relaxed_correctness"})["relaxed_correctness"]
MMMU = cut("mmmu/utils.py", {"extract_numbers", "check_is_number", "normalize_str", "parse_open_response", "eval_open"})

# What any metric must survive.
BAD = [
    "", " \n", "I'm sorry, but I can't help with that.", "no " * 400, "the the the " * 200,
    'Sure! Here is the JSON: {"answer": "B", "confidence": 0.9}', "ＹＥＳ", "Ｂ", "１２", "🤷", "None of the above",
]


def soft(said, people):
    scores = []
    for i in range(len(people)):
        others = people[:i] + people[i + 1 :]
        scores.append(min(1, sum(o == said for o in others) / 3))
    return statistics.mean(scores)


def textvqa(reply, answers):
    return soft(VQA(reply), [VQA(a) for a in answers])


def vqa_v2(reply, answers):
    tidy = lambda t: t.replace("\n", " ").replace("\t", " ").strip()
    reply, answers = tidy(reply), [tidy(a) for a in answers]
    if len(set(answers)) > 1:
        clean = lambda t: VQA.process_digit_article(VQA.process_punctuation(t))
        # The original looks for one comma between digits only.
        reply, answers = clean(reply), [clean(a) for a in answers]
    return soft(reply, answers)


def levenshtein(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def anls(reply, answers):
    best = 0
    for answer in answers:
        a, b = " ".join(answer.strip().lower().split()), " ".join(reply.strip().lower().split())
        longest = max(len(a), len(b))
        best = max(best, 1 - levenshtein(a, b) / longest if longest else 1)
    return best if best >= 0.5 else 0


def chart(reply, answers):
    return float(any(CHART(reply.strip(), a) for a in answers))


def mmmu_open(reply, answers):
    return float(MMMU["eval_open"](answers, MMMU["parse_open_response"](reply)))


def narrow(text):
    return "".join(unicodedata.normalize("NFKC", c) if 0xFF01 <= ord(c) <= 0xFF5E or c == "\u3000" else c for c in text)


def pope_official(reply, answers):
    words = reply.split(".")[0].replace(",", "").split(" ")
    said = "no" if any(w in words for w in ("No", "not", "no")) else "yes"
    return float(said == answers[0].lower())


def yes_no(reply, answers):
    words = re.findall(r"[^\W_]+", narrow(reply).lower())
    if not words:
        return 0.0
    if words[0] in ("yes", "no"):
        said = words[0]
    else:
        there = [w for w in ("yes", "no") if w in words]
        said = there[0] if len(there) == 1 else None
    return float(said == answers[0].lower())


def comparable(text):
    return " ".join(narrow(text).lower().split()).strip(" .,;:!?\"'`*()[]{}。、")


def stands(text, said):
    ascii_word = lambda c: c.isascii() and c.isalnum()
    if not text:
        return False
    for m in re.finditer("(?=" + re.escape(text) + ")", said):
        start, end = m.start(), m.start() + len(text)
        before, after = said[start - 1 : start], said[end : end + 1]
        if before and ascii_word(before) and ascii_word(text[0]):
            continue
        if after and ascii_word(after) and ascii_word(text[-1]):
            continue
        return True
    return False


def choose(reply, options):
    """The multiple-choice reading's older rules, in order; a letter, or None. These replies must be read so by the newer ones,
    whose own cases are in tests/golden/choice."""
    reply = narrow(reply)
    if not reply.strip():
        return None
    letters = [chr(65 + i) for i in range(len(options))]
    keep = lambda found: {f.upper() for f in found} & set(letters)
    texts = [comparable(o) for o in options]
    said = comparable(reply)

    def only():
        m = re.match(r"\W*(?:(?:option|choice|answer)\b\W*)?([A-Z])\W*\Z", reply, re.I)
        return keep([m.group(1)]) if m and m.group(1).isascii() else set()

    def start():
        marked = keep(re.findall(r"(?:^|[^\w])([A-Z])[).:]", reply))
        if len(options) > 1 and len(marked) == len(options):
            return set()
        m = re.match(r"[^\w\n]*([A-Z])[ \t]*(?:[).:,、]|\n|\Z)", reply)
        return keep([m.group(1)]) if m else set()

    gap = r"""["'*_:\s(\[{]*"""
    def answer():
        return keep(re.findall(r"""(?:\b(?i:answer)["'*_:\s]*(?:(?i:is|would be|should be)\b)?|答案[是为]?)""" + gap + r"([A-Z])\b", reply))

    def option():
        return keep(re.findall(r"""(?:\b(?i:option|choice)["'*_:\s]*(?:(?i:is)\b)?|选择?项?)""" + gap + r"([A-Z])\b", reply))

    def lone():
        found = []
        for m in re.finditer(r"\b([A-Z])\b", reply):
            after = reply[m.end() :]
            following = (after.split() or [""])[0]
            word = after[:1].isspace() and following[:1].islower() and following not in ("or", "and")
            if not (word and m.group(1) in "AI"):
                found.append(m.group(1))
        return keep(found)

    def contained():
        there = [i for i, t in enumerate(texts) if stands(t, said)]
        part = lambda i: any(len(texts[j]) > len(texts[i]) and texts[i] in texts[j] for j in there)
        return {letters[i] for i in there if not part(i)}

    equal = lambda: {letters[i] for i, t in enumerate(texts) if t == said}
    bracketed = lambda: keep(re.findall(r"\(([A-Z])\)", reply))
    for rule in (only, start, answer, option, equal, bracketed, lone, contained):
        found = rule()
        if found:
            return found.pop() if len(found) == 1 else None
    return None


PEOPLE = {
    "stop": ["stop"] * 8 + ["stop sign", "the stop"],
    "few": ["2"] * 2 + ["two", "3", "3", "three", "4", "none", "unsure", "2 dogs"],
    "same": ["Coca-Cola"] * 10,
    "marks": ["don't walk", "dont walk", "Don't Walk!", "do not walk", "walk", "dont walk", "1,000", "1000", "3.5", "n/a"],
    "one": ["yes"],
}
REPLIES = [
    "stop", "Stop.", "STOP!", "a stop", "the stop sign", "stop sign,", "two", "Two dogs", "3", "three.", "none", "0",
    "Coca-Cola", "coca cola", "Coca - Cola", "coca-cola\n", "dont walk", "Don't walk", "don't  walk?", "1,000", "1000.",
    "3.5", "3.5.", "n/a", "n / a", "yes", "Yes", "it's", "its 2", "a, b; c/d [e] {f} (g) = h + i \\ j _ k - l > m < n @ o ` p ? q !",
    "shouldnt've", "y'alld've ten", "an the a", "...." * 12,
]
TEXTS = {
    "date": ["March 3, 1998", "3/3/1998"],
    "name": ["Dr. J. Smith"],
    "digits": ["0.28"],
    "chinese": ["每日新鲜"],
    "two": ["ab"],
}
TEXT_REPLIES = [
    "March 3, 1998", "march 3 1998", "3/3/98", "1998", "Dr J Smith", "dr.  j.\nsmith", "Smith", "The answer is Dr. J. Smith.",
    "0.28", "0.29", "28", "每日新鲜", "每日鲜", "新鲜每日", "a", "abc", "abcd", "b", "ac",
]
CHARTS = {
    "half": ["0.5"], "percent": ["12%"], "big": ["1998"], "zero": ["0"], "word": ["Blue"], "list": ["[Blue, Red]"],
    "negative": ["-4.2"], "comma": ["1,200"], "several": ["Yes", "1"],
}
CHART_REPLIES = [
    "0.5", "0.524", "0.525", "0.526", "0.475", "0.474", "50%", "12%", "12", "0.12", "12.6%", "11.4 %", "1998", "2000", "2097", "2098",
    "0", "0.0", "zero", "blue", "Blue.", " BLUE\n", "[blue, red]", "-4", "-4.2", "4.2", "−4.2", "1,200", "1200", "yes", "1.04", "It is 0.5",
    "inf", "nan", "1_998", "1e3", "12%%", "%",
]
OPEN = {
    "number": ["0.28"], "comma": ["1,234.5"], "word": ["hydrogen bond"], "letter": ["T"], "list": ["5", "five"], "minus": ["-3"],
    "science": ["1500"],
}
OPEN_REPLIES = [
    "0.28", "0.283", "0.276", "The answer is 0.28.", "x = 0.28", "So the result is 28%.", "1234.5", "1,234.50", "about 1,234.5 m",
    "Hydrogen bond", "It is due to a hydrogen bond.", "No hydrogen bonds here\nTherefore the final answer is ionic bond",
    "T", "The answer is T", "t is true", "5", "there are five", "Thus 5\nor could be 6", "-3", "y=-3", "10-3", "1.5e3", "1.5E+3 J",
    "is :", "answer \n=", "step 1 is 2\nstep 2 is 3\nso 5",
]
CHOICES = {
    "animals": (["cat", "dog", "black cat", "No animal"], "C"),
    "numbers": (["1", "2", "12", "None of the above"], "B"),
    "sentences": (["A man is running", "A man is sitting", "Two men are running"], "A"),
    "chinese": (["北京", "上海"], "B"),
}
CHOICE_REPLIES = [
    "C", "c", "(C)", "C.", "C) black cat", "**C**", "Option C", "answer: c", "The answer is C", "The correct answer is (B).",
    "Answer: B", '{"answer": "B"}', "B: 2", "B", "b.", "2", "12", "It shows 12 of them", "black cat", "A black cat.", "I see a cat",
    "a cat and a dog", "A. cat B. dog C. black cat D. No animal", "A. cat\nB. dog\nC. black cat\nD. No animal\nAnswer: C",
    "A or B", "Both (A) and (C)", "A man is running", "A man is running in the park", "I think the man is sitting",
    "Option A is wrong, so the answer is B", "The answer is A because he runs", "I would say B", "Ｂ．上海", "答案是B", "选Ａ", "上海",
    "北京和上海", "A A A A A A", "ABABABABAB", "Z", "E", "B\nbecause of the colour", "I", "A", "A,", "It is C, not D",
    "My choice is D", "None of the above", "catalogue", "concatenate", "2 dogs", "answer B or C",
]
YES_REPLIES = [
    "Yes", "No", "yes.", "NO!", "Yes, there is a dog.", "No, there is not.", "There is no dog", "There is a dog", "There isn't a dog",
    "It is not there", "I think yes", "I think the answer is no", "yes and no", "Unsure", '{"answer": "yes"}', "nobody", "Notable",
    "yesterday", "Not at all. Yes", "The image shows a dog. No cat.", "Yes. No.", "**Yes**",
]


def cases(name, score, replies, answers, more=()):
    for key, value in answers.items():
        for reply in [*replies, *BAD]:
            expect = {"answers": value} if isinstance(value, list) else {"options": value[0], "answer": value[1]}
            yield {"expect": expect, "reply": reply, "score": score(reply, value)}


sets = {
    "vqa-accuracy": cases("", textvqa, REPLIES, PEOPLE),
    "vqa-accuracy v2": cases("", vqa_v2, REPLIES, PEOPLE),
    "anls": cases("", anls, TEXT_REPLIES, TEXTS),
    "relaxed-accuracy": cases("", chart, CHART_REPLIES, CHARTS),
    "mmmu": cases("", mmmu_open, OPEN_REPLIES, OPEN),
    "multiple-choice": cases("", lambda r, v: float(choose(r, v[0]) == v[1]), CHOICE_REPLIES, CHOICES),
    "yes-no": cases("", yes_no, YES_REPLIES, {"yes": ["yes"], "no": ["No"]}),
    "yes-no official": cases("", pope_official, YES_REPLIES, {"yes": ["yes"], "no": ["No"]}),
}
# Each answer and reply once; scores row by row.
out = {}
for name, rows in sets.items():
    rows = list(rows)
    expects = []
    for row in rows:
        if row["expect"] not in expects:
            expects.append(row["expect"])
    replies = list(dict.fromkeys(row["reply"] for row in rows))
    table = [[None] * len(replies) for _ in expects]
    for row in rows:
        table[expects.index(row["expect"])][replies.index(row["reply"])] = row["score"]
    out[name] = {"expects": expects, "replies": replies, "scores": table}
print(json.dumps(out, ensure_ascii=False, separators=(",", ":")))
