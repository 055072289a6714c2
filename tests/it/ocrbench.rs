//! OCRBench: its rule on loose files, its totals and its file; the rule `page-ocr` and WordNet.

use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/ocrbench")
        .join(name)
}

fn write(path: PathBuf, records: impl IntoIterator<Item = Value>) {
    let lines = records.into_iter().map(|record| format!("{record}\n"));
    fs::write(path, lines.collect::<String>()).unwrap();
}

fn item(id: &str, expect: Value) -> Value {
    json!({"item": id, "task": "understand", "prompt": "What is written?", "images": [format!("{id}.png")], "expect": expect})
}

fn said(id: &str, text: &str) -> Value {
    json!({"item": id, "repeat": 0, "seed": 1, "kind": "text", "text": text})
}

fn grade(dir: &Path, suite: &str, more: &[&str]) -> Output {
    let mut command = unigauge(dir);
    command.args([
        "grade",
        "--suite",
        suite,
        "--items",
        "items.jsonl",
        "--outputs",
        "outputs.jsonl",
        "--out",
        "out",
    ]);
    command.args(more).output().unwrap()
}

fn summary(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("out/summary.json")).unwrap()).unwrap()
}

fn notes(dir: &Path) -> String {
    let notes = summary(dir)["notes"].as_array().unwrap().clone();
    notes
        .iter()
        .map(|note| format!("{}\n", note.as_str().unwrap()))
        .collect()
}

