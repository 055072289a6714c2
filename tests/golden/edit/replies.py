"""Judges' replies with what the official scripts, and the strict and robust readings, make of them: replies.json.

    python replies.py [--each 40] [--seed 1] [--out replies.json]

Written from a description of what the scripts do (ImgEdit 547185d, Step1X-Edit 570eba6, WISE eb51174), without their code or
unigauge's: replies are taken apart by the scanners below, character by character, and Python itself settles what
splitlines, strip, isdigit, int, json, min and round do. Every quirk of the description is a case with its name; the others
are put together at random from pieces that lie near the quirks. Where the description says nothing, there is no case:
what an exception inside a later round does, words of other alphabets in names, numbers beyond a double.
"""

import argparse
import json
import math
import random
from pathlib import Path

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
DIGITS = "0123456789"


class Scanner:
    """A place in a text that moves forward."""

    def __init__(self, text, at=0):
        self.text, self.at = text, at

    def skip(self, takes, most=None):
        """Passes characters that `takes` accepts; how many they were."""
        start = self.at
        while self.at < len(self.text) and takes(self.text[self.at]) and (most is None or self.at - start < most):
            self.at += 1
        return self.at - start

    def take(self, *words):
        """Passes the first of the words that stands here, in any case."""
        for word in words:
            if self.text[self.at:self.at + len(word)].lower() == word.lower():
                self.at += len(word)
                return word
        return None

    def number(self):
        """Digits, maybe with a point and further digits."""
        start = self.at
        if not self.skip(lambda c: c in DIGITS):
            return None
        end = self.at
        if not (self.take(".") and self.skip(lambda c: c in DIGITS)):
            self.at = end
        return float(self.text[start:self.at])

    def here(self):
        return self.text[self.at:self.at + 1]


def mean(numbers):
    return round(sum(numbers) / len(numbers), 2)


# --- ImgEdit ---------------------------------------------------------------------------------------------------------

def imgedit_official(reply):
    numbers = []
    for line in reply.splitlines():
        parts = line.strip().split(": ")
        if len(parts) != 2 or not parts[1].isdigit():
            continue
        try:
            numbers.append(int(parts[1]))
        except ValueError:
            # The official script ends here.
            return None
    return mean(numbers) if numbers else None


def imgedit_strict(reply, names):
    lines = [line.strip() for line in reply.splitlines()]
    numbers = []
    for name in names:
        of_name = [line for line in lines if line.startswith(name + ": ")]
        if of_name not in [[f"{name}: {n}"] for n in range(1, 6)]:
            return None
        numbers.append(int(of_name[0][-1]))
    return mean(numbers)


def imgedit_line(line, name):
    """The number behind a name that begins a line, through marks, numbering and blanks."""
    scan = Scanner(line)
    scan.skip(lambda c: c.isspace() or c in ">*_#•–—-")
    start = scan.at
    if not (scan.skip(lambda c: c in DIGITS) and scan.take(".", ")")):
        scan.at = start
    scan.skip(lambda c: c.isspace() or c in "*_#")
    if not scan.take(name, name.replace("&", "and")):
        return None
    scan.skip(lambda c: c.isspace() or c in "*_")
    if not scan.take(":", "：", "="):
        return None
    scan.skip(lambda c: c.isspace() or c in "*_")
    return scan.number()


def imgedit_robust(reply, names):
    numbers = []
    for name in names:
        found = [imgedit_line(line, name) for line in reply.splitlines()]
        found = [number for number in found if number is not None]
        if not found:
            return None
        numbers.append(min(5.0, max(1.0, found[-1])))
    return mean(numbers)


def is_word(c):
    return c.isalnum() or c == "_"


def uge_robust(reply):
    """The last number from 1 to 5 behind the word; a digit of a longer number is none."""
    last, at = None, 0
    while at < len(reply):
        scan = Scanner(reply, at)
        at += 1
        if scan.take("score"):
            scan.skip(lambda c: not is_word(c))
            digit = scan.here()
            scan.at += 1
            if digit in list("12345") and not (scan.here() and is_word(scan.here())):
                last = float(digit)
    return last


# --- GEdit -----------------------------------------------------------------------------------------------------------

class Again(Exception):
    """The reply cannot be read: both questions are asked once more."""


class Anew(Exception):
    """An error outside of the reading: the picture is judged anew, from a first round."""


