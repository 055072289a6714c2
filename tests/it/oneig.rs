//! OneIG-Bench's text score: the rule against an implementation of its own (tests/golden/oneig/make.py), and
//! the way from tables and grids to items and outputs.

use crate::support::{lines, model, stderr, unigauge};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use unigauge::config::Settings;
use unigauge::grade;
use unigauge::record::{Evidence, Item};

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/oneig/cases.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn item(name: &str, expect: Value) -> Item {
    let record = json!({"item": name, "task": "text-to-image", "prompt": "p", "expect": expect});
    serde_json::from_value(record).unwrap()
}

fn evidence(observer: &str, seen: Value) -> Evidence {
    let record = json!({"item": "a", "repeat": 0, "observer": observer, "evidence": seen});
    serde_json::from_value(record).unwrap()
}

fn graded(rule: &str, options: &str, expect: Value, seen: &[Evidence]) -> unigauge::record::Grade {
    let options: Settings = toml::from_str(options).unwrap();
    let rule = grade::build(rule, &options).unwrap();
    grade::grade_all(&*rule, &[item("a", expect)], 1, None, seen).remove(0)
}

#[test]
fn single_replies_agree_with_an_independent_implementation() {
    let golden = golden();
    let cases = golden["singles"].as_array().unwrap();
    assert!(cases.len() >= 300);
    for case in cases {
        let (language, text, reply) = (&case[0], &case[1], &case[2]);
        let counts: Vec<f64> = serde_json::from_value(case[3].clone()).unwrap();
        let seen = [evidence("eye", json!({"text": reply}))];
        let expect = json!({"texts": [text], "language": language});
        let grade = graded("oneig-text", "", expect, &seen);
        if counts[3] == 0.0 {
            let why = "the item's reference text normalises to nothing";
            assert_eq!(grade.unscored.as_deref(), Some(why), "{case}");
            continue;
        }
        let parts = ["ed", "cr", "matched", "reference"].map(|name| grade.parts[name]);
        assert_eq!(parts.as_slice(), counts, "{case} {}", grade.reason);
        assert_eq!(grade.score, Some(counts[2] / counts[3]), "{case}");
        assert_eq!(grade.correct, Some(counts[0] == 0.0), "{case}");
    }
}

/// The table's cell is what the official script compares with: the `n` of `\n` stays.
#[test]
fn the_reference_is_the_cell_of_the_table() {
    let expect = json!({"texts": ["two", "li\nnes"], "text_content": "['two', 'li\\nnes']", "language": "en"});
    let of = |reply: &str| {
        graded(
            "oneig-text",
            "",
            expect.clone(),
            &[evidence("eye", json!({"text": reply}))],
        )
    };
    assert_eq!(of("two linnes").score, Some(1.0));
    let grade = of("two\nli nes");
    assert_eq!(grade.score, Some(0.5));
    assert_eq!(grade.reason, "1 of 2 words found; missing: linnes; 1 edit");
}

#[test]
fn what_cannot_be_graded_says_why() {
    let good = json!({"texts": ["a"], "language": "en"});
    let why = |expect: &Value, seen: &[Evidence]| {
        let grade = graded("oneig-text", "", expect.clone(), seen);
        assert_eq!(grade.score, None);
        grade.unscored.unwrap()
    };
    let text = |text: Value| evidence("eye", json!({"text": text}));
    insta::assert_snapshot!(why(&good, &[]), @"missing evidence: no observer wrote `text`");
    insta::assert_snapshot!(why(&good, &[text(json!(3))]), @"malformed evidence: `text` is not a string");
    insta::assert_snapshot!(why(&json!({"texts": ["，"], "language": "zh"}), &[text(json!(""))]), @"the item's reference text normalises to nothing");
    insta::assert_snapshot!(why(&json!({"texts": ["a"], "language": "cn"}), &[text(json!("a"))]), @"the item's `expect` is not OneIG-Bench's text: unknown variant `cn`, expected `en` or `zh`");
    insta::assert_snapshot!(why(&good, &[text(json!("a")), evidence("other", json!({"text": "a"}))]), @"ambiguous evidence: observers eye and other both wrote `text`; name one in the rule's option `observer`");
}

