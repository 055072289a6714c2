//! The OCR engine as a choice: `--observer`, the row's name, rows read by different engines, and `openai-ocr`
//! against a server.

use crate::http::{Reply, Seen, Server};
use crate::support::{lines, stderr, unigauge};
use base64::Engine as _;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SUITE: &str = r#"name = "signs"
version = "1"
title = "Signs"
task = "text-to-image"
observers = ["ppocr"]

[items]
file = "signs.jsonl"

[items.map]
expect = ["texts", "language"]

[grade]
rule = "longtext"

[observe.ppocr]
direction = false
"#;

fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("signs.toml"), SUITE).unwrap();
    let item = |id: &str, text: &str| json!({"id": id, "prompt": format!("A sign that says {text}"), "texts": [text], "language": "en"});
    let items = format!("{}\n{}\n", item("a", "OPEN DAILY"), item("b", "CLOSED NOW"));
    fs::write(dir.path().join("signs.jsonl"), items).unwrap();
    dir
}

fn reply(text: &str, finish: &str) -> Reply {
    let message = json!({"role": "assistant", "content": text});
    let body = json!({"model": "reader-1-2026", "usage": {"completion_tokens": 4},
                      "choices": [{"message": message, "finish_reason": finish}]});
    Reply::json("200 OK", &body)
}

/// Runs the suite with an engine behind `server`.
fn read_by(dir: &Path, server: &Server, name: &str, more: &[&str]) -> std::process::Output {
    unigauge(dir)
        .env("READER_KEY", "the-secret-of-the-test")
        .args(["run", "signs.toml", "--model", "typeset", "--jobs", "1"])
        .args(["--observer", "openai-ocr", "--set"])
        .arg(format!("observe.openai-ocr.model=\"{name}\""))
        .arg(format!(
            "observe.openai-ocr.base_url=\"{}\"",
            server.url("/v1")
        ))
        .args([
            "observe.openai-ocr.api_key_env=\"READER_KEY\"",
            "observe.openai-ocr.max_attempts=2",
        ])
        .args(more)
        .output()
        .unwrap()
}

/// The picture of a request.
fn sent(seen: &Seen) -> image::RgbImage {
    let request: Value = serde_json::from_slice(&seen.body).unwrap();
    let url = &request["messages"][0]["content"][0]["image_url"]["url"];
    let picture = url.as_str().unwrap().strip_prefix("data:image/png;base64,");
    let picture = base64::engine::general_purpose::STANDARD
        .decode(picture.unwrap())
        .unwrap();
    image::load_from_memory(&picture).unwrap().into_rgb8()
}