GUESS = object()
MARK = "||V^=^V||"


def quote_words(text):
    """Puts quotes around each word right before a colon."""
    out, at = "", 0
    while at < len(text):
        scan = Scanner(text, at)
        if scan.skip(is_word):
            word = text[at:scan.at]
            out += f'"{word}"' if scan.here() == ":" else word
        else:
            out += text[at]
            scan.at += 1
        at = scan.at
    return out


def wrap_values(text):
    """Makes numbers lists of one, and quotes what else stands between `"key":` and the next comma or brace."""
    out, at = "", 0
    while True:
        key = text.find('"', at)
        colon = text.find('":', key + 1) if key >= 0 else -1
        ends = [end for end in (text.find(",", colon + 2), text.find("}", colon + 2)) if end >= 0]
        if key < 0 or colon < 0 or not ends:
            return out + text[at:]
        value = text[colon + 2:min(ends)].strip()
        scan = Scanner(value)
        scan.take("-")
        if scan.number() is not None and scan.at == len(value):
            value = f"[{value}]"
        elif value not in ("true", "false", "null"):
            value = f'"{value}"'
        out += f"{text[at:colon + 1]}: {value}"
        at = min(ends)


def bare_list(text):
    """What the list branch takes: two whole numbers, at most one blank behind the comma."""
    scan = Scanner(text)
    decimal = lambda c: c.isdecimal()
    if scan.take("[") and scan.skip(decimal) and scan.take(","):
        scan.take(" ")
        if scan.skip(decimal) and scan.take("]") and scan.at == len(text):
            return True
    return False


def gedit_bare(reply, later):
    """A reply without a pair of braces."""
    if later:
        return GUESS
    first, last = reply.find("["), reply.rfind("]")
    inside = reply[first:last + 1] if first >= 0 else ""
    if bare_list(inside):
        try:
            return json.loads(inside)
        except ValueError:
            raise Anew from None
    try:
        number = int(reply)
    except ValueError:
        raise Again from None
    if 0 <= number <= 10:
        return [number]
    raise Again


def gedit_read(reply, later):
    """What stands under `score` of a reply."""
    if reply == "rate_limit_exceeded":
        raise Anew
    pieces = reply.split(MARK)
    if len(pieces) == 3:
        inside = pieces[1]
    elif "{" in reply and "}" in reply:
        inside = reply[reply.index("{"):reply.rindex("}") + 1]
    else:
        return gedit_bare(reply, later)
    inside = inside.replace("\n", "")
    try:
        score = json.loads(inside)["score"]
        return score if isinstance(score, list) else [score]
    except (ValueError, KeyError, TypeError):
        pass
    try:
        read = json.loads(wrap_values(quote_words(inside)))
    except ValueError:
        raise Again from None
    if read is False:
        raise Again
    try:
        return read["score"]
    except (KeyError, TypeError):
        raise Anew from None


def gedit_official(rounds):
    later = False
    for pair in rounds:
        read, failed = [], False
        try:
            for reply in pair:
                try:
                    read.append(gedit_read(reply, later))
                except Again:
                    failed = True
            later = True
            if failed:
                continue
            if any(score is GUESS for score in read):
                return None
            sc, pq = (min(score) for score in read)
            if not math.isfinite(math.sqrt(sc * pq)):
                return None
            return [float(sc), float(pq)]
        except (Anew, ValueError, TypeError):
            later = False
    return None


def gedit_strict_one(reply):
    """The least of two numbers from 0 to 10 in a JSON object that names them once; None for anything else."""
    reply = reply.split("</think>")[-1].lstrip()
    if "{" not in reply or "}" not in reply:
        return None
    times = []

    def pairs(entries):
        times.append([key for key, _ in entries].count("score"))
        return dict(entries)

    try:
        read = json.loads(reply[reply.index("{"):reply.rindex("}") + 1], object_pairs_hook=pairs)
    except ValueError:
        return None
    score = read.get("score")
    # The outermost object is the last to be closed.
    if times[-1] != 1 or type(score) is not list or len(score) != 2:
        return None
    good = all(type(number) in (int, float) and 0 <= number <= 10 for number in score)
    return float(min(score)) if good else None


def gedit_strict(rounds):
    for pair in rounds:
        both = [gedit_strict_one(reply) for reply in pair]
        if None not in both:
            return both
    return None


