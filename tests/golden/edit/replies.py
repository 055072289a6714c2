"""Judges' replies with what the official scripts, and the strict and robust readings, make of them: replies.json.

    pip install regex==2026.11.19
    python replies.py [--each 40] [--seed 1] [--out replies.json]

Written from the specification of the scripts (ImgEdit 547185d, Step1X-Edit 570eba6, WISE eb51174): no code of unigauge is
used. Python itself settles what splitlines, isdigit, int, json, min and round do; `regex` is the module that Step1X-Edit
imports. Replies are put together from pieces that lie near every quirk.
"""

import argparse
import json
import math
import random
import re
import sys
from pathlib import Path

import regex

sys.set_int_max_str_digits(4300)

RUBRICS = {
    "add": ["Prompt Compliance", "Visual Naturalness", "Physical & Detail Coherence"],
    "adjust": ["Prompt Compliance", "Visual Seamlessness", "Physical & Detail Fidelity"],
    "extract": ["Object Identity", "Mask Precision", "Visual Quality"],
    "replace": ["Prompt Compliance", "Visual Naturalness", "Physical & Detail Integrity"],
    "remove": ["Prompt Compliance", "Visual Naturalness", "Physical & Detail Integrity"],
    "background": ["Instruction Compliance", "Visual Seamlessness", "Physical Consistency"],
    "style": ["Style Fidelity", "Content Preservation", "Rendering Quality"],
    "compose": ["Instruction Compliance", "Visual Naturalness", "Physical Consistency & Fine Detail"],
    "action": ["Action Fidelity", "Identity Preservation", "Visual & Anatomical Coherence"],
}


# --- ImgEdit ---------------------------------------------------------------------------------------------------------

def imgedit_official(reply):
    numbers = []
    try:
        for line in reply.splitlines():
            name, blank, number = line.strip().partition(": ")
            if blank and ": " not in number and number.isdigit():
                numbers.append(int(number))
        return round(sum(numbers) / len(numbers), 2) if numbers else None
    except (ValueError, OverflowError):
        return None


def imgedit_strict(reply, names):
    numbers = []
    for name in names:
        found = [line.strip()[len(name) + 2:] for line in reply.splitlines() if line.strip().startswith(name + ": ")]
        if len(found) != 1 or found[0] not in ("1", "2", "3", "4", "5"):
            return None
        numbers.append(int(found[0]))
    return round(sum(numbers) / 3, 2)


def imgedit_robust(reply, names):
    numbers = []
    for name in names:
        last = None
        for line in reply.splitlines():
            line = re.sub(r"^[\s>*_#•–—-]*", "", line)
            line = re.sub(r"^[0-9]+[.)]", "", line)
            line = re.sub(r"^[\s*_#]*", "", line)
            words = [name, name.replace("&", "and")]
            rest = next((line[len(w):] for w in words if line.lower().startswith(w.lower())), None)
            if rest is None:
                continue
            rest = re.match(r"[\s*_]*[:：=][\s*_]*([0-9]+(\.[0-9]+)?)", rest)
            if rest:
                last = float(rest.group(1))
        if last is None:
            return None
        numbers.append(min(5.0, max(1.0, last)))
    return round(sum(numbers) / 3, 2)


def uge_robust(reply):
    found = re.findall(r"(?i)score\W*([1-5])\b", reply)
    return float(found[-1]) if found else None


# --- GEdit -----------------------------------------------------------------------------------------------------------

class Again(Exception):
    """The reply cannot be read: both questions are asked once more."""


class Guess(Exception):
    """A random number would be drawn."""


def repair(text):
    def wrap(found):
        key, value, end = found.groups()
        value = value.strip()
        if regex.match(r"^-?\d+(\.\d+)?$", value):
            return f"{key}: [{value}]{end}"
        if value.lower() in ("true", "false", "null"):
            return f"{key}: {value}{end}"
        return f'{key}: "{value}"{end}'

    return regex.sub(r'(".*?"):(.*?)(,|})', wrap, regex.sub(r"(\w+):", r'"\1":', text))


