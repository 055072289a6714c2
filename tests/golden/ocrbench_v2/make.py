"""Makes cases.json: predictions for OCRBench v2's structured tasks with the scores that the specification's rules give.

The rules are written here once more, in Python, on ast.literal_eval, json, lxml, apted and zss; Zhang and Shasha's and
APTED's distances come from those packages. Run: python make.py (pip install lxml==6.1.3 apted==1.0.3 zss==1.2.0).
"""

import ast
import itertools
import json
import random
import re
from pathlib import Path

from apted import APTED, Config
from lxml import etree, html
from zss import Node, simple_distance

RANDOM = random.Random(20250101)
FENCE = re.compile(r"```(?:python|json)?\n(.*?)\n```", re.S | re.I)


def levenshtein(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


# Questions ------------------------------------------------------------------------------------------------------------


def vqa(prediction, answers):
    clean = lambda text: str(text).lower().strip().replace("\n", " ")
    said, best = clean(prediction), 0
    for answer in map(clean, answers if isinstance(answers, list) else [answers]):
        if len(answer.split()) < 5:
            best = max(best, int(answer in said))
        else:
            near = 1 - levenshtein(said, answer) / (max(len(said), len(answer)) or 1)
            best = max(best, near if near >= 0.5 else 0)
    return best


# Dicts ----------------------------------------------------------------------------------------------------------------


def pairs_of(prediction):
    fenced = FENCE.search(prediction)
    content = fenced[1] if fenced else prediction.strip()
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(content)
        except Exception:
            pattern = r"""["']?([\w\s]+)["']?\s*[:=]\s*["']?([^\n,"'{}]+)["']?"""
            value = {key.strip(): said.strip() for key, said in re.findall(pattern, content)}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return {}
    return {key.strip(): str(said).strip() for key, said in value.items()}


def key_information(prediction, answer, chinese):
    if chinese:
        gold = {k: v if isinstance(v, list) else [v] for k, v in ast.literal_eval(answer).items()}
    elif isinstance(answer, str):
        text = answer.strip('"')
        try:
            gold = json.loads(text)
        except ValueError:
            try:
                gold = ast.literal_eval(text)
                gold = gold if isinstance(gold, dict) else ast.literal_eval(gold)
            except (ValueError, SyntaxError):
                return 0
        gold = {k: v if isinstance(v, list) else [v] for k, v in gold.items()}
    else:
        gold = answer
    said = pairs_of(prediction)
    norm = lambda v: v.lower().strip().replace("\n", " ").replace(" ", "")
    best = 0
    for choice in itertools.product(*gold.values()):
        wanted = dict(zip(gold, choice))
        counted = right = 0
        for key in said.keys() | wanted.keys():
            a, b = said.get(key), wanted.get(key)
            if a is None and b is None:
                continue
            counted += 1
            right += a is not None and b is not None and norm(a) == norm(b)
        best = max(best, right / counted if counted else 0)
    return best


# Tables ---------------------------------------------------------------------------------------------------------------


class Cost(Config):
    def children(self, node):
        return node["children"]

    def rename(self, a, b):
        if a["label"] != b["label"]:
            return 1.0
        x, y = a["cell"], b["cell"]
        return levenshtein(x, y) / max(len(x), len(y)) if x or y else 0.0


def cell_tokens(element):
    tokens = list(element.text or "")
    for child in element:
        tokens += [f"<{child.tag}>", *cell_tokens(child), *([] if child.tag == "unk" else [f"</{child.tag}>"])]
        if child.tag != "td":
            tokens += list(child.tail or "")
    return tokens


def tree_of(element):
    if element.tag == "td":
        spans = [int(element.attrib.get(name, "1")) for name in ("colspan", "rowspan")]
        return {"label": ("td", *spans), "cell": cell_tokens(element), "children": []}
    return {"label": (element.tag,), "cell": [], "children": [tree_of(child) for child in element]}


def teds(prediction, gold):
    tables = []
    for page in (prediction, gold):
        parser = html.HTMLParser(remove_comments=True, encoding="utf-8")
        try:
            found = html.fromstring(page, parser=parser).xpath("body/table")
        except (AssertionError, etree.ParserError):
            return 0
        if not found:
            return 0
        tables.append(found[0])
    nodes = max(sum(1 for _ in table.iterdescendants()) for table in tables)
    try:
        trees = [tree_of(table) for table in tables]
    except ValueError:
        return 0
    return 1 - APTED(*trees, Cost()).compute_edit_distance() / nodes if nodes else 0


def wrapped(table):
    table = table.replace("\n", "")
    table = ("" if "<table" in table else "<table>") + table + ("" if "</table>" in table else "</table>")
    for tag in ("body", "html"):
        if f"<{tag}>" not in table:
            table = f"<{tag}>{table}</{tag}>"
    return table


def html_table(prediction, gold):
    flat = prediction.replace("\n", "")
    starts = [flat.find(tag) for tag in ("<body", "<table") if tag in flat]
    return teds(wrapped(flat[starts[0] :]), wrapped(gold)) if starts else 0


def markdown_table(prediction, gold):
    def convert(text):
        lines = text.strip("`markdown").strip("`").strip().split("\n")
        rows = []
        for line in lines[:1] + lines[2:]:
            cells = line.strip().split("|")[1:-1]
            rows.append("".join(f"<td>{' ' if set(c) == {' '} else c.strip()}</td>" for c in cells))
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<html><body><table>{body}</table></body></html>"

    return teds(convert(prediction), convert(gold))


def chart(prediction, gold):
    if not prediction:
        return 0
    blocks = FENCE.findall(prediction)
    content = (max(blocks, key=len) if blocks else prediction).strip()
    content = re.sub(r"#.*", "", re.sub(r"^\s*\w+\s*=\s*", "", content, count=1))
    content = content[: content.rfind("}") + 1] or content
    try:
        said = ast.literal_eval(content)
    except Exception:
        return 0
    if not isinstance(said, dict) or not said:
        return 0

    def convert(chart):
        rows = [f"  <tr><td>{key}</td><td>{' '.join(str(value))}</td></tr>\n" for key, value in chart.items()]
        return "<html><body><table>\n" + "".join(rows) + "</table></body></html>"

    return teds(convert(said), convert(gold))


# Documents ------------------------------------------------------------------------------------------------------------

CLEANING = [
    (r"<bos>|<eos>|<pad>|<unk>", ""),
    (r"\s##(\S)", r"\1"),
    (r"\\\s", r"\\"),
    (r"\s\*\s\*\s", "**"),
    (r"{\s", "{"),
    (r"\s}", "}"),
    (r"\s}", "}"),
    (r"\\begin\s", r"\\begin"),
    (r"\\end\s", r"\\end"),
    (r"\\end{table}", r"\\end{table} \n\n"),
    (r"[\n*_]", " "),
]


def outline(text):
    root = Node("ROOT").addkid(Node("TITLE"))
    title = ""
    for line in text.split("\n"):
        for pattern, by in CLEANING:
            line = re.sub(pattern, by, line)
        if line.startswith("#"):
            title = line.replace("#", "")
            root.addkid(Node(title))
        else:
            root.get(title or "TITLE").addkid(Node(line))
    return root


def document(prediction, gold):
    a, b = outline(prediction), outline(gold)
    distance = simple_distance(a, b, label_dist=lambda x, y: 0 if x.split() and y.split() else 1)
    return 1 - distance / max(len(list(a.iter())), len(list(b.iter())))


# Boxes ----------------------------------------------------------------------------------------------------------------


def overlap(a, b):
    x = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    y = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return x * y


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def iou(a, b):
    union = area(a) + area(b) - overlap(a, b)
    return overlap(a, b) / union if union else 0


def grounding(prediction, gold):
    number = r"\s*(\d+)\s*"
    boxes = [tuple(map(int, m)) for m in re.findall(r"[\(\[]" + ",".join([number] * 4) + r"[\)\]]", prediction)]
    boxes = [box for box in boxes if max(box) <= 1000]
    return iou(boxes[-1], gold) if boxes else 0


def position(prediction, answers, gold):
    said = pairs_of(prediction)
    content = vqa(said["answer"], answers) if "answer" in said else 0
    try:
        box = [int(part) for part in ast.literal_eval(said["bbox"])]
        place = iou(box, gold)
    except Exception:
        place = 0
    return 0.5 * content + 0.5 * place


SPECIAL = "!?.:,*\"()·[]/'"


def words_of(prediction):
    try:
        value = ast.literal_eval(prediction)
    except Exception:
        value = None
    if value is None:
        groups = re.findall(r"[\[\(]\s*([^\[\]\(\)]*?)\s*[\]\)]", prediction)
        value = [tuple(group.split(",", 4)) for group in groups]
    words = []
    for item in value if isinstance(value, (list, tuple)) else []:
        if not isinstance(item, (list, tuple)) or len(item) < 5:
            continue
        try:
            box = [int(str(part).strip()) for part in item[:4]]
        except ValueError:
            continue
        text = str(item[4]).replace("\n", "").strip().strip('"').strip("'")
        if all(0 <= part <= 1000 for part in box) and (box, text) not in words:
            words.append((box, text))
    return words


def read_back(text):
    text = text.replace("\r", "")
    quoted = re.match(r'^\s*"(.*)"\s*$', text)
    return quoted[1].replace("\\\\", "\\").replace('\\"', '"') if quoted else text


def spotting(prediction, polygons, contents):
    said = [(box, read_back(text)) for box, text in words_of(prediction) if box[0] < box[2] and box[1] < box[3]]
    gold = []
    for polygon, text in zip(polygons, contents):
        xs, ys = polygon[0::2], polygon[1::2]
        gold.append(((min(xs), min(ys), max(xs), max(ys)), read_back(text)))
    if not said or not gold:
        return 0
    ignored = [box for box, text in gold if text == "###"]
    gold = [word for word in gold if word[1] != "###"]
    said = [w for w in said if not any(overlap(box, w[0]) > area(w[0]) / 2 for box in ignored)]
    free, right = list(said), 0
    for box, text in gold:
        taken = next((w for w in free if iou(box, w[0]) > 0.5), None)
        if taken is None:
            continue
        free.remove(taken)
        wanted = text.upper()
        accepted = {wanted}
        first, last = wanted[:1] and wanted[0] in SPECIAL, wanted[:1] and wanted[-1] in SPECIAL
        accepted |= {wanted[1:]} if first else set()
        accepted |= {wanted[:-1]} if last else set()
        accepted |= {wanted[1:-1]} if first and last else set()
        right += taken[1].upper() in accepted
    return 2 * right / (len(gold) + len(said)) if right else 0


# Cases ----------------------------------------------------------------------------------------------------------------

BAD = [
    "",
    " ",
    "I'm sorry, but I can't help with that.",
    "the the the " * 60,
    "[" * 300,
    "{'a': " * 60,
    "<table>" * 40,
    'Sure! The result is {"total": "12"} as you see.',
    "｛“total”：“１２”｝",
    "\\frac{a}{b",
    "```json\n{\"total\": \"12\"\n```",
    "<table><tr><td",
]


def pick(*choices):
    return RANDOM.choice(choices)


def damaged(text):
    if not text or RANDOM.random() > 0.2:
        return text
    at = RANDOM.randrange(len(text))
    return pick(text[:at], text[:at] + pick(*" ,{}[]'\":\n#<>|") + text[at:], text[:at] + text[at + 1 :])


def fenced(text):
    return pick(text, text, f"```json\n{text}\n```", f"Here:\n```python\n{text}\n```\nDone.", f"```\n{text}\n```")


def kie_case(chinese):
    values = ["12", "A B", "a b", "x\ny", "None", "1.0", "", "中 国", "ẞ", "True", "12.50"]
    keys = RANDOM.sample(["company", "date", "total", "姓名", "a b"], RANDOM.randint(1, 4))
    gold = {key: RANDOM.sample(values, pick(1, 1, 2, 3)) for key in keys}
    said = {k: pick(v[0], v[0], v[-1], pick(*values), 1, 1e-7, None, 1.0) for k, v in gold.items() if RANDOM.random() < 0.9}
    text = pick(repr(said), json.dumps(said), "\n".join(f"{k}: {v}" for k, v in said.items()))
    if chinese:
        answer = repr({k: pick(v, v[0]) for k, v in gold.items()})
    else:
        answer = pick(gold, gold, json.dumps(gold), repr({k: pick(v, v[0]) for k, v in gold.items()}), repr(repr(gold)))
        if isinstance(answer, dict) and RANDOM.random() < 0.2:
            answer = {**answer, "date": "12"}
    return {"answers": [answer], "predict": damaged(fenced(text))}


def cell():
    inner = pick("a", "b", "cd", "12", "", "  ", "中", "<b>x</b>", "a&amp;b", "x<br>y", "<!-- c -->z", "&nbsp;", "1<sup>2</sup>")
    spans = pick("", "", "", "", ' colspan="2"', " rowspan='3'", " colspan=2 rowspan=2", ' colspan=" 2 "')
    return f"<td{spans}>{inner}</td>" if RANDOM.random() < 0.9 else f"<th>{inner}</th>"


def table(rows):
    body = "".join("<tr>" + "".join(row) + "</tr>" for row in rows)
    body = pick(body, body, f"<tbody>{body}</tbody>")
    return pick(f"<table>{body}</table>", f"<table>\n{body}</table>", f"<html><body><table>{body}</table></body></html>", f"<body><table border=1>{body}")


def rows():
    return [[cell() for _ in range(RANDOM.randint(1, 4))] for _ in range(RANDOM.randint(1, 4))]


def html_case():
    gold = rows()
    said = [[c if RANDOM.random() < 0.8 else cell() for c in row] for row in gold if RANDOM.random() < 0.9]
    return {"answers": [table(gold)], "question": "Give HTML.", "predict": damaged(fenced(table(said)))}


def markdown_case():
    inner = lambda: pick("a", "b", "cd", " ", "", "12", "<b>x</b>", "mark", "down", "中", "&amp;")
    count = RANDOM.randint(1, 4)
    gold = [[inner() for _ in range(count)] for _ in range(RANDOM.randint(1, 4))]
    said = [[c if RANDOM.random() < 0.8 else inner() for c in row] for row in gold if RANDOM.random() < 0.95]

    def text(lines):
        lines = ["| " + " | ".join(line) + " |" for line in lines]
        return "\n".join([*lines[:1], "|" + "---|" * count, *lines[1:]])

    said = text(said)
    said = pick(said, said, f"```markdown\n{said}\n```", f"{said}\nworld", f"Here:\n{said}")
    return {"answers": [text(gold)], "question": "A Markdown table, please.", "predict": damaged(said)}


def chart_case():
    value = lambda: pick(1, 2.5, 1e-7, 1e16, -3, "12%", "A b", "中", "it's", 'q"', {"k": 3}, ["x", 1.0], {"a": {"b": 0.1}})
    gold = {key: value() for key in RANDOM.sample(["title", "A", "2019", "销售", "x & y"], RANDOM.randint(1, 4))}
    said = {key: (v if RANDOM.random() < 0.7 else value()) for key, v in gold.items() if RANDOM.random() < 0.9}
    if RANDOM.random() < 0.3:
        said[pick(3, True, None, (1, 2), "new")] = value()
    text = pick("", "", "data = ") + repr(said) + pick("", "", " # done")
    return {"answers": [gold], "predict": damaged(fenced(text))}


def document_case():
    line = lambda: pick("# T", "## S", "#", "text", "hello", "", " ", "* * *", "**b**", "<bos>", "a ##b", "\\begin {x}", "\\end{table}", "TITLE", "# TITLE", "# text", "#text", "\u3000")
    gold = [line() for _ in range(RANDOM.randint(1, 10))]
    said = [x if RANDOM.random() < 0.8 else line() for x in gold if RANDOM.random() < 0.9]
    return {"answers": ["\n".join(gold)], "predict": "\n".join(said)}


def box():
    x, y = RANDOM.randint(0, 600), RANDOM.randint(0, 600)
    return [x, y, x + RANDOM.randint(20, 400), y + RANDOM.randint(20, 400)]


def near(box):
    return [part + RANDOM.randint(-20, 20) for part in box]


def grounding_case():
    gold = box()
    parts = [pick(str(near(gold)), str(tuple(gold)), "[1,2,3]", "(0, 0, 1001, 5)", "[１, ２, 300, 400]", "box", "[1.5,2,3,4]") for _ in range(RANDOM.randint(1, 4))]
    return {"answers": gold, "predict": " ".join(parts)}


def position_case():
    gold = box()
    said = near(gold)
    answers = [pick("blue", "the quick brown fox jumps", 12)]
    place = pick(said, tuple(said), [part + 0.5 for part in said], [str(part) for part in said], said[:3], [*said, 7], str(said), "1234", None)
    prediction = {"answer": pick(str(answers[0]), "Blue sky", "the quick brown fox jumped", "x"), "bbox": place}
    return {"answers": answers, "bbox": gold, "predict": damaged(fenced(pick(repr(prediction), json.dumps(prediction))))}


def spotting_case():
    text = lambda: pick("CHEROKEE", "Street", "###", "a.", "'x'", '"q"', "!", "(c)", "straße", "it's", "x,y", '"a\\"b"', "word")
    polygons, contents, said = [], [], []
    for _ in range(RANDOM.randint(1, 5)):
        x1, y1, x2, y2 = box()
        polygons.append([x1, y1, x2, y1, x2, y2, x1, y2])
        contents.append(text())
        said.append([*(near([x1, y1, x2, y2]) if RANDOM.random() < 0.7 else [x1, y1, x2, y2]), pick(contents[-1], contents[-1].upper(), contents[-1].strip(".!'"), text())])
    said += [[1, 2, 30, 40.0, "f"], [5, 5, 1, 1, "g"]] if RANDOM.random() < 0.3 else []
    prediction = pick(repr(said), json.dumps(said), ", ".join("(%s, %s, %s, %s, %s)" % tuple(w) for w in said), "Words: " + repr(said))
    return {"answers": [], "bbox": polygons, "content": contents, "predict": damaged(prediction)}


def score(task, case):
    said, answers = case["predict"], case["answers"]
    if task.startswith("key information"):
        return key_information(said, answers[0], task.endswith("cn"))
    if task.startswith("table"):
        is_markdown = "Markdown" in case["question"]
        return (markdown_table if is_markdown else html_table)(said, answers[0])
    if task.startswith("chart"):
        return chart(said, answers[0])
    if task.startswith("document"):
        return document(said, answers[0])
    if task.startswith("text grounding"):
        return grounding(said, answers)
    if task.startswith("VQA with position"):
        return position(said, answers, case["bbox"])
    return spotting(said, case["bbox"], case["content"])


TASKS = [
    ("key information extraction en", lambda: kie_case(False)),
    ("key information mapping en", lambda: kie_case(False)),
    ("key information extraction cn", lambda: kie_case(True)),
    ("table parsing en", html_case),
    ("table parsing en", markdown_case),
    ("table parsing cn", html_case),
    ("chart parsing en", chart_case),
    ("document parsing en", document_case),
    ("document parsing cn", document_case),
    ("text grounding en", grounding_case),
    ("VQA with position en", position_case),
    ("text spotting en", spotting_case),
]


def main():
    cases = []
    for task, make in TASKS:
        made = [make() for _ in range(24)]
        made += [{**make(), "predict": bad} for bad in BAD]
        cases += [{"type": task, "question": "What is it?", **case, "score": score(task, case)} for case in made]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    Path(__file__).with_name("cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