#[test]
fn a_server_reads_and_the_row_says_so() {
    let dir = folder();
    // Either picture may be stored, and so be read, first: the server knows them apart.
    let made = unigauge(dir.path())
        .args([
            "generate",
            "signs.toml",
            "--model",
            "typeset",
            "--out",
            "made",
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    let first = dir.path().join("made/signs/typeset/seed0/outputs/a_0.png");
    let first = image::open(first).unwrap().into_rgb8();
    let open = first.clone();
    let server = Server::start(move |seen, before| match before {
        0 => Reply::json(
            "429 Too Many Requests",
            &json!({"error": {"message": "slow down"}}),
        )
        .with("retry-after-ms", "10"),
        _ if sent(seen) == open => reply("Open daily!", "stop"),
        _ => reply("closed", "length"),
    });
    let output = read_by(
        dir.path(),
        &server,
        "reader/1",
        &["observe.openai-ocr.temperature=0.5"],
    );
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("read by reader/1, observe.openai-ocr.temperature=0.5"),
        "{table}"
    );
    assert!(!table.contains("base_url"), "{table}");

    let run = dir.path().join("results/signs/typeset/seed0-reader-1");
    let summary: Value =
        serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["overall"]["value"], 0.75);
    assert_eq!(summary["read_by"], json!(["reader/1"]));
    let evidence = lines(&run.join("evidence.jsonl"));
    let of = |item: &str| &evidence.iter().find(|e| e["item"] == item).unwrap()["evidence"];
    assert_eq!(of("a")["text"], "Open daily!");
    assert_eq!(
        (&of("a")["truncated"], &of("b")["truncated"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(of("a")["server"]["model"], "reader-1-2026");

    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    let asked = seen.iter().find(|seen| sent(seen) == first).unwrap();
    let request: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(request["model"], "reader/1");
    assert_eq!(request["temperature"], 0.5);
    assert_eq!(request["max_tokens"], 1024);
    let content = &request["messages"][0]["content"];
    assert!(content[1]["text"].as_str().unwrap().contains("text"));
    let outputs = lines(&run.join("outputs.jsonl"));
    let made = outputs.iter().find(|output| output["item"] == "a").unwrap();
    let made = image::open(run.join(made["file"].as_str().unwrap()))
        .unwrap()
        .into_rgb8();
    assert_eq!(first, made);
    assert_eq!(
        asked.header("authorization"),
        Some("Bearer the-secret-of-the-test")
    );
    for file in ["manifest.json", "evidence.jsonl", "summary.json"] {
        let text = fs::read_to_string(run.join(file)).unwrap();
        assert!(!text.contains("the-secret"), "{file}");
    }
}

#[test]
fn rows_read_by_different_engines_are_marked() {
    let dir = folder();
    let server = Server::start(|_, _| reply("open daily closed now", "stop"));
    for name in ["reader-1", "reader-2"] {
        let output = read_by(dir.path(), &server, name, &[]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let compare = |runs: &[&str]| {
        let output = unigauge(dir.path())
            .args(["compare", "--format", "markdown"])
            .args(
                runs.iter()
                    .map(|run| format!("results/signs/typeset/{run}")),
            )
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let both = compare(&["seed0-reader-1", "seed0-reader-2"]);
    assert!(
        both.contains("The texts were read by different OCR engines, so the rows are not comparable with each other: ")
            && both.contains("by reader-1; ")
            && both.contains("by reader-2."),
        "{both}"
    );
    let one = compare(&["seed0-reader-1"]);
    assert!(!one.contains("different OCR engines"), "{one}");
}

#[test]
fn a_key_that_is_refused_is_asked_with_once() {
    let dir = folder();
    let refuse = |_: &Seen, _: usize| {
        Reply::json(
            "401 Unauthorized",
            &json!({"error": {"message": "bad key the-secret-of-the-test"}}),
        )
    };
    let server = Server::start(refuse);
    let output = read_by(dir.path(), &server, "r", &[]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(server.seen().len(), 1);
    let evidence = lines(
        &dir.path()
            .join("results/signs/typeset/seed0-r/evidence.jsonl"),
    );
    assert_eq!(evidence.len(), 2);
    for record in evidence {
        let error = &record["error"];
        let message = error["message"].as_str().unwrap();
        assert_eq!(error["kind"], "server");
        assert!(message.contains("READER_KEY is not accepted"), "{message}");
        assert!(!message.contains("the-secret"), "{message}");
    }
}

#[test]
fn the_plan_shows_the_engine_and_its_own_folder() {
    let dir = folder();
    let plan = |arguments: &[&str]| {
        let output = unigauge(dir.path())
            .args(["check", "signs.toml", "--model", "typeset", "--offline"])
            .args(arguments)
            .output()
            .unwrap();
        let said = stderr(&output);
        String::from_utf8(output.stdout).unwrap() + &said
    };
    let own = plan(&[]);
    assert!(
        own.contains("signs/typeset/seed0: 2 items") && own.contains("observers: ppocr;"),
        "{own}"
    );
    let same = plan(&["--observer", "ppocr"]);
    assert!(same.contains("signs/typeset/seed0: 2 items"), "{same}");
    let qwen = plan(&["--observer", "qwen-ocr"]);
    assert!(
        qwen.contains("seed0-qwen2.5-vl: 2 items") && qwen.contains("observers: qwen-ocr;"),
        "{qwen}"
    );
    let v6 = plan(&["--set", "observe.ppocr.models=\"v6\""]);
    assert!(v6.contains("seed0-pp-ocrv6: 2 items"), "{v6}");
    let two = plan(&["--observer", "ppocr", "qwen-ocr"]);
    assert!(
        two.contains("seed0-pp-ocrv4-qwen2.5-vl: 2 items")
            && two.contains("observers: ppocr, qwen-ocr;"),
        "{two}"
    );
}

#[test]
fn what_cannot_read_is_refused() {
    let dir = folder();
    let refused = |suite: &str, arguments: &[&str]| {
        let output = unigauge(dir.path())
            .args(["run", suite, "--model", "typeset", "--offline"])
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        stderr(&output)
    };
    let other = refused("signs.toml", &["--observer", "geneval-detector"]);
    assert!(
        other.contains("`geneval-detector` is not an OCR observer") && other.contains("ppocr"),
        "{other}"
    );
    let unknown = refused("signs.toml", &["--observer", "tesseract"]);
    assert!(
        unknown.contains("`tesseract` is not an OCR observer"),
        "{unknown}"
    );
    let suite = refused("geneval", &["--observer", "ppocr"]);
    assert!(
        suite.contains("no OCR observer of the suite `geneval`")
            && suite.contains("geneval-detector"),
        "{suite}"
    );
    let nameless = refused("signs.toml", &["--observer", "openai-ocr"]);
    assert!(nameless.contains("`model` is empty"), "{nameless}");
    let v5 = refused("signs.toml", &["--set", "observe.ppocr.models=\"v5\""]);
    assert!(
        v5.contains("there is no such folder") && v5.contains("PP-OCRv5"),
        "{v5}"
    );
}
