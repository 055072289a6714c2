#!/usr/bin/env python3
"""Expected values for the text metrics of OCRBench v1 and v2, from their definitions in plain Python, NLTK and jieba.

    pip install nltk==3.10.4 jieba==0.42.1
    python3 make.py                        # writes cases.json and wordnet/ beside this script
    python3 make.py --random N FILE        # N random cases a metric, for a trial longer than what is committed
    python3 make.py --wordnet FOLDER ...   # with another WordNet than the small one beside this script

A folder of WordNet needs `index.*`, `data.*` and `*.exc`; NLTK's further files are made up here where they are absent.
"""
import argparse, json, random, re, shutil, sys, tempfile, warnings
from pathlib import Path

import jieba
import nltk
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.metrics import distance as nltk_distance
from nltk.metrics import edit_distance, f_measure
from nltk.stem.porter import PorterStemmer
from nltk.translate.bleu_score import sentence_bleu
from nltk.translate.meteor_score import single_meteor_score

HERE = Path(__file__).parent
jieba.setLogLevel(60)
# NLTK 3.10 refuses texts of more than 2000 characters.
nltk_distance.MAX_DISTANCE_INPUT_LEN = sys.maxsize
warnings.simplefilter("ignore")


# ---- OCRBench v1 ------------------------------------------------------------------------------------------------------

def v1(prediction, answers, dataset):
    if dataset == "HME100k":
        norm = lambda s: s.strip().replace("\n", " ").replace(" ", "")
    else:
        norm = lambda s: s.lower().strip().replace("\n", " ")
    return int(any(norm(a) in norm(prediction) for a in ([answers] if isinstance(answers, str) else answers)))


# ---- OCRBench v2 ------------------------------------------------------------------------------------------------------

def anls(a, b):
    longest = max(len(a), len(b))
    value = 1 - (edit_distance(a, b) / longest if longest else 0.0)
    return value if value >= 0.5 else 0


def vqa(p, answers, lower=True):
    case = str.lower if lower else str
    norm = lambda s: case(s).strip().replace("\n", " ")
    scores = [0]
    for a in [answers] if isinstance(answers, str) else answers:
        short = len(norm(a).split()) < 5
        scores.append(int(norm(a) in norm(p)) if short else anls(norm(p), norm(a)))
    return max(scores)


def bare_or_list(p, answers, norm, short):
    if isinstance(answers, str):
        if not short(norm(answers)):
            return 0
        return 1 if norm(answers) in norm(p) else anls(norm(p), norm(answers))
    return max([0] + [int(norm(a) in norm(p)) if short(norm(a)) else anls(norm(p), norm(a)) for a in answers])


def vqa_case_sensitive(p, answers):
    return bare_or_list(p, answers, lambda s: s.strip().replace("\n", " "), lambda s: len(s.split()) < 5)


def vqa_cn(p, answers):
    norm = lambda s: s.lower().strip().replace("\n", " ").replace(" ", "")
    return bare_or_list(p, answers, norm, lambda s: len(s.split(",")) < 4)


def multiple_choice(p, answers):
    return int("".join(filter(str.isalpha, p)) == answers[0])


def joined_letters(p, answers):
    a = answers[0]
    if len(a) <= 1:
        return int(a in p)
    return int(any(j.join(a) in p for j in ["", ".", ". ", ",", ", ", "、", ";", "; ", " ", "和"]))


def formula(p, answers, drop_text=False):
    if drop_text and p.lower() == "nan":
        return 0
    drop = (lambda s: re.sub(r"\\text\{([^{}]*)\}", r"\1", s)) if drop_text else str
    norm = lambda s: drop(s).strip().replace("\n", " ").replace(" ", "")
    return int(any(norm(a) in norm(p) for a in ([answers] if isinstance(answers, str) else answers)))


def counting(p, answers, method):
    scores = [0]
    for a in [answers] if isinstance(answers, str) else answers:
        norm = lambda s: s.lower().strip().replace("\n", " ")
        if method == "exact match":
            scores.append(int(norm(a) in (norm(p) if isinstance(answers, str) else p)))
        elif method == "regression":
            found = re.search(r"\d+", p)
            n = int(found.group()) if found else 0
            try:
                a = int(norm(a))
            except ValueError:
                continue
            s = 0 if n <= 0 or n >= 2 * a else 1 - abs(n - a) / a
            scores.append(s if s > 0.5 else 0)
    return max(scores)