/// tests/golden/ocrbench/make.py computes the results in Python.
#[test]
fn results_are_those_of_the_official_rule() {
    let dir = tempfile::tempdir().unwrap();
    let file =
        std::env::var_os("UNIGAUGE_OCRBENCH_CASES").map_or(golden("cases.jsonl"), PathBuf::from);
    let cases: Vec<Value> = lines(&file)
        .into_iter()
        .filter(|case| case["op"] == "v1")
        .collect();
    assert!(cases.len() >= 30);
    let id = |at: usize| format!("q{at}");
    let expect = |case: &Value| json!({"answers": case["answers"], "dataset": case["dataset"], "type": "Handwriting Recognition"});
    write(
        dir.path().join("items.jsonl"),
        cases
            .iter()
            .enumerate()
            .map(|(at, case)| item(&id(at), expect(case))),
    );
    write(
        dir.path().join("outputs.jsonl"),
        cases
            .iter()
            .enumerate()
            .map(|(at, case)| said(&id(at), case["prediction"].as_str().unwrap())),
    );
    let output = grade(dir.path(), "ocrbench", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let grades = lines(&dir.path().join("out/grades.jsonl"));
    let official: Vec<Value> =
        serde_json::from_slice(&fs::read(dir.path().join("out/official/OCRBench.json")).unwrap())
            .unwrap();
    assert_eq!([grades.len(), official.len()], [cases.len(); 2]);
    for ((case, grade), official) in cases.iter().zip(&grades).zip(&official) {
        assert_eq!(
            grade["score"].as_f64(),
            case["want"].as_f64(),
            "{case} {grade}"
        );
        assert_eq!(
            (&official["predict"], &official["result"]),
            (&case["prediction"], &case["want"])
        );
    }
    let right: f64 = cases
        .iter()
        .map(|case| case["want"].as_f64().unwrap())
        .sum();
    assert_eq!(summary(dir.path())["metrics"]["final"], right);
}

/// One item of each type, two without an output; worked by hand.
#[test]
fn totals_count_what_is_missing_as_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        (
            "Regular Text Recognition",
            "svt",
            "CENTRE",
            Some("The sign says: Centre."),
        ),
        (
            "Irregular Text Recognition",
            "ctw",
            "Bar",
            Some("I cannot read it."),
        ),
        ("Artistic Text Recognition", "WordArt", "art", None),
        (
            "Handwriting Recognition",
            "IAM",
            "to be",
            Some("\"To\nbe\""),
        ),
        ("Digit String Recognition", "ORAND", "12", Some("112")),
        (
            "Non-Semantic Text Recognition",
            "NonSemanticText",
            "xq",
            Some(""),
        ),
        ("Scene Text-centric VQA", "STVQA", "stop", Some("STOP sign")),
        ("Doc-oriented VQA", "docVQA", "1999", Some("１９９９")),
        (
            "Key Information Extraction",
            "FUNSD",
            "R. Smith",
            Some("r. smith"),
        ),
        (
            "Handwritten Mathematical Expression Recognition",
            "HME100k",
            "y_2 = - 1\n",
            Some("$y_2=-1$"),
        ),
        (
            "Handwritten Mathematical Expression Recognition",
            "HME100k",
            "y_2",
            Some("$Y_2$"),
        ),
        ("Unheard of", "own", "a", Some("a")),
    ];
    let id = |at: usize| format!("q{at}");
    write(
        dir.path().join("items.jsonl"),
        rows.iter()
            .enumerate()
            .map(|(at, (kind, dataset, answer, _))| {
                item(
                    &id(at),
                    json!({"answers": answer, "dataset": dataset, "type": kind, "id": at}),
                )
            }),
    );
    let failed = json!({"item": "q2", "repeat": 0, "seed": 1, "kind": "text", "error": {"stage": "generate", "kind": "timeout", "message": "60 s"}});
    let outputs = rows
        .iter()
        .enumerate()
        .filter_map(|(at, (.., text))| Some(said(&id(at), (*text)?)));
    write(dir.path().join("outputs.jsonl"), outputs.chain([failed]));
    let output = grade(dir.path(), "ocrbench", &[]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let summary = summary(dir.path());
    assert_eq!(
        (&summary["expected"], &summary["scored"], &summary["failed"]),
        (&json!(12), &json!(11), &json!(1))
    );
    assert_eq!(
        summary["metrics"],
        json!({"artistic_text_recognition": 0.0, "digit_string_recognition": 1.0, "doc_vqa": 0.0, "final": 6.0,
            "handwriting_recognition": 1.0, "hmer": 1.0, "irregular_text_recognition": 0.0, "kie": 1.0,
            "non_semantic_text_recognition": 0.0, "regular_text_recognition": 1.0, "scene_vqa": 1.0, "text_recognition": 3.0})
    );
    insta::assert_snapshot!(notes(dir.path()));
    let reasons: Vec<String> = lines(&dir.path().join("out/grades.jsonl"))
        .iter()
        .map(|grade| grade["reason"].as_str().unwrap().to_owned())
        .collect();
    insta::assert_snapshot!(reasons.join("\n---\n"));
    let official = fs::read_to_string(dir.path().join("out/official/OCRBench.json")).unwrap();
    let records: Vec<Value> = serde_json::from_str(&official).unwrap();
    let missing: Vec<bool> = records
        .iter()
        .map(|record| record.get("predict").is_none())
        .collect();
    assert_eq!(missing.iter().filter(|missing| **missing).count(), 1);
    assert!(missing[2]);
    // As Python's json.dump(…, indent=4) writes it.
    assert!(official.starts_with("[\n    {\n        \"dataset_name\": \"svt\",\n        \"id\": 0,\n        \"image_path\": \"q0.png\",\n"));
    assert!(
        official.contains(
            "\"predict\": \"\\uff11\\uff19\\uff19\\uff19\",\n        \"result\": 0\n    },"
        )
    );

    let output = grade(dir.path(), "ocrbench", &["--set", "averaging = 'datasets'"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let metrics = self::summary(dir.path())["metrics"].clone();
    assert_eq!(
        (&metrics["accuracy HME100k"], &metrics["accuracy WordArt"]),
        (&json!(0.5), &json!(0.0))
    );
    assert!(metrics.get("final").is_none());
}

#[test]
fn items_that_are_no_ocrbench_are_unscored() {
    let dir = tempfile::tempdir().unwrap();
    let expects = [
        json!({"dataset": "svt"}),
        json!({"answers": ["a"]}),
        json!({"answers": [["a"]], "dataset": "svt"}),
    ];
    write(
        dir.path().join("items.jsonl"),
        expects
            .iter()
            .enumerate()
            .map(|(at, expect)| item(&format!("q{at}"), expect.clone())),
    );
    write(
        dir.path().join("outputs.jsonl"),
        (0..3).map(|at| said(&format!("q{at}"), "a")),
    );
    assert_eq!(grade(dir.path(), "ocrbench", &[]).status.code(), Some(5));
    let why: Vec<Value> = lines(&dir.path().join("out/grades.jsonl"))
        .iter()
        .map(|grade| grade["unscored"].clone())
        .collect();
    let answers = "the item's `expect.answers` is neither a text nor a list of texts";
    assert_eq!(
        json!(why),
        json!([answers, "the item's `expect` has no `dataset`", answers])
    );
}

/// The official file with its pictures beside it.
#[test]
fn the_suite_reads_the_official_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("IIIT5K")).unwrap();
    image::RgbImage::new(4, 4)
        .save(dir.path().join("IIIT5K/918_1.png"))
        .unwrap();
    let record = json!([{"dataset_name": "IIIT5K", "id": 2843, "image_path": "IIIT5K/918_1.png",
        "question": "what is written in the image?", "answers": "CENTRE", "type": "Regular Text Recognition"}]);
    let file = dir.path().join("OCRBench.json");
    fs::write(&file, record.to_string()).unwrap();
    let model = crate::support::model(dir.path(), "parrot", "echo", "");
    let output = unigauge(dir.path())
        .args(["run", "ocrbench", "--items", "OCRBench.json", "--model"])
        .arg(model)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = dir.path().join("results/ocrbench/parrot/seed0");
    let official: Value =
        serde_json::from_slice(&fs::read(run.join("official/OCRBench.json")).unwrap()).unwrap();
    let mut expected = record;
    expected[0]["predict"] = json!("what is written in the image?");
    expected[0]["result"] = json!(0);
    assert_eq!(official, expected);
    assert_eq!(lines(&run.join("items.jsonl"))[0]["item"], "IIIT5K-2843");
}