/// Loose files through the program: the numbers, their interval, and the tables that the official script
/// writes.
#[test]
fn suites_give_the_numbers_and_tables_of_the_official_script() {
    let golden = golden();
    for suite in golden["suites"].as_array().unwrap() {
        let dir = tempfile::tempdir().unwrap();
        let language = suite["language"].as_str().unwrap();
        let (mut items, mut seen) = (String::new(), String::new());
        for record in suite["records"].as_array().unwrap() {
            let id = &record["id"];
            items += &format!(
                "{}\n",
                json!({"item": id, "task": "text-to-image", "prompt": "p", "tags": {"class": "menu"},
                       "expect": {"texts": [record["text"]], "language": language, "prompt_id": id}})
            );
            for (repeat, reply) in record["replies"].as_array().unwrap().iter().enumerate() {
                if reply.is_string() {
                    let line = json!({"item": id, "repeat": repeat, "observer": "qwen-ocr",
                                      "evidence": {"engine": "qwen2.5-vl", "text": reply}});
                    seen += &format!("{line}\n");
                }
            }
        }
        fs::write(dir.path().join("items.jsonl"), items).unwrap();
        fs::write(dir.path().join("evidence.jsonl"), seen).unwrap();
        let name = match language {
            "en" => "oneig-text",
            _ => "oneig-text-zh",
        };
        let output = unigauge(dir.path())
            .args(["grade", "--suite", name, "--items", "items.jsonl"])
            .args([
                "--evidence",
                "evidence.jsonl",
                "--out",
                "graded",
                "--name",
                "mine",
            ])
            .output()
            .unwrap();
        // Prompts without a picture leave the evidence incomplete.
        assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
        let graded = dir.path().join("graded");
        let summary: Value =
            serde_json::from_slice(&fs::read(graded.join("summary.json")).unwrap()).unwrap();
        let numbers = &suite["numbers"];
        for key in ["ed", "cr", "wac", "score"] {
            let ours = summary["metrics"][format!("{key}_{language}")]
                .as_f64()
                .unwrap();
            let theirs = numbers[key].as_f64().unwrap();
            assert!((ours - theirs).abs() < 1e-12, "{key} {ours} {theirs}");
        }
        let score = numbers["score"].as_f64().unwrap();
        let overall = &summary["overall"];
        assert_eq!(overall["value"], score);
        assert_eq!(summary["groups"][0]["value"], score);
        for (key, theirs) in [
            ("low", &suite["interval"][0]),
            ("high", &suite["interval"][1]),
        ] {
            let (ours, theirs) = (overall[key].as_f64().unwrap(), theirs.as_f64().unwrap());
            assert!((ours - theirs).abs() < 0.02, "{key} {ours} {theirs}");
        }
        let method = overall["method"].as_str().unwrap();
        assert!(
            method.contains("(1 - CR)") && method.contains("bootstrap"),
            "{method}"
        );
        assert_eq!(summary["read_by"], json!(["qwen2.5-vl"]));
        let mode = language.to_uppercase();
        for (file, table) in [("text_score", "model"), ("text_prompt_score", "prompts")] {
            let path = graded.join(format!("official/{file}_{mode}.csv"));
            assert_eq!(
                fs::read_to_string(path).unwrap(),
                suite["tables"][table],
                "{file}"
            );
        }
    }
}

const SUITE: &str = r#"name = "grids"
version = "1"
title = "Grids"
task = "text-to-image"
repeats = 4
layout = "oneig"

[items]
file = "texts.csv"

[items.join]
file = "prompts.csv"
on = "id"
where = { category = "Text_Rendering" }

[items.map]
prompt = "prompt_en"
expect = { texts = { python_list = "text_content" }, text_content = "text_content", language = { value = "en" }, prompt_id = "id" }
tags = { class = "class" }

[grade]
rule = "oneig-text"
"#;

const TEXTS: &str = ",id,prompt_en,text_content\n0,000,\"A sign, red\",\"['OPEN', \"\"it's\"\"]\"\n1,001,A menu,['Tea']\n";
const PROMPTS: &str = "category,id,prompt_en,class\nPortrait,000,A man,portrait\nText_Rendering,001,A menu,menu\n\
                       Text_Rendering,000,\"A sign, red\",sign\n";

fn suite(dir: &Path, texts: &str, prompts: &str) {
    fs::write(dir.join("grids.toml"), SUITE).unwrap();
    fs::write(dir.join("texts.csv"), texts).unwrap();
    fs::write(dir.join("prompts.csv"), prompts).unwrap();
}