class NoSynonyms:
    def synsets(self, _):
        return []


def text4(p, ref, wordnet):
    chinese = re.search("[\u4e00-\u9fa5]", p + ref)
    r, h = (jieba.lcut(ref), jieba.lcut(p)) if chinese else (ref.split(), p.split())
    bleu, meteor = sentence_bleu([r], h), single_meteor_score(r, h, wordnet=wordnet)
    f = f_measure(set(r), set(h))
    longest = max(len(p), len(ref))
    ed = edit_distance(p, ref) / longest if longest else 0.0
    return [bleu, meteor, f, ed, (bleu + meteor + (f or 0) + (1 - ed)) / 4]


def synonyms(word, wordnet):
    return sorted({n for s in wordnet.synsets(word) for n in s.lemma_names() if "_" not in n})


# ---- a small WordNet ----------------------------------------------------------------------------------------------------

# (part, lemmas) of invented and common words; the layout is WordNet's, the content is this script's.
SYNSETS = [
    ("noun", ["car", "auto", "motor_car"]), ("noun", ["car", "railcar"]), ("noun", ["Wagon", "cart"]),
    ("noun", ["wolf"]), ("noun", ["lens", "glass"]), ("noun", ["man", "fellow"]), ("noun", ["box", "case"]),
    ("noun", ["sign", "mark"]), ("noun", ["fast", "lent"]), ("noun", ["church", "chapel"]), ("noun", ["axis", "ax"]),
    ("verb", ["run", "dash"]), ("verb", ["mark", "sign", "tag"]), ("verb", ["buy", "purchas"]), ("verb", ["go"]),
    ("verb", ["make", "do"]), ("verb", ["try", "test"]),
    ("adj", ["fast", "quick"]), ("adj", ["quick", "rapid(p)"]), ("adj", ["big", "larg"]), ("adj", ["galore(ip)", "plenty"]),
    ("adj", ["nice", "fine"]),
    ("adv", ["fast", "tight"]), ("adv", ["well", "good"]),
]
EXCEPTIONS = {"noun": "axes ax axis\nmen man\nwolves wolf\n", "verb": "ran run\nbought buy\nwent go\n", "adj": "", "adv": "better well\n"}
POS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
HEADER = "  1 This is a small dictionary in the layout of WordNet 3.0, made by make.py  \n"


def write_wordnet(folder):
    folder.mkdir(exist_ok=True)
    for part, pos in POS.items():
        data, index = HEADER, {}
        for p, lemmas in SYNSETS:
            if p != part:
                continue
            offset = len(data)
            for lemma in lemmas:
                index.setdefault(lemma.split("(")[0].lower(), []).append(offset)
            listed = " ".join(f"{lemma} {i:x}" for i, lemma in enumerate(lemmas))
            frames = " 00" if part == "verb" else ""
            data += f"{offset:08} 03 {pos} {len(lemmas):02x} {listed} 000{frames} | what {lemmas[0]} means  \n"
        lines = "".join(f"{lemma} {pos} {len(o)} 1 @ {len(o)} 0 {' '.join(f'{x:08}' for x in o)}  \n" for lemma, o in sorted(index.items()))
        (folder / f"data.{part}").write_text(data)
        (folder / f"index.{part}").write_text(HEADER + lines)
        (folder / f"{part}.exc").write_text(EXCEPTIONS[part])


class Reader(WordNetCorpusReader):
    def map_wn(self, version="wordnet"):
        """Other versions of WordNet and other languages are of no use here."""


def read_wordnet(folder):
    """NLTK's reader wants some files that are of no use here."""
    whole = Path(tempfile.mkdtemp())
    for file in Path(folder).iterdir():
        if file.is_file():
            shutil.copy(file, whole)
    (whole / "lexnames").write_text("".join(f"{i:02}\tx{i}\t1\n" for i in range(45)))
    for name in ["index.sense", "cntlist.rev"]:
        (whole / name).touch()
    nltk.data.path.append(str(whole))
    reader = Reader(str(whole), None)
    reader.synsets("car")
    return reader


# ---- cases --------------------------------------------------------------------------------------------------------------