def gedit_read(reply, later):
    """The dictionary that a reply becomes. Other exceptions than Again leave the loop, as in the official script."""
    if reply == "rate_limit_exceeded":
        return reply
    mark = "||V^=^V||"
    if reply.count(mark) == 2:
        first, last = reply.find(mark) + len(mark), reply.rfind(mark)
    else:
        first, last = reply.find("{"), reply.rfind("}") + 1
        if "{" not in reply or "}" not in reply:
            if later:
                return Guess
            inside = reply[reply.find("["):reply.rfind("]") + 1]
            if regex.match(r"^\[\d+, ?\d+\]$", inside):
                return {"score": json.loads(inside)}
            try:
                number = int(reply)
            except ValueError:
                raise Again from None
            if 0 <= number <= 10:
                return {"score": [number]}
            raise Again
    if first == last:
        raise Again
    text = reply[first:last].strip().replace("\n", "")
    try:
        read = json.loads(text)
        if type(read["score"]) is not list:
            read["score"] = [read["score"]]
        return read
    except Exception:
        pass
    try:
        read = json.loads(repair(text))
    except Exception:
        raise Again from None
    if read is False:
        raise Again
    return read


def gedit_official(rounds):
    later = False
    for replies in rounds:
        try:
            again, both = False, []
            for reply in replies:
                try:
                    both.append(gedit_read(reply, later))
                except Again:
                    again = True
            later = True
            if again:
                continue
            if "rate_limit_exceeded" in [b for b in both if isinstance(b, str)]:
                raise ValueError
            least = [b if b is Guess else min(b["score"]) for b in both]
            if any(b is Guess for b in both):
                if all(value is Guess or isinstance(value, (int, float)) for value in least):
                    return None
                raise TypeError
            sc, pq = least
            overall = math.sqrt(sc * pq)
            if not all(map(math.isfinite, (sc, pq, overall))):
                return None
            return [float(sc), float(pq)]
        except Exception:
            # The wrapper around it judges the picture anew.
            later = False
    return None


def gedit_strict(rounds):
    def one(reply):
        reply = reply[reply.rfind("</think>") + 8:].lstrip() if "</think>" in reply else reply
        seen = []

        def pairs(entries):
            seen.append(sum(key == "score" for key, _ in entries))
            return dict(entries)

        read = json.loads(reply[reply.index("{"):reply.rindex("}") + 1], object_pairs_hook=pairs)
        score = read["score"]
        if seen[-1] != 1 or type(score) is not list or len(score) != 2:
            raise ValueError
        if not all(type(x) in (int, float) and 0 <= x <= 10 for x in score):
            raise ValueError
        return float(min(score))

    for sc, pq in rounds:
        try:
            return [one(sc), one(pq)]
        except Exception:
            continue
    return None


# --- WISE ------------------------------------------------------------------------------------------------------------

def wise_official(reply):
    found = {}
    for name, digit in re.findall(r"\*{0,2}(Consistency|Realism|Aesthetic Quality)\*{0,2}\s*:?\s*(\d)", reply, re.I):
        found[name.lower()] = float(digit)
    if not found:
        lines = re.findall(r"(?m)^\s*([0-2])\s*$", reply)
        if len(lines) >= 3:
            found = dict(zip(("consistency", "realism", "aesthetic quality"), map(float, lines)))
    try:
        return [found[name] for name in ("consistency", "realism", "aesthetic quality")]
    except KeyError:
        return None


def wise_verified(reply):
    reply = re.sub(r"</think>\s*", "", re.sub(r"<think>.*?</think>\s*", "", reply, flags=re.S))
    found = re.search(r"\*{0,2}Score\*{0,2}\s*:?\s*([01])\b", reply, re.I)
    if found:
        return float(found.group(1))
    lines = re.findall(r"(?m)^\s*([01])\s*$", reply)
    return float(lines[0]) if len(lines) == 1 else None


# --- replies near the quirks -----------------------------------------------------------------------------------------

ENDS = ["\n"] * 8 + ["\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029", "\n\n", " \n", "\t", "\x1f"]
NUMBERS = ["5", "4", "3", "2", "1", "0", "10", "12", "７", "٣", "²", "①", "5.", "4/5", "4 (Good)", "4.5", "05", " 5", "1_0",
           "+3", "-1", "", "five", "3³"]