# --- WISE ------------------------------------------------------------------------------------------------------------

WISE = ["Consistency", "Realism", "Aesthetic Quality"]


def behind_name(reply, at, names):
    """The name at this place, and the scanner behind its marks, blanks and colon."""
    scan = Scanner(reply, at)
    name = scan.take(*names)
    if name:
        scan.skip(lambda c: c == "*", 2)
        scan.skip(str.isspace)
        scan.take(":")
        scan.skip(str.isspace)
    return name, scan


def lone_digits(text, digits):
    lines = [line.strip() for line in text.split("\n")]
    return [float(line) for line in lines if line in list(digits)]


def wise_official(reply):
    found, at = {}, 0
    while at < len(reply):
        name, scan = behind_name(reply, at, WISE)
        if name and scan.here().isdecimal():
            found[name] = float(int(scan.here()))
            at = scan.at + 1
        else:
            at += 1
    lines = lone_digits(reply, "012")
    if not found and len(lines) >= 3:
        return lines[:3]
    return [found[name] for name in WISE] if len(found) == 3 else None


def wise_verified(reply):
    while "<think>" in reply and "</think>" in reply.split("<think>", 1)[1]:
        before, rest = reply.split("<think>", 1)
        reply = before + rest.split("</think>", 1)[1].lstrip()
    for at in range(len(reply)):
        name, scan = behind_name(reply, at, ["Score"])
        if name and scan.here() in ("0", "1"):
            digit = scan.here()
            scan.at += 1
            if not (scan.here() and is_word(scan.here())):
                return float(digit)
    lines = lone_digits(reply, "01")
    return lines[0] if len(lines) == 1 else None


# --- the quirks by name ----------------------------------------------------------------------------------------------

REPLACE = RUBRICS["replace"]


def lines_of(*numbers):
    return "\n".join(f"{name}: {number}" for name, number in zip(REPLACE, numbers))


