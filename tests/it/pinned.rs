//! What readers of old run folders rely on: manifests, summaries, records, fingerprints and the keys of
//! checkpoints stay as they are, down to the order of their keys.
//!
//! The golden files in `tests/golden/pinned` were written by the program of commit 32e106f.
//! `UNIGAUGE_UPDATE_PINNED=1` writes them anew, and `UNIGAUGE_PINNED_PROGRAM` names another program to write
//! or check them with. A difference is a change of format: say so in the changelog, and raise
//! `FORMAT_VERSION` where the meaning of a file changes.

use crate::support::{lines, model, text_suite};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Keys whose values differ between two runs of one program, or between machines.
const VOLATILE: [&str; 8] = [
    "commit", "command", "cores", "finished", "os", "arch", "started", "seconds",
];

/// Fingerprints of outputs depend on the paths of their input pictures, and the pictures of the miniature world
/// are kept in the cache. So it is at the same place everywhere.
const CACHE: &str = "/tmp/unigauge-pinned-cache";

fn program() -> PathBuf {
    std::env::var_os("UNIGAUGE_PINNED_PROGRAM").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_unigauge")),
        PathBuf::from,
    )
}

/// Runs the program in a folder, with the same cache everywhere and no network; gives its standard output.
fn run_in(dir: &Path, args: &[&str]) -> String {
    let output = Command::new(program())
        .args(args)
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .env("UNIGAUGE_OFFLINE", "1")
        .env("UNIGAUGE_CACHE", CACHE)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Replaces volatile values, and the folder of the test, by marks.
fn scrub(value: Value, dir: &str) -> Value {
    match value {
        Value::Object(object) => Value::Object(scrub_object(object, dir)),
        Value::Array(values) => values.into_iter().map(|value| scrub(value, dir)).collect(),
        Value::String(text) => Value::String(text.replace(dir, "DIR")),
        other => other,
    }
}

fn scrub_object(object: Map<String, Value>, dir: &str) -> Map<String, Value> {
    let scrubbed = object.into_iter().map(|(key, value)| {
        let value = if VOLATILE.contains(&key.as_str()) {
            json!("…")
        } else if key == "timings" {
            // Which phases are timed is part of the format, how long they took is not.
            let phases = value
                .as_object()
                .into_iter()
                .flat_map(|phases| phases.keys());
            json!(phases.collect::<Vec<_>>())
        } else {
            scrub(value, dir)
        };
        (key, value)
    });
    scrubbed.collect()
}

/// The records of a journal in the order of items: several workers write them in the order in which they
/// finish.
fn records(path: &Path) -> Vec<Value> {
    let mut records = lines(path);
    records.sort_by_key(|record| (record["item"].to_string(), record["repeat"].as_u64()));
    records
}

/// How much of a run is pinned.
enum Pinned {
    /// Every record.
    Whole,
    /// No pixels and what was seen in them: networks compute them a little otherwise on another processor.
    WithoutPixels,
}

/// Compares a run folder with its golden file.
fn assert_run_is_pinned(name: &str, dir: &Path, run: &str, pinned: Pinned) {
    let folder = dir.join(run);
    let read = |file: &str| -> Value {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let mut outputs = records(&folder.join("outputs.jsonl"));
    assert!(!outputs.is_empty());
    let mut whole = Map::new();
    whole.insert("manifest.json".into(), read("manifest.json"));
    whole.insert(
        "items.jsonl".into(),
        lines(&folder.join("items.jsonl")).into(),
    );
    match pinned {
        Pinned::Whole => {
            whole.insert("outputs.jsonl".into(), outputs.into());
            whole.insert(
                "evidence.jsonl".into(),
                records(&folder.join("evidence.jsonl")).into(),
            );
            whole.insert(
                "grades.jsonl".into(),
                records(&folder.join("grades.jsonl")).into(),
            );
            whole.insert("summary.json".into(), read("summary.json"));
        }
        Pinned::WithoutPixels => {
            for output in &mut outputs {
                output.as_object_mut().unwrap().remove("sha256");
            }
            whole.insert("outputs.jsonl".into(), outputs.into());
        }
    }
    let dir = dir.canonicalize().unwrap();
    let scrubbed = scrub(Value::Object(whole), &dir.display().to_string());
    assert_text_is_pinned(&format!("{name}.json"), &format!("{scrubbed:#}\n"));
}

fn assert_text_is_pinned(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/pinned")
        .join(file);
    if std::env::var_os("UNIGAUGE_UPDATE_PINNED").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert!(
        golden == text,
        "{} differs from what the program writes:\n{}",
        path.display(),
        first_difference(&golden, text)
    );
}

fn first_difference(golden: &str, text: &str) -> String {
    let (mut golden, mut text) = (golden.lines(), text.lines());
    for number in 1.. {
        let (expected, found) = (golden.next(), text.next());
        if expected != found {
            return format!("line {number}: expected {expected:?}, found {found:?}");
        }
    }
    unreachable!("the texts are equal")
}

#[test]
fn a_run_of_the_exact_model_of_the_world() {
    let dir = tempfile::tempdir().unwrap();
    let args = [
        "run",
        "mini-geneval",
        "--model",
        "world-mistaken",
        "--limit",
        "12",
        "--out",
        "r",
    ];
    run_in(dir.path(), &args);
    let run = "r/mini-geneval/world-mistaken/seed0-limit12";
    assert_run_is_pinned("mini-geneval", dir.path(), run, Pinned::Whole);
}

#[test]
fn a_run_of_edits_with_pixel_measures() {
    let dir = tempfile::tempdir().unwrap();
    let args = [
        "run",
        "mini-edit",
        "--model",
        "world",
        "--limit",
        "4",
        "--out",
        "r",
    ];
    run_in(dir.path(), &args);
    assert_run_is_pinned(
        "mini-edit",
        dir.path(),
        "r/mini-edit/world/seed0-limit4",
        Pinned::Whole,
    );
}

#[test]
fn a_run_of_questions_and_its_repeats() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 7);
    model(dir.path(), "echo", "echo", "");
    let args = [
        "run",
        "questions.toml",
        "--model",
        "echo.toml",
        "--repeats",
        "2",
        "--seed",
        "7",
        "--run",
        "named",
        "--out",
        "r",
    ];
    run_in(dir.path(), &args);
    assert_run_is_pinned(
        "questions",
        dir.path(),
        "r/questions/echo/named",
        Pinned::Whole,
    );
}

#[test]
fn runs_of_the_pipelines_with_networks() {
    let dir = tempfile::tempdir().unwrap();
    for (suite, model) in [
        ("mini-geneval", "mini-flux"),
        ("mini-edit", "mini-uniworld"),
        ("mini-text", "mini-xomni"),
    ] {
        run_in(
            dir.path(),
            &["run", suite, "--model", model, "--limit", "2", "--out", "r"],
        );
        let run = format!("r/{suite}/{model}/seed0-limit2");
        assert_run_is_pinned(model, dir.path(), &run, Pinned::WithoutPixels);
    }
}

#[test]
fn the_keys_of_the_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    for model in ["mini-flux", "mini-uniworld", "mini-xomni"] {
        let printed = run_in(dir.path(), &["check", model, "--keys", "--json"]);
        let keys: Vec<Value> = serde_json::from_str(&printed).unwrap();
        assert!(keys.len() > 100, "{model}: {} tensors", keys.len());
        let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
        assert_text_is_pinned(&format!("{model}-keys.jsonl"), &text);
    }
}