def imgedit_reply(rng, names):
    lines = ["Brief reasoning: " + rng.choice(["the dog is gone.", "5", "note: fine", "Score: 3.", ""])] * rng.randint(0, 1)
    for name in names * rng.choice([1, 1, 1, 1, 2]):
        if rng.random() < 0.06:
            continue
        kind = rng.random()
        number = rng.choice(NUMBERS[:5]) if kind < 0.7 else rng.choice(NUMBERS)
        shape = rng.choice(["{}: {}"] * 12 + ["**{}:** {}", "**{}**: {}", "- {}: {}", "1. {}: {}", "{}:{}", "{}:  {}", "Note: {}: {}",
                            "# {}: {} ", "  {}: {}\u3000", "{}: {}/5", "{}: {} (ok)", "{} : {}", "{}：{}"])
        name = rng.choice([name] * 12 + [name.lower(), name.replace("&", "and"), "", "Total", name[:-1]])
        lines.append(shape.format(name, number))
    return "".join(line + rng.choice(ENDS) for line in lines)


SCORES = ["[8, 7]"] * 6 + ["[8,7]", "[8]", "8", "[]", "null", "true", "[true, 7]", '"8"', "[8.5, 7]", "NaN", "[NaN, 7]", "[7, NaN]",
          "Infinity", "-3", "[1\n0, 9]", "1\n0", "[08, 7]", "[[8], 7]", '["8", 7]', "[11, 12]", "{\"a\": 1}", "[8, 7,]", "1e400",
          "8, 7", "false", "[0, 9]", "-0", "[-2, 3]", "9" * 400, "[8, null]"]


def gedit_reply(rng):
    score = rng.choice(SCORES)
    kind = rng.random()
    if kind < 0.45:
        key = rng.choice(['"score"'] * 8 + ["score", "'score'", '"scores"', '"Score"', '"score" '])
        reason = rng.choice(['"fine"'] * 6 + ["fine", '"a \\"b\\" c"', '"line\nfeed"', '"a\ttab"', '"x: y, z"', '"\\ud800"', '"\\x"',
                             "it is: ok", '"é 字"', "7", "null"])
        parts = [f"{key}{rng.choice([':', ': ', ' : '])}{score}", f'"reasoning": {reason}']
        if rng.random() < 0.15:
            parts[1] = f"reasoning: {reason}"
        if rng.random() < 0.1:
            parts.append(f'"score": {rng.choice(SCORES)}')
        if rng.random() < 0.2:
            parts = parts[:1]
        if rng.random() < 0.15:
            rng.shuffle(parts)
        body = rng.choice(["{%s}"] * 10 + ["{\n%s\n}", "{%s,}", "{%s", "%s}", "{{%s}}", "{%s} {"]) % ", ".join(parts)
        body = rng.choice(["%s"] * 8 + ["```json\n%s\n```", "Here: %s.", "<think>{no}</think>\n%s", "\ufeff%s"]) % body
    elif kind < 0.6:
        body = rng.choice(["[8, 7]", "[8,7]", "[8,  7]", "I say [8, 7].", "[8, 7", "8, 7]", "[８, 7]", "[8, 7] [1]", "[08, 7]", "{[8, 7]",
                           "[8]", "[8, 7, 6]", "score: [8, 7]", "}[8, 7]", "}{"])
    elif kind < 0.75:
        body = rng.choice(["7", " 7 ", "+7", "-7", "1_0", "11", "７", "7.0", "10", "\u30007\n", "seven", "0x7", "", " ", "2 ", "0",
                           "rate_limit_exceeded", "rate_limit_exceeded ", "9" * 4400])
    else:
        mark = "||V^=^V||"
        inside = rng.choice([f'{{"score": {score}}}', "false", "null", "7", "[8, 7]", "", " ", '{"reasoning": 5}', '"score"', f"{{score: {score}}}",
                             '\ufeff{"score": [8, 7]}', "\u3000{\"score\": [8, 7]}\n"])
        body = rng.choice(["%s%s%s"] * 6 + ["%s%s", "x%s%s%s{", "%s%s%sV^=^V||", "%s%s%s%s"])
        body = {4: lambda: body % (mark, inside, mark, mark), 3: lambda: body % (mark, inside, mark), 2: lambda: body % (mark, inside)}[body.count("%s")]()
    return body