IMGEDIT_QUIRKS = {
    "the template": "Brief reasoning: it fits.\n" + lines_of(4, 3, 5),
    "blanks behind a number": "Prompt Compliance: 5  \t",
    "markup around a name": "**Prompt Compliance:** 5",
    "markup around a name and its colon apart": "**Prompt Compliance**: 5",
    "a full stop behind a number": "Prompt Compliance: 5.",
    "a number out of five": "Prompt Compliance: 4/5",
    "a remark behind a number": "Prompt Compliance: 4 (Good)",
    "no blank behind the colon": "Prompt Compliance:5",
    "two colons in a line": "Note: x: 5",
    "two blanks behind the colon": "Score:  5",
    "a full-width digit": "Prompt Compliance: ５",
    "a superscript digit stops the script": "Prompt Compliance: 5\nOther: ²",
    "a superscript digit in a line that does not count": "Prompt Compliance: 5\nOther: 3²x",
    "no range is checked": "Total: 12",
    "zero": "Prompt Compliance: 0",
    "fewer than three lines": "Prompt Compliance: 5\nVisual Naturalness: 2",
    "more than three lines": lines_of(5, 5, 5) + "\nTotal: 1",
    "a reasoning line that is a number": "Brief reasoning: 5\n" + lines_of(1, 1, 1),
    "an empty name": ": 5",
    "no line at all": "I cannot judge this.",
    "nothing": "",
    "two lines of a name": lines_of(5, 5, 5) + "\nPrompt Compliance: 1",
    "a third counts as .33": lines_of(5, 4, 4),
    "two thirds count as .67": lines_of(5, 5, 4),
    "lines behind carriage returns": lines_of(5, 4, 3).replace("\n", "\r"),
    "lines behind vertical tabs": lines_of(5, 4, 3).replace("\n", "\x0b"),
    "lines behind form feeds": lines_of(5, 4, 3).replace("\n", "\x0c"),
    "lines behind file separators": lines_of(5, 4, 3).replace("\n", "\x1c"),
    "lines behind group separators": lines_of(5, 4, 3).replace("\n", "\x1d"),
    "lines behind record separators": lines_of(5, 4, 3).replace("\n", "\x1e"),
    "a unit separator ends no line": lines_of(5, 4, 3).replace("\n", "\x1f"),
    "lines behind U+0085": lines_of(5, 4, 3).replace("\n", "\x85"),
    "lines behind U+2028": lines_of(5, 4, 3).replace("\n", "\u2028"),
    "lines behind U+2029": lines_of(5, 4, 3).replace("\n", "\u2029"),
    "blanks of other alphabets are stripped": "\u3000\u00a0Prompt Compliance: 5\u2003\x1f",
    "a zero-width blank is none": "Prompt Compliance: 5\u200b",
    "numbered lines": "\n".join(f"{at}. {name}: 4" for at, name in enumerate(REPLACE, 1)),
    "a list": "\n".join(f"- {name}: 4" for name in REPLACE),
    "headings": "\n".join(f"## {name}: 4" for name in REPLACE),
    "all in bold": "\n".join(f"**{name}: 4**" for name in REPLACE),
    "names in lower case": lines_of(4, 4, 2).lower(),
    "and for the ampersand": lines_of(4, 4, 2).replace("&", "and"),
    "numbers beyond the scale": lines_of(9, 0, 3),
    "halves": lines_of("4.5", "3.5", "3"),
    "a score above the first": lines_of(2, 5, 5),
}
UGE_QUIRKS = {
    "one line, as its readme shows": "Brief reasoning: the cup is gone. Score: 2.",
    "one line with a remark": "Brief reasoning: fine. Score: 3 (Acceptable)",
    "a line of its own": "Brief reasoning: fine.\nScore: 4",
    "in bold": "Brief reasoning: fine. **Score:** 4",
    "out of five": "score 5/5",
    "beyond the scale": "Score: 7",
    "a digit of a longer number": "Score: 35",
    "the last one counts": "Score: 2 or rather Score: 3",
    "in words": "Score: two",
    "on the next line": "Score\n1",
    "the word alone": "Score",
}
FINE = '{"score": [9, 8], "reasoning": "x"}'
GEDIT_QUIRKS = {
    "an object": ['{"score": [7, 6], "reasoning": "fine"}'],
    "words around the object": ['Here you are: {"score": [7, 6]} done'],
    "a single number": ['{"score": 7}'],
    "one score in the list": ['{"score": [7]}'],
    "the rate limit's words": ["rate_limit_exceeded"],
    "the rate limit's words lead to a first round": ["rate_limit_exceeded", "[7, 8]"],
    "two delimiters": ['x||V^=^V||{"score": [5, 6]}||V^=^V||{'],
    "one delimiter": ['||V^=^V||{"score": [5, 6]}'],
    "three delimiters": ['||V^=^V||{"score": [5, 6]}||V^=^V||||V^=^V||'],
    "nothing between two delimiters": ["||V^=^V||||V^=^V||"],
    "the first brace to the last": ['{"score": [7, 6]} {"score": [1, 1]}'],
    "a bare list": ["[7, 8]"],
    "a bare list without a blank": ["So [7,8]."],
    "a bare list with two blanks": ["[7,  8]"],
    "a bare list of three": ["[7, 8, 9]"],
    "a bare list of one": ["[7]"],
    "a brace that is not closed": ['{"score": [7, 8]'],
    "a brace that is not opened": ['"score": [7, 8]}'],
    "braces the wrong way round": ["}{"],
    "a bare number": ["7"],
    "a bare number between blanks": [" 7 "],
    "a bare number with a sign": ["+7"],
    "a bare number below zero": ["-1"],
    "a bare number with an underscore": ["1_0"],
    "a full-width number": ["７"],
    "a bare number beyond the scale": ["11"],
    "a bare number with a point": ["7.0"],
    "words alone": ["I cannot say."],
    "nothing": [""],
    "line feeds are deleted": ['{"score": [1\n0, 10]}'],
    "a line feed inside a string": ['{"score": [7, 8], "reasoning": "a\nb"}'],
    "a tab inside a string": ['{"score": [7, 8], "reasoning": "a\tb"}'],
    "a carriage return inside a string": ['{"score": [7, 8], "reasoning": "a\rb"}'],
    "the last of two keys": ['{"score": [1, 1], "score": [7, 8]}'],
    "another key twice": ['{"score": [7, 8], "reasoning": "a", "reasoning": "b"}'],
    "two keys inside the object": ['{"score": [7, 8], "parts": {"score": 1, "score": 2}}'],
    "true is 1": ['{"score": true}'],
    "true in a list is 1": ['{"score": [true, 7]}'],
    "a number as text": ['{"score": "7"}'],
    "numbers as texts": ['{"score": ["7", "8"]}'],
    "null": ['{"score": null}'],
    "an empty list": ['{"score": []}'],
    "NaN": ['{"score": [NaN, 7]}'],
    "halves": ['{"score": [7.5, 8]}'],
    "no range is checked": ['{"score": [12, 20]}'],
    "no score": ['{"reasoning": "fine"}'],
    "words without quotes are mended": ["{score: 7, reasoning: fine}"],
    "a list of two is not": ["{score: [7, 8], reasoning: fine}"],
    "inner quotes are not": ['{"score": [7, 8], "reasoning": "a "b" c"}'],
    "single quotes are not": ["{'score': [7, 8]}"],
    "a comma at the end is not": ['{"score": [7, 8],}'],
    "a mended true is no list": ["{score: true}"],
    "a mended text is no number": ["{score: good}"],
    "asked again": ["I cannot say.", '{"score": [6, 7]}'],
    "asked again in vain, then a guess": ["I cannot say.", "I cannot say."],
    "a clean list in a second round is a guess": ["I cannot say.", "[7, 8]"],
    "a clean number in a second round is a guess": ["I cannot say.", "7"],
    "braces that cannot be mended are asked again without end": ["{x}", "{x}", "{x}", '{"score": [5, 5]}'],
    "a reply without braces after one with them": ["{x}", "[7, 8]"],
}
WISE_QUIRKS = {
    "the template": "Consistency: 2\nRealism: 1\nAesthetic Quality: 0",
    "asterisks before the colon": "**Consistency**: 2\n**Realism**: 1\n**Aesthetic Quality**: 0",
    "asterisks around all": "**Consistency: 2**\n**Realism: 1**\n**Aesthetic Quality: 0**",
    "asterisks behind the colon": "**Consistency:** 2\n**Realism:** 1\n**Aesthetic Quality:** 0",
    "a full-width colon": "Consistency：2\nRealism：1\nAesthetic Quality：0",
    "no colon": "Consistency 2\nRealism1\nAesthetic Quality 0",
    "any case": "CONSISTENCY: 2\nrealism: 1\naesthetic quality: 0",
    "names inside longer words": "Inconsistency: 2\nSurrealism: 1\nUnaesthetic Quality: 0",
    "the first digit counts": "Consistency: 10\nRealism: 1.5\nAesthetic Quality: 2/2",
    "no range is checked": "Consistency: 9\nRealism: 1\nAesthetic Quality: 0",
    "the last of a name wins": "Consistency: 2\nRealism: 1\nAesthetic Quality: 0\nConsistency: 0",
    "a name is missing": "Consistency: 2\nRealism: 1\n1",
    "lines of digits": "2\n1\n0",
    "more lines of digits": "2\n 1\t\nfine\n0\n2",
    "two lines of digits": "2\n1",
    "a digit beyond the scale is no line": "2\n3\n1",
    "lines of digits beside a name": "Realism: 1\n2\n1\n0",
    "blanks of other alphabets": "Consistency:\u30002\nRealism\x1f:\u00a01\nAesthetic Quality:\x850",
    "a zero-width blank is none": "Consistency:\u200b2\nRealism: 1\nAesthetic Quality: 0",
    "digits of other alphabets": "Consistency: ２\nRealism: ١\nAesthetic Quality: 0",
    "a number in words": "Consistency: two\nRealism: 1\nAesthetic Quality: 0",
}
VERIFIED_QUIRKS = {
    "one": "Score: 1",
    "zero": "Score: 0",
    "in bold": "**Score**: 1",
    "any case, no colon": "score 1",
    "beyond the scale": "Score: 2",
    "a line alone": "It fits.\n1\n",
    "two lines alone": "1\n0",
    "thoughts are left out": "<think>Score: 0</think>\nScore: 1",
    "thoughts of lines": "<think>0\n</think>1",
    "a digit of a longer number": "Score: 10",
    "nothing": "It is good.",
}