ODD = ["", " ", "\n", "\u3000", "\x1c", "\x85", "\u200b", "İstanbul", "ΟΔΟΣ", "straße", "ＡＢＣ１２", "e\u0301", "😀", "\r\n", "\t", "ǅ", "Ⅷ", "ⓐ", "²", "½", "٣٤", "१२", "𝟗𝟘"]
REFUSALS = ["I'm sorry, but I can't help with that.", "As an AI model, I cannot see images.", "无法识别图片中的文字。", "None", "nan", "NaN", "Unanswerable"]
WORDS = ("the a an of to and sign signs signing signed car cars auto motor wagon carts big bigger large fast faster quick quickly rapid run running ran runs mark "
         "marked marks men man fellow wolves wolf boxes box cases case axes axis bought buys purchase try trying tests nice nicest fine fines well better good "
         "happy happiness happily relational conditional rationally valency hesitancy digitizer conformably radically differently vilely analogously "
         "vietnamization predication operator feudalism decisiveness hopefulness callousness formality sensitivity sensibility triplicate formative formalize "
         "electricity electrical hopeful goodness revival allowance inference airliner gyroscopic adjustable defensible irritant replacement adjustment dependent "
         "adoption homologous communism activate angularity effective bowdlerize probate rate cease controlling rolled dying lying tying news innings skies sky spied died "
         "ties flies dies agreed feed plastered bled motoring sing hopping tanned falling hissing fizzed failing filing enjoy enjoyment spy fly toy syzygy geologically "
         "theology hopefully fullily proceed Exceeded HOWE cat's 3rd 2nd O'Neil co-op e-mails x yy yyy by as is us").split()
CHINESE = list("的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严龙飞") + ["李小福是创新办主任", "南京市长江大桥", "他来到了网易杭研大厦", "小明硕士毕业于中国科学院计算所", "AT&T", "C++", "T恤", "iPhone15", "3.14", "50%", "a-b_c.d", "v1.2.3", "，", "。", "、", "“", "”", "\r\n", "㐀", "鿖", "𠀀", " "]
LATEX = ["x^2", "\\frac{a}{b}", "\\text{if }", "\\text{a{b}c}", "\\text{\\text{d}}", "\\text{", "}", "{", "y _ { 2 } = - 1\n", "y_2 = - 1\n", "$", " ", "\\sum_{i=1}^{n}", "\\text{面积}", "\t", "nan", "Y_2=-1", "y_2=-1"]
NUMBERS = ["0", "1", "2", "3", "5", "7", "10", "12", "15", "20", "100", "-3", "+4", "1_000", "1__0", "3.0", "three", " 8 ", "٣", "१२", "00012", "99999999999999999999", "𝟗"]


def phrase(r, low, high):
    words = [r.choice(WORDS) for _ in range(r.randint(low, high))]
    if r.random() < 0.1:
        words = words[:2] * r.randint(2, 20)
    if r.random() < 0.2:
        words.insert(r.randint(0, len(words)), r.choice(ODD))
    return r.choice([" ", " ", " ", "  ", "\n", "\u3000"]).join(words)


def chinese(r, low, high):
    return "".join(r.choice(CHINESE) for _ in range(r.randint(low, high)))


def disturbed(r, text):
    """The text with some changes, as a model would misread it."""
    out = []
    for c in text:
        x = r.random()
        if x < 0.03: continue
        out.append(c if x < 0.94 else r.choice("aeo Z1。的\n"))
        if x > 0.98: out.append(c)
    return "".join(out)


def shuffled(r, text):
    words = text.split(" ")
    i, j = sorted(r.randint(0, len(words)) for _ in range(2))
    words[i:j] = r.choice([words[i:j][::-1], [], words[i:j] * 2, [w.upper() for w in words[i:j]]])
    return " ".join(words)


def spoken(r, answer):
    x = r.random()
    if x < 0.08: return r.choice(ODD)
    if x < 0.14: return r.choice(REFUSALS)
    if x < 0.3: return answer
    if x < 0.45: return f"The answer is {answer.upper()}."
    if x < 0.6: return f" {answer}\n{phrase(r, 0, 5)}"
    if x < 0.65: return answer * r.randint(2, 12)
    if x < 0.7: return answer.replace("a", "ａ").replace(",", "，")
    return disturbed(r, answer)