def gedit_rounds(rng):
    good = ['{"score": [8, 7], "reasoning": "fine"}', '{"score": [6], "reasoning": "x"}', "[9, 4]", "5"]
    reply = lambda: rng.choice(good) if rng.random() < 0.35 else gedit_reply(rng)
    return [[reply(), reply()] for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]


def wise_reply(rng):
    lines = []
    for name in ["Consistency", "Realism", "Aesthetic Quality"] * rng.choice([1, 1, 1, 2]):
        if rng.random() < 0.08:
            continue
        shape = rng.choice(["{}: {}"] * 8 + ["**{}**: {}", "**{}: {}**", "**{}:** {}", "{}：{}", "{} {}", "{}{}", "In{}: {}", "{} = {}", "* {}: {}",
                            "{}:\x1f{}", "{} :\u3000{}", "{}: - {}"])
        digit = rng.choice(["0", "1", "2"] * 6 + ["3", "10", "1.5", "2/2", "٢", "２", "²", "two", ""])
        name = rng.choice([name] * 10 + [name.lower(), name.upper(), name.replace("i", "ı"), name.replace("s", "ſ"), name.replace(" ", "  "), "Score"])
        lines.append(shape.format(name, digit))
    if rng.random() < 0.2:
        lines = [rng.choice(["0", "1", "2", " 2 ", "2\x1c", "3", "2.", "", "1 1"]) for _ in range(rng.randint(2, 5))]
    return rng.choice(["", "I see.\n", "\r\n"]) + "".join(line + rng.choice(ENDS) for line in lines)


def verified_reply(rng):
    text = rng.choice(["Score: {}", "**Score**: {}", "**Score:** {}", "score {}", "Score: {}/1", "Score：{}", "{}", "{}\n{}", " {} \nok", "Score:\n{}",
                       "<think>Score: 1</think>\nScore: {}", "Score: 0 maybe</think>{}", "<think>x</think>{}", "Scores: {}", "<think>Score: {}",
                       "underſcore: {}", "Score: {}. Score: 1", "It is good."])
    return text.replace("{}", rng.choice(["0", "1", "1", "2", "10", "01", "1.0", "1a", "١", ""]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "replies.json")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    cases = {"imgedit": [], "uge": [], "gedit": [], "wise": [], "wise-verified": []}
    for _ in range(args.each * 2):
        kind = rng.choice(list(RUBRICS))
        reply = imgedit_reply(rng, RUBRICS[kind])
        cases["imgedit"].append({"edit_type": kind, "reply": reply, "official": imgedit_official(reply),
                                 "strict": imgedit_strict(reply, RUBRICS[kind]), "robust": imgedit_robust(reply, RUBRICS[kind])})
        score = rng.choice(["Score: 2.", "Score: 3 (Acceptable)", "**Score:** 4", "score 5/5", "Score: 7", "Score: 35", "Score: 2 or Score: 3",
                            "Score: two", "Score-\n1", "Score: 4.5"])
        reply = rng.choice(["Brief reasoning: it fits. ", "Brief reasoning: a fine edit\n", "Brief reasoning: 5\n", ""]) + score
        cases["uge"].append({"reply": reply, "official": imgedit_official(reply), "robust": uge_robust(reply)})
        reply = wise_reply(rng)
        cases["wise"].append({"reply": reply, "official": wise_official(reply)})
        reply = verified_reply(rng)
        cases["wise-verified"].append({"reply": reply, "official": wise_verified(reply)})
    for _ in range(args.each * 4):
        rounds = gedit_rounds(rng)
        cases["gedit"].append({"rounds": rounds, "official": gedit_official(rounds), "strict": gedit_strict(rounds)})
    lines = [f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, of)) + "\n]" for name, of in cases.items()]
    args.out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    for name, of in cases.items():
        print(name, len(of), "replies,", sum(case["official"] is not None for case in of), "with an official score")


if __name__ == "__main__":
    main()
