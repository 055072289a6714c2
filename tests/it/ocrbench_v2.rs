//! OCRBench v2: its structured metrics, its aggregation and its official file.

use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn cases() -> Vec<Value> {
    let committed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ocrbench_v2/cases.json");
    let file = std::env::var_os("UNIGAUGE_OCRBENCH_V2_CASES").map_or(committed, PathBuf::from);
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// A graded folder.
struct Graded {
    dir: tempfile::TempDir,
    code: Option<i32>,
}

impl Graded {
    fn grades(&self) -> Vec<Value> {
        lines(&self.dir.path().join("out/grades.jsonl"))
    }

    fn summary(&self) -> Value {
        let text = fs::read(self.dir.path().join("out/summary.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn official(&self) -> String {
        fs::read_to_string(self.dir.path().join("out/official/OCRBench_v2.json")).unwrap()
    }
}

/// Grades records of the official file with their `predict`; further keys but `score` are the item's.
fn grade(records: &[Value]) -> Graded {
    let dir = tempfile::tempdir().unwrap();
    let (mut items, mut outputs) = (String::new(), String::new());
    for (index, record) in records.iter().enumerate() {
        let mut expect = record.as_object().unwrap().clone();
        expect.remove("score");
        let said = expect.remove("predict").unwrap();
        let item = index.to_string();
        let prompt = record["question"].as_str().unwrap_or("What is it?");
        let asked = json!({"item": item, "task": "understand", "prompt": prompt, "expect": expect});
        let made = json!({"item": item, "repeat": 0, "seed": 0, "kind": "text", "text": said});
        items += &format!("{asked}\n");
        outputs += &format!("{made}\n");
    }
    fs::write(dir.path().join("items.jsonl"), items).unwrap();
    fs::write(dir.path().join("outputs.jsonl"), outputs).unwrap();
    let output = unigauge(dir.path())
        .args(["grade", "--suite", "ocrbench-v2", "--items", "items.jsonl"])
        .args(["--outputs", "outputs.jsonl", "--out", "out"])
        .output()
        .unwrap();
    assert!(
        dir.path().join("out/summary.json").exists(),
        "{}",
        stderr(&output)
    );
    Graded {
        code: output.status.code(),
        dir,
    }
}

/// The scores of records, None for those without.
fn scores(records: &[Value]) -> Vec<Option<f64>> {
    let grades = grade(records).grades();
    grades.iter().map(|grade| grade["score"].as_f64()).collect()
}

fn record(task: &str, answers: Value, predict: impl Into<Value>) -> Value {
    let predict: Value = predict.into();
    json!({"type": task, "question": "What is it? (html)", "answers": answers, "predict": predict})
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

/// tests/golden/ocrbench_v2/make.py computes the scores from the specification of the official scripts.
#[test]
fn structured_tasks_are_scored_as_in_python() {
    let cases = cases();
    assert!(!cases.is_empty());
    let got = scores(&cases);
    assert_eq!(got.len(), cases.len());
    for (case, got) in cases.iter().zip(got) {
        let (got, want) = (got.unwrap(), case["score"].as_f64().unwrap());
        assert!(close(got, want), "got {got} for {case}");
    }
}

/// The vectors of the specification.
#[test]
fn published_vectors_come_out() {
    let vectors = [
        (
            record(
                "table parsing en",
                json!([
                    "<table><tr><td>a</td><td>b</td></tr><tr><td>cd</td><td>e</td></tr></table>"
                ]),
                "<table><tr><td>a</td><td>b</td></tr><tr><td>cx</td></tr></table>",
            ),
            0.75,
        ),
        (
            record(
                "table parsing cn",
                json!(["<table><tr><td>a</td></tr></table>"]),
                "<table><tr><td colspan=\"2\">a</td></tr></table>",
            ),
            0.5,
        ),
        (
            json!({"type": "table parsing en", "question": "As Markdown", "predict": "|a|b|\n|-|-|\n|c|x|",
                "answers": ["|a|b|\n|-|-|\n|c|d|\n|e|f|"]}),
            1.0 - 4.0 / 9.0,
        ),
        (
            record(
                "document parsing en",
                json!(["# T\nfoo\nbar"]),
                "# T\nhello\nworld",
            ),
            1.0,
        ),
        (
            record(
                "document parsing cn",
                json!(["# T\nhello\nworld\n\nx"]),
                "# T\nhello",
            ),
            0.571_428_571_428_571_4,
        ),
        (
            record("document parsing en", json!(["# A\nx\n# B\ny"]), "plain"),
            0.5,
        ),
        (record("document parsing en", json!([""]), ""), 2.0 / 3.0),
        (
            record(
                "key information extraction en",
                json!([{"a": ["xy"], "c": ["3"]}]),
                "{'a': 'X y', 'b': '2'}",
            ),
            1.0 / 3.0,
        ),
        (
            record(
                "chart parsing en",
                json!([{"x": "12", "y": {"k": 3}}]),
                "{'x': '12', 'y': {'k': 3}}",
            ),
            1.0,
        ),
        (
            record(
                "text grounding en",
                json!([0, 0, 10, 10]),
                "(0,0,10,10) then [0, 0, 10, 5]",
            ),
            0.5,
        ),
        (
            record(
                "chart parsing en",
                json!([{"x": 1e-7}]),
                "values = {'x': 1e-07} # done",
            ),
            1.0,
        ),
    ];
    let (records, wanted): (Vec<_>, Vec<_>) = vectors.into_iter().unzip();
    for ((record, got), want) in records.iter().zip(scores(&records)).zip(wanted) {
        assert!(
            close(got.unwrap(), want),
            "{got:?} instead of {want}: {record}"
        );
    }
}

/// Two items of a capability count as two, capabilities as one each.
#[test]
fn capabilities_are_averaged_by_language() {
    let graded = grade(&[
        record("text recognition en", json!(["stop"]), "STOP sign"),
        record("text recognition en", json!(["stop"]), "go"),
        record("full-page OCR en", json!(["x"]), ""),
        json!({"type": "science QA en", "question": "?", "answers": ["B"], "eval": "multiple choice", "predict": "B."}),
        record("cognition VQA cn", json!(["北京"]), "北 京"),
        record("text translation cn", json!([""]), "anything"),
        record("text grounding en", json!([0, 0, 10, 10]), Value::Null),
    ]);
    assert_eq!(graded.code, Some(0));
    let summary = graded.summary();
    let metric = |name: &str| summary["metrics"][name].as_f64();
    assert!(close(metric("en text_recognition").unwrap(), 1.0 / 3.0));
    assert!(close(metric("en knowledge_reasoning").unwrap(), 1.0));
    assert!(close(metric("en text_detection").unwrap(), 0.0));
    assert!(close(
        metric("en overall").unwrap(),
        (1.0 / 3.0 + 1.0) / 3.0
    ));
    assert!(close(metric("cn overall").unwrap(), 1.0));
    // The official script counts an ignored item in its task's mean only.
    assert_eq!(metric("text translation cn"), Some(0.0));
    assert_eq!(metric("cn knowledge_reasoning"), None);
    let overall = summary["overall"]["value"].as_f64().unwrap();
    assert!(close(overall, (1.0 / 3.0 + 1.0 + 0.0 + 1.0) / 4.0));
    let notes = summary["notes"].to_string();
    assert!(notes.contains("1 of 7 outputs is ignored"), "{notes}");
    assert!(notes.contains("`en overall` and `cn overall`"), "{notes}");
    let groups = summary["groups"].as_array().unwrap();
    let english = groups
        .iter()
        .find(|g| g["by"] == "language" && g["key"] == "en");
    assert_eq!(english.unwrap()["n"], 5);
    insta::assert_snapshot!("ocrbench_v2_official", graded.official());
    let reasons = graded
        .grades()
        .into_iter()
        .map(|g| g["reason"].as_str().unwrap().to_owned());
    insta::assert_snapshot!(
        "ocrbench_v2_reasons",
        reasons.collect::<Vec<_>>().join("\n")
    );
}

/// Where the official script has no rule, there is no score.
#[test]
fn what_the_official_script_stops_at_is_unscored() {
    let graded = grade(&[
        record("text recognition en", json!(["stop"]), Value::Null),
        record("text counting en", json!(["3"]), "3"),
        record("no such task", json!(["3"]), "3"),
        record("key information extraction en", json!([12]), "{}"),
        json!({"type": "table parsing en", "question": "?", "answers": ["<table></table>"], "predict": "x"}),
        record("text grounding en", json!([1, 2]), "[1, 2, 3, 4]"),
    ]);
    assert_eq!(graded.code, Some(5));
    let reasons: Vec<String> = (graded.grades().iter())
        .map(|grade| {
            assert!(grade["score"].is_null(), "{grade}");
            grade["unscored"].as_str().unwrap().to_owned()
        })
        .collect();
    insta::assert_snapshot!(reasons.join("\n"));
}

/// A key's accepted values are tried apart from those of other keys: 2^200 combinations are no more work than
/// 400.
#[test]
fn large_answers_and_predictions_take_no_time() {
    let many: serde_json::Map<String, Value> = (0..200)
        .map(|key| (format!("k{key}"), json!(["a", "b"])))
        .collect();
    let all: serde_json::Map<String, Value> = (0..200)
        .map(|key| (format!("k{key}"), json!("b")))
        .collect();
    let row = |n: usize| {
        let cells: String = (0..10)
            .map(|cell| format!("<td>cell {cell} of {}</td>", n * 7919 % 1000))
            .collect();
        format!("<tr>{cells}</tr>")
    };
    let table = |from: usize| {
        let rows: String = (from..from + 200).map(row).collect();
        format!("<table>{rows}</table>")
    };
    let start = Instant::now();
    let got = scores(&[
        record(
            "key information extraction en",
            json!([many]),
            Value::Object(all).to_string(),
        ),
        record("table parsing cn", json!([table(0)]), table(3)),
        record(
            "table parsing cn",
            json!(["<table><tr><td>a</td></tr></table>"]),
            "<table>".repeat(100_000),
        ),
        record("chart parsing en", json!([{"a": 1}]), "[".repeat(1 << 20)),
        record("text spotting en", json!([]), "[".repeat(1 << 20)),
        record(
            "document parsing en",
            json!(["# a\nb"]),
            "# a\nb\n".repeat(20_000),
        ),
    ]);
    assert_eq!(got[0], Some(1.0));
    assert!(got[1].unwrap() > 0.95);
    assert_eq!(got[3], Some(0.0));
    // Far above what it takes, and far below what an exhaustive search would.
    assert!(start.elapsed() < Duration::from_secs(60));
}

/// The official file is the suite's source, wherever its archive was unpacked.
#[test]
fn the_official_file_gives_the_items() {
    let dir = tempfile::tempdir().unwrap();
    let file = json!([
        {"dataset_name": "a", "type": "text recognition en", "id": 7, "image_path": "EN_part/a/1.jpg",
            "question": "What does it say?", "answers": ["stop"]},
        {"dataset_name": "b", "type": "text spotting en", "id": 8, "image_path": "EN_part/a/2.jpg",
            "question": "Where?", "answers": [], "bbox": [[0, 0, 1, 0, 1, 1, 0, 1]], "content": ["x"]},
    ]);
    fs::write(dir.path().join("OCRBench_v2.json"), file.to_string()).unwrap();
    let pictures = dir.path().join("EN_part/a");
    fs::create_dir_all(&pictures).unwrap();
    for name in ["1.jpg", "2.jpg"] {
        image::RgbImage::new(8, 8)
            .save(pictures.join(name))
            .unwrap();
    }
    let output = unigauge(dir.path())
        .args(["items", "ocrbench-v2", "--items", "OCRBench_v2.json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let items: Vec<Value> = (String::from_utf8(output.stdout).unwrap().lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(items[0]["item"], "7");
    assert_eq!(items[1]["expect"]["content"], json!(["x"]));
    assert_eq!(items[1]["tags"]["type"], "text spotting en");
}