# --- replies near the quirks -----------------------------------------------------------------------------------------

ENDS = ["\n"] * 8 + ["\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029", "\n\n", " \n", "\t", "\x1f"]
NUMBERS = ["5", "4", "3", "2", "1", "0", "10", "12", "７", "٣", "²", "①", "5.", "4/5", "4 (Good)", "4.5", "05", " 5", "1_0",
           "+3", "-1", "", "five", "3³"]


def imgedit_reply(rng, names):
    lines = ["Brief reasoning: " + rng.choice(["the dog is gone.", "5", "note: fine", "Score: 3.", ""])] * rng.randint(0, 1)
    for name in names * rng.choice([1, 1, 1, 1, 2]):
        if rng.random() < 0.06:
            continue
        number = rng.choice(NUMBERS[:5]) if rng.random() < 0.7 else rng.choice(NUMBERS)
        shape = rng.choice(["{}: {}"] * 12 + ["**{}:** {}", "**{}**: {}", "- {}: {}", "1. {}: {}", "{}:{}", "{}:  {}", "Note: {}: {}",
                            "# {}: {} ", "  {}: {}\u3000", "{}: {}/5", "{}: {} (ok)", "{} : {}", "{}：{}"])
        name = rng.choice([name] * 12 + [name.lower(), name.replace("&", "and"), "", "Total", name[:-1]])
        lines.append(shape.format(name, number))
    return "".join(line + rng.choice(ENDS) for line in lines)