const PAGES: &str = "name = \"pages\"\nversion = \"1\"\ntitle = \"Pages\"\ntask = \"understand\"\n[items]\nfile = \"items.jsonl\"\n[grade]\nrule = \"page-ocr\"\n";

fn pages(dir: &Path) {
    fs::write(dir.join("pages.toml"), PAGES).unwrap();
    let rows = [
        ("fast", "quick"),
        (
            "the quick brown fox jumps over the lazy dog",
            "the quick brown cat jumps over the dog",
        ),
        ("小明在北京", ""),
        ("", "words"),
    ];
    write(
        dir.join("items.jsonl"),
        rows.iter()
            .enumerate()
            .map(|(at, (answer, _))| item(&format!("p{at}"), json!({"answers": answer}))),
    );
    write(
        dir.join("outputs.jsonl"),
        rows.iter()
            .enumerate()
            .map(|(at, (_, text))| said(&format!("p{at}"), text)),
    );
}

#[test]
fn pages_are_measured_and_the_summary_tells_of_wordnet() {
    let dir = tempfile::tempdir().unwrap();
    pages(dir.path());
    let grade = |more: &[&str]| {
        let cache = dir.path().join("cache");
        let output = grade(
            dir.path(),
            "./pages.toml",
            &[&["--cache", cache.to_str().unwrap()], more].concat(),
        );
        assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
        lines(&dir.path().join("out/grades.jsonl"))
    };
    let plain = grade(&[]);
    assert_eq!(plain[0]["parts"]["meteor"], 0.0);
    assert_eq!(plain[2]["score"], 0.0);
    assert!(plain[2]["parts"].get("f_measure").is_none());
    assert_eq!(plain[3]["unscored"], "every reference of the item is empty");
    let mean = summary(dir.path())["metrics"]["meteor"].as_f64().unwrap();
    assert!((mean - 0.755560651226783 / 3.0).abs() < 1e-12, "{mean}");
    assert!(
        notes(dir.path())
            .contains("without WordNet: METEOR has no synonym stage and is a lower bound")
    );
    insta::assert_snapshot!(plain[1]["reason"].as_str().unwrap(), @"said “the quick brown cat jumps over the dog”, reference “the quick brown fox jumps over the lazy dog”: BLEU 0.0000, METEOR 0.7556, F-measure 0.8000, edit distance 0.1860");

    // One that the options name, as a folder or an archive.
    let folder = format!("wordnet = {:?}", golden("wordnet"));
    assert_eq!(grade(&["--set", &folder])[0]["parts"]["meteor"], 0.5);
    assert!(notes(dir.path()).contains("METEOR's synonyms are WordNet's"));
    archive(&dir.path().join("wordnet.zip"));
    assert_eq!(
        grade(&["--set", "wordnet = 'wordnet.zip'"])[0]["parts"]["meteor"],
        0.5
    );

    // One that was fetched.
    let asset = dir
        .path()
        .join("cache/assets/wordnet/unpinned-5db857e6f7df11eabb5e5665836db9ec8df07e28");
    fs::create_dir_all(&asset).unwrap();
    fs::copy(dir.path().join("wordnet.zip"), asset.join("wordnet.zip")).unwrap();
    assert_eq!(grade(&[])[0]["parts"]["meteor"], 0.5);
    assert!(
        !notes(dir.path()).contains("other options"),
        "{}",
        notes(dir.path())
    );
}

fn archive(path: &Path) {
    let mut archive = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for entry in fs::read_dir(golden("wordnet")).unwrap() {
        let file = entry.unwrap();
        let name = format!("wordnet/{}", file.file_name().to_str().unwrap());
        archive
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::Write::write_all(&mut archive, &fs::read(file.path()).unwrap()).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn a_wordnet_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    pages(dir.path());
    let output = grade(
        dir.path(),
        "./pages.toml",
        &["--set", "wordnet = 'nowhere'"],
    );
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("option `wordnet` of grading rule page-ocr")
            && said.contains("`nowhere`")
            && said.contains("unigauge fetch wordnet"),
        "{said}"
    );
}