#[test]
fn two_tables_make_the_items() {
    let dir = tempfile::tempdir().unwrap();
    suite(dir.path(), TEXTS, PROMPTS);
    let output = unigauge(dir.path())
        .args(["items", "grids.toml"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let items: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(items[0]["item"], "000");
    assert_eq!(items[0]["prompt"], "A sign, red");
    assert_eq!(
        items[0]["expect"],
        json!({"texts": ["OPEN", "it's"], "text_content": "['OPEN', \"it's\"]", "language": "en", "prompt_id": "000"})
    );
    assert_eq!(items[0]["tags"], json!({"class": "sign"}));
    assert_eq!(items[1]["tags"], json!({"class": "menu"}));
}

#[test]
fn tables_that_do_not_meet_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let said = |texts: &str, prompts: &str| {
        suite(dir.path(), texts, prompts);
        let output = unigauge(dir.path())
            .args(["items", "grids.toml"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    let absent = said(TEXTS, "category,id,class\nText_Rendering,000,sign\n");
    assert!(
        absent.contains("texts.csv, record 2") && absent.contains("no row with `id` = 001"),
        "{absent}"
    );
    let twice = said(TEXTS, &format!("{PROMPTS}Text_Rendering,001,again,menu\n"));
    assert!(
        twice.contains("prompts.csv, record 4")
            && twice.contains("an earlier row also has `id` = 001"),
        "{twice}"
    );
    let field = said(TEXTS, "categori,id,class\nText_Rendering,000,sign\n");
    assert!(
        field.contains("`category` is missing; did you mean `categori`?"),
        "{field}"
    );
    let list = said(&TEXTS.replace("['Tea']", "Tea"), PROMPTS);
    assert!(
        list.contains("`text_content` is not a list: a list in brackets was expected"),
        "{list}"
    );
    let toml = SUITE.replace("file = \"prompts.csv\"\n", "");
    fs::write(dir.path().join("grids.toml"), toml).unwrap();
    let output = unigauge(dir.path())
        .args(["items", "grids.toml"])
        .output()
        .unwrap();
    let neither = stderr(&output);
    assert!(
        neither.contains("exactly one of `file` and `asset`"),
        "{neither}"
    );
}

/// A grid of 2 × 2 tiles of the given colours, with a pixel left over at the right and the bottom.
fn grid(path: &Path, format: ImageFormat, colours: [[u8; 3]; 4]) {
    let image = RgbImage::from_fn(81, 61, |x, y| {
        Rgb(colours[(x / 40).min(1) as usize + 2 * (y / 30).min(1) as usize])
    });
    image.save_with_format(path, format).unwrap();
}

#[test]
fn a_folder_of_grids_is_cut_into_its_pictures() {
    let dir = tempfile::tempdir().unwrap();
    suite(dir.path(), TEXTS, PROMPTS);
    let pictures = dir.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    let [red, green, blue, white, black] =
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255; 3], [0; 3]];
    // The official script asks for one file whose name begins with the id, and skips black tiles.
    grid(
        &pictures.join("000.webp"),
        ImageFormat::WebP,
        [red, green, blue, white],
    );
    grid(
        &pictures.join("001_second try.png"),
        ImageFormat::Png,
        [white, black, red, blue],
    );
    let folder = model(
        dir.path(),
        "theirs",
        "folder",
        "path = \"pictures\"\nlayout = \"oneig\"",
    );
    let run = |name: &str, model: &Path| {
        unigauge(dir.path())
            .args(["generate", "grids.toml", "--run", name, "--model"])
            .arg(model)
            .output()
            .unwrap()
    };
    let output = run("a", &folder);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let root = dir.path().join("results/grids/theirs/a");
    let outputs = lines(&root.join("outputs.jsonl"));
    let of = |item: &str, repeat: u64| {
        let found = outputs
            .iter()
            .find(|o| o["item"] == item && o["repeat"] == repeat);
        found.unwrap().clone()
    };
    for (item, repeat, colour) in [
        ("000", 0, red),
        ("000", 1, green),
        ("000", 2, blue),
        ("000", 3, white),
        ("001", 0, white),
        ("001", 2, red),
        ("001", 3, blue),
    ] {
        let output = of(item, repeat);
        assert_eq!(
            (&output["width"], &output["height"]),
            (&json!(40), &json!(30))
        );
        let file = root.join(output["file"].as_str().unwrap());
        assert!(
            file.ends_with(format!("{item}_{repeat}.png")),
            "{}",
            file.display()
        );
        let image = image::open(file).unwrap().into_rgb8();
        assert!(
            image.pixels().all(|pixel| pixel.0 == colour),
            "{item} {repeat}"
        );
    }
    let empty = of("001", 1);
    assert_eq!(empty["error"]["kind"], "missing");
    let message = empty["error"]["message"].as_str().unwrap();
    assert!(message.contains("tile 2 is black"), "{message}");

    // What was written is read again, tile by tile.
    let own = root.join("outputs").display().to_string();
    let again = model(
        dir.path(),
        "again",
        "folder",
        &format!("path = {own:?}\nlayout = \"oneig\""),
    );
    let output = run("b", &again);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let copies = lines(&dir.path().join("results/grids/again/b/outputs.jsonl"));
    for copy in copies.iter().filter(|copy| copy["error"].is_null()) {
        let repeat = copy["repeat"].as_u64().unwrap();
        assert_eq!(
            copy["sha256"],
            of(copy["item"].as_str().unwrap(), repeat)["sha256"]
        );
    }

    // Two files that begin with one id, and a grid that cannot be.
    grid(&pictures.join("000 b.webp"), ImageFormat::WebP, [red; 4]);
    fs::rename(pictures.join("000.webp"), pictures.join("000 a.webp")).unwrap();
    let output = run("c", &folder);
    assert_eq!(output.status.code(), Some(5));
    let outputs = lines(&dir.path().join("results/grids/theirs/c/outputs.jsonl"));
    let message = outputs[0]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("000 a.webp") && message.contains("000 b.webp"),
        "{message}"
    );
    let bad = model(
        dir.path(),
        "bad",
        "folder",
        "path = \"pictures\"\nlayout = \"oneig\"\ngrid = [2, 0]",
    );
    let output = run("d", &bad);
    let said = stderr(&output);
    assert!(said.contains("`grid` = [2, 0]"), "{said}");
}

#[test]
fn several_readers_count_the_same() {
    let expect = json!({"texts": ["one two", "three four"], "language": "en"});
    let seen = [
        evidence("ppocr", json!({"engine": "a", "text": "one two"})),
        evidence(
            "got-ocr",
            json!({"engine": "b", "text": "ONE, two; three!"}),
        ),
    ];
    let grade = graded("text-recall", "", expect.clone(), &seen);
    assert_eq!(grade.score, Some((0.5 + 0.75) / 2.0));
    assert_eq!((grade.parts["ppocr"], grade.parts["got-ocr"]), (0.5, 0.75));
    assert_eq!(grade.reason, "read by ppocr 2 of 4, got-ocr 3 of 4");
    let one = graded(
        "text-recall",
        "observers = ['got-ocr']",
        expect.clone(),
        &seen,
    );
    assert_eq!(one.score, Some(0.75));
    let absent = graded(
        "text-recall",
        "observers = ['ppocr', 'qwen-ocr']",
        expect.clone(),
        &seen,
    );
    assert_eq!(
        absent.unscored.as_deref(),
        Some("missing evidence: observer qwen-ocr wrote no `text`")
    );
    let chinese = graded(
        "text-recall",
        "",
        json!({"texts": ["每日新鲜烘焙"], "language": "zh"}),
        &[evidence("ppocr", json!({"text": "新鲜新鲜每日"}))],
    );
    assert_eq!(chinese.score, Some(4.0 / 6.0));
    // A reader that failed is no reader that saw nothing.
    let failed = serde_json::from_value(json!({"item": "a", "repeat": 0, "observer": "got-ocr",
        "error": {"stage": "observe", "kind": "ocr", "message": "out of memory"}}))
    .unwrap();
    let grade = graded("text-recall", "", expect, &[seen[0].clone(), failed]);
    assert_eq!(
        grade.unscored.as_deref(),
        Some("observer got-ocr: ocr: out of memory")
    );
    let none = graded(
        "text-recall",
        "",
        json!({"texts": [], "language": "en"}),
        &[],
    );
    assert_eq!(
        none.unscored.as_deref(),
        Some("missing evidence: no observer wrote `text`")
    );
}