SCORES = ["[8, 7]"] * 6 + ["[8,7]", "[8]", "8", "[]", "null", "true", "[true, 7]", '"8"', "[8.5, 7]", "[1\n0, 9]", "1\n0", '["8", 7]',
          "[11, 12]", "[8, 7,]", "8, 7", "[0, 9]"]


def gedit_reply(rng):
    score = rng.choice(SCORES)
    kind = rng.random()
    if kind < 0.5:
        key = rng.choice(['"score"'] * 8 + ["score", "'score'"])
        reason = rng.choice(['"fine"'] * 6 + ["fine", '"a \\"b\\" c"', '"line\nfeed"', '"a\ttab"', '"x: y, z"', "it is: ok", '"é 字"'])
        parts = [f"{key}{rng.choice([':', ': '])}{score}", f'"reasoning": {reason}']
        if rng.random() < 0.15:
            parts[1] = f"reasoning: {reason}"
        if rng.random() < 0.1:
            parts.append(f'"score": {rng.choice(SCORES)}')
        if rng.random() < 0.15:
            rng.shuffle(parts)
        body = rng.choice(["{%s}"] * 10 + ["{\n%s\n}", "{%s,}", "{%s", "%s}", "{{%s}}", "{%s} {"]) % ", ".join(parts)
        return rng.choice(["%s"] * 8 + ["```json\n%s\n```", "Here: %s."]) % body
    if kind < 0.7:
        return rng.choice(["[8, 7]", "[8,7]", "[8,  7]", "I say [8, 7].", "[8, 7", "8, 7]", "[8, 7] [1]", "{[8, 7]", "[8]", "[8, 7, 6]",
                           "score: [8, 7]", "}[8, 7]"])
    if kind < 0.85:
        return rng.choice(["7", " 7 ", "+7", "-7", "1_0", "11", "７", "7.0", "10", "\u30007\n", "seven", "0x7", "", " ", "2 ", "0",
                           "rate_limit_exceeded "])
    inside = rng.choice([f'{{"score": {score}}}', "[8, 7]", "", " ", f"{{score: {score}}}"])
    return rng.choice(["{1}{0}{1}"] * 4 + ["x{1}{0}{1}{{", "{1}{0}", "{1}{0}{1}{1}"]).format(inside, MARK)


# What is asked again for certain, whatever the round.
POOR = ["{x}", "{'score': [7, 8]}", '{"score": [7, 8],}', '{"score": [7, 8], "reasoning": "a "b" c"}']


def gedit_rounds(rng):
    """One round of anything, or rounds that fail before the last one."""
    good = ['{"score": [8, 7], "reasoning": "fine"}', '{"score": [6], "reasoning": "x"}']
    if rng.random() < 0.6:
        return [[rng.choice(good + ["[9, 4]", "5"]) if rng.random() < 0.35 else gedit_reply(rng) for _ in "ab"]]
    rounds = []
    for _ in range(rng.randint(1, 2)):
        pair = [rng.choice(POOR), rng.choice(good + POOR)]
        rng.shuffle(pair)
        rounds.append(pair)
    return rounds + [[rng.choice(good + ["[8, 7]", "7", "no idea"]), rng.choice(good)]]