def accepted(r, make):
    answers = [make() for _ in range(r.choice([1, 1, 1, 2, 3]))]
    if r.random() < 0.1:
        answers[-1] = r.choice(ODD)
    if r.random() < 0.02:
        answers = []
    return answers


def questions(r, make, metric, name, extra=lambda r: {}):
    answers = accepted(r, make)
    case = {"op": name, "prediction": spoken(r, r.choice(answers or ["x"])), "answers": answers[0] if answers and r.random() < 0.25 else answers, **extra(r)}
    return {**case, "want": metric(case)}


def one(r, wordnet):
    """One random case of every metric."""
    some = lambda: phrase(r, 1, 9)
    parts = lambda: ",".join(chinese(r, 1, 4) for _ in range(r.randint(1, 7)))
    letters = lambda: "".join(sorted(r.sample("ABCDEF", r.randint(1, 4)))) if r.random() < 0.8 else r.choice(ODD + ["对", "甲乙", "A"])
    latex = lambda: "".join(r.choice(LATEX) for _ in range(r.randint(1, 6)))
    yield questions(r, some, lambda c: vqa(c["prediction"], c["answers"]), "vqa")
    yield questions(r, some, lambda c: vqa_case_sensitive(c["prediction"], c["answers"]), "vqa_case_sensitive")
    yield questions(r, parts, lambda c: vqa_cn(c["prediction"], c["answers"]), "vqa_cn")
    answer = [letters()]
    said = r.choice([answer[0], f"({answer[0]})", f" {answer[0]}.\n", answer[0].lower(), f"{answer[0]}: yes", letters(), spoken(r, answer[0])])
    yield {"op": "multiple_choice", "prediction": said, "answers": answer, "want": multiple_choice(said, answer)}
    joint = r.choice(["", ".", ". ", ",", ", ", "、", ";", "; ", " ", "和", "，", "/"])
    said = r.choice([joint.join(answer[0]), f"答案是{joint.join(answer[0])}。", joint.join(answer[0][::-1]), spoken(r, answer[0])])
    yield {"op": "joined_letters", "prediction": said, "answers": answer, "want": joined_letters(said, answer)}
    yield questions(r, latex, lambda c: formula(c["prediction"], c["answers"]), "formula")
    yield questions(r, latex, lambda c: formula(c["prediction"], c["answers"], True), "formula_cn")
    number = lambda: r.choice(NUMBERS)
    case = {"op": "counting", "prediction": r.choice([number(), f"There are {number()} of {number()}", f"{number()}{number()}", "none", spoken(r, number())]),
            "answers": r.choice([number(), [number()], [number(), number()]]), "eval": r.choice(["exact match", "regression", "regression", None])}
    yield {**case, "want": counting(case["prediction"], case["answers"], case["eval"])}
    word = r.choice(WORDS + ODD) if r.random() < 0.5 else "".join(r.choice(["ed", "ing", "s", "y", "ies", "al", "li", "ation", "e", "er", "l", "b", "t", "o", "a", "u", "*d", "é", "logi", "ful", "ness", "ion", "z"]) for _ in range(r.randint(1, 5)))
    yield {"op": "stem", "prediction": word, "want": PorterStemmer().stem(word)}
    text = disturbed(r, chinese(r, 1, 30))
    yield {"op": "segment", "prediction": text, "want": jieba.lcut(text)}
    word = r.choice(WORDS).lower()
    yield {"op": "synonyms", "prediction": word, "want": synonyms(word, wordnet)}
    for op, reader in [("text4", NoSynonyms()), ("text4_wordnet", wordnet)]:
        ref = phrase(r, 1, 30) if r.random() < 0.6 else chinese(r, 1, 30)
        said = r.choice([lambda: disturbed(r, ref), lambda: shuffled(r, ref), lambda: ref, lambda: phrase(r, 1, 20), lambda: r.choice(REFUSALS), lambda: ref + " " + phrase(r, 1, 9), lambda: "", lambda: r.choice(ODD)])()
        yield {"op": op, "prediction": said, "reference": ref, "want": text4(said, ref, reader)}
    dataset = r.choice(["HME100k", "IIIT5K", "FUNSD"])
    yield questions(r, latex if dataset == "HME100k" else some, lambda c: v1(c["prediction"], c["answers"], dataset), "v1", lambda r: {"dataset": dataset})