def wise_reply(rng):
    if rng.random() < 0.2:
        lines = [rng.choice(["0", "1", "2", " 2 ", "2\x1c", "3", "2.", "", "1 1"]) for _ in range(rng.randint(2, 5))]
        return rng.choice(["", "I see.\n"]) + "".join(line + rng.choice(["\n", "\r\n", " \n"]) for line in lines)
    lines = []
    for name in WISE * rng.choice([1, 1, 1, 2]):
        if rng.random() < 0.08:
            continue
        shape = rng.choice(["{}: {}"] * 8 + ["**{}**: {}", "**{}: {}**", "**{}:** {}", "{}：{}", "{} {}", "{}{}", "In{}: {}", "{} = {}", "* {}: {}",
                            "{}:\x1f{}", "{} :\u3000{}", "{}: - {}"])
        digit = rng.choice(["0", "1", "2"] * 6 + ["3", "10", "1.5", "2/2", "٢", "２", "two", ""])
        name = rng.choice([name] * 10 + [name.lower(), name.upper(), name.replace(" ", "  "), "Score"])
        lines.append(shape.format(name, digit))
    return rng.choice(["", "I see.\n", "\r\n"]) + "".join(line + rng.choice(ENDS) for line in lines)


def verified_reply(rng):
    text = rng.choice(["Score: {}", "**Score**: {}", "score {}", "Score: {}/1", "{}", "{}\n{}", " {} \nok", "Score:\n{}",
                       "<think>Score: 1</think>\nScore: {}", "<think>x</think>{}", "Score: {}. Score: 1", "It is good."])
    return text.replace("{}", rng.choice(["0", "1", "1", "2", "10", "01", "1.0", "1a", ""]))


def cases(each, seed):
    rng = random.Random(seed)
    all_cases = {"imgedit": [], "uge": [], "gedit": [], "wise": [], "wise-verified": []}

    def add(of, name, **case):
        all_cases[of].append({"name": name, **case} if name else case)

    def imgedit(kind, reply, name=None):
        names = RUBRICS[kind]
        add("imgedit", name, edit_type=kind, reply=reply, official=imgedit_official(reply), strict=imgedit_strict(reply, names),
            robust=imgedit_robust(reply, names))

    def uge(reply, name=None):
        add("uge", name, reply=reply, official=imgedit_official(reply), robust=uge_robust(reply))

    def gedit(rounds, name=None):
        add("gedit", name, rounds=rounds, official=gedit_official(rounds), strict=gedit_strict(rounds))

    for name, reply in IMGEDIT_QUIRKS.items():
        imgedit("replace", reply, name)
    for name, reply in UGE_QUIRKS.items():
        uge(reply, name)
    for name, replies in GEDIT_QUIRKS.items():
        gedit([[reply, FINE] for reply in replies], name)
    for name, reply in WISE_QUIRKS.items():
        add("wise", name, reply=reply, official=wise_official(reply))
    for name, reply in VERIFIED_QUIRKS.items():
        add("wise-verified", name, reply=reply, official=wise_verified(reply))
    for _ in range(each * 2):
        kind = rng.choice(list(RUBRICS))
        imgedit(kind, imgedit_reply(rng, RUBRICS[kind]))
        score = rng.choice(["Score: 2.", "Score: 3 (Acceptable)", "**Score:** 4", "score 5/5", "Score: 7", "Score: 2 or Score: 3", "Score: two",
                            "Score-\n1", "Score: 4.5"])
        uge(rng.choice(["Brief reasoning: it fits. ", "Brief reasoning: a fine edit\n", "Brief reasoning: 5\n", ""]) + score)
        reply = wise_reply(rng)
        add("wise", None, reply=reply, official=wise_official(reply))
        reply = verified_reply(rng)
        add("wise-verified", None, reply=reply, official=wise_verified(reply))
    for _ in range(each * 4):
        gedit(gedit_rounds(rng))
    return all_cases


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "replies.json")
    args = parser.parse_args()
    made = cases(args.each, args.seed)
    lines = [f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, of)) + "\n]" for name, of in made.items()]
    args.out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    for name, of in made.items():
        named = sum("name" in case for case in of)
        print(name, len(of), "replies,", named, "named,", sum(case["official"] is not None for case in of), "with an official score")


if __name__ == "__main__":
    main()