def by_hand():
    """Cases that stand for a rule each."""
    long = "one two three four five six"
    yield from ({"op": "vqa", "prediction": p, "answers": a, "want": vqa(p, a)} for p, a in [
        ("", ""), ("", [""]), ("x", []), (long, long), ("one two three four five sax", [long]), ("completely different words here now then", [long]),
        (f"I see {long}", [long]), ("It says CENTRE.", ["centre"]), ("a\nb", ["a b"]), ("12", ["12", "twelve"]), ("\u3000A\x1c", "a"), ("A\u200b", ["a\u200b"])])
    yield from ({"op": "vqa_case_sensitive", "prediction": p, "answers": a, "want": vqa_case_sensitive(p, a)} for p, a in [
        (long, long), (long, [long]), (long.upper(), [long]), ("Centra", "Centre"), ("Centra", ["Centre"]), ("the Centre", "Centre"), ("", "")])
    yield from ({"op": "vqa_cn", "prediction": p, "answers": a, "want": vqa_cn(p, a)} for p, a in [
        ("甲,乙,丙,丁", "甲,乙,丙,丁"), ("甲,乙,丙,丁", ["甲,乙,丙,丁"]), ("甲, 乙,丙", "甲,乙,丁"), ("甲, 乙,丙", ["甲,乙,丁"]), ("甲，乙，丙，丁", ["甲，乙，丙，丁"]), ("北 京", "北京"), ("", "")])
    yield from ({"op": "counting", "prediction": p, "answers": a, "eval": e, "want": counting(p, a, e)} for p, a, e in [
        ("There are 7", ["10"], "regression"), ("15", ["10"], "regression"), ("14", ["10"], "regression"), ("20", ["10"], "regression"), ("0", ["10"], "regression"),
        ("no number", ["10"], "regression"), ("-7", ["10"], "regression"), ("7.9", "10", "regression"), ("٧", ["10"], "regression"), ("A LOT", ["a lot"], "exact match"),
        ("A LOT", "a lot", "exact match"), ("110", ["10"], "exact match"), ("3", ["3"], None), ("3", ["3"], "multiple choice"), ("5", ["0"], "regression"), ("5", ["x", "5"], "regression")])
    yield from ({"op": "v1", "prediction": p, "answers": a, "dataset": d, "want": v1(p, a, d)} for p, a, d in [
        ("The sign says: Centre.", "CENTRE", "IIIT5K"), ("$y_2=-1$", "y_2 = - 1\n", "HME100k"), ("$Y_2=-1$", "y_2 = - 1\n", "HME100k"), ("", "a", "svt"), ("", " \n", "svt"),
        ("", [], "svt"), ("a\rb", "a b", "svt"), ("a  b", "a b", "svt"), ("a\nb", "a b", "svt"), ("a\tb", "ab", "HME100k"), ("İ", "i̇", "svt"), ("ΟΔΟΣ", "οδος", "svt"), ("STRASSE", "straße", "svt"), ("", [], "HME100k")])
    fox, jump = "the quick brown fox jumps over the lazy dog", "Jumping dogs are running"
    for ref, hyp in [(fox, "the quick brown cat jumps over the dog"), (jump, "dog jumps and runs fast"), ("a b", "a b"), ("a b c d e", "a b c"), ("a", ""), ("", "a"), ("", ""), (fox, " ".join(["the"] * 300))]:
        yield {"op": "text4", "prediction": hyp, "reference": ref, "want": text4(hyp, ref, NoSynonyms())}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", nargs=2, metavar=("N", "FILE"))
    parser.add_argument("--wordnet", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    write_wordnet(HERE / "wordnet")
    wordnet = read_wordnet(given.wordnet or HERE / "wordnet")
    r = random.Random(given.seed)
    if given.random:
        count, file = int(given.random[0]), given.random[1]
        cases = (case for _ in range(count) for case in one(r, wordnet))
    else:
        file = HERE / "cases.jsonl"
        cases = [*by_hand(), *(case for _ in range(24) for case in one(r, wordnet))]
    with open(file, "w") as out:
        for case in cases:
            out.write(json.dumps(case, ensure_ascii=False) + "\n")


main()
