//! Edits judged with no network at all: a pipeline and a judge in this process, both with tiny random
//! weights.

use crate::judge::suite;
use crate::support::{lines, model, stderr, unigauge};
use crate::uniworld::checkpoint;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const PIPELINE: &str = "checkpoint = \"tiny\"\nnum_inference_steps = 2\nmax_sequence_length = 24\nsize = [32, 24]\n\
                        min_pixels = 3136\nmax_pixels = 4704\n";

fn local(set: &str, more: &str) -> String {
    format!(
        "[observe.judge]\nbackend = \"qwen2.5-vl\"\nset = \"{set}\"\n{more}\n[observe.judge.local]\n\
         checkpoint = \"tiny/uniworld\"\nmax_new_tokens = 8\nmin_pixels = 3136\nmax_pixels = 4704\n"
    )
}

fn edits(dir: &Path) -> Vec<Value> {
    checkpoint(dir);
    model(dir, "tiny", "uniworld", PIPELINE);
    for (name, shade) in [("a.png", 40u8), ("b.png", 200)] {
        let picture = RgbImage::from_fn(90, 60, |x, y| Rgb([shade, x as u8, y as u8]));
        picture.save(dir.join(name)).unwrap();
    }
    let edit = |id: &str, kind: &str, image: &str| json!({"id": id, "prompt": "make it red", "images": [image], "edit_type": kind});
    vec![
        edit("one", "adjust", "a.png"),
        edit("two", "remove", "b.png"),
        edit("three", "style", "a.png"),
    ]
}

fn run(dir: &Path, more: &[&str]) -> std::process::Output {
    unigauge(dir)
        .args(["run", "own.toml", "--model", "tiny.toml", "--device", "cpu"])
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn edits_are_made_and_judged_in_this_process() {
    let dir = tempfile::tempdir().unwrap();
    let items = edits(dir.path());
    suite(dir.path(), "edit", "imgedit", &items, &local("imgedit", ""));
    let output = run(dir.path(), &[]);
    let folder = dir.path().join("results/own/tiny/seed0");
    let evidence = |folder: &Path| {
        let mut all = lines(&folder.join("evidence.jsonl"));
        all.sort_by_key(|line| line["item"].to_string());
        all
    };
    let seen = evidence(&folder);
    assert_eq!(seen.len(), 3, "{}", stderr(&output));
    for line in &seen {
        let found = &line["evidence"];
        assert_eq!(found["judge"], "qwen2.5-vl");
        assert_eq!(found["server"], Value::Null);
        let call = &found["calls"][0];
        assert_eq!(call["role"], "judge");
        // More than a thousand characters, a token each, and two pictures.
        assert!(call["input_tokens"].as_u64().unwrap() > 1000, "{call}");
        assert!(call["output_tokens"].as_u64().unwrap() <= 8);
        assert!(call["reply"].as_str().unwrap().chars().count() <= 8);
    }
    // Babble is no score, and no score is not zero: the run is incomplete down to its report.
    assert_eq!(output.status.code(), Some(5));
    let grades = lines(&folder.join("grades.jsonl"));
    assert_eq!(grades.len(), 3);
    for grade in &grades {
        assert_eq!(grade["score"], Value::Null);
        let why = grade["unscored"].as_str().unwrap();
        assert!(why.starts_with("cut off"), "{why}");
    }
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap();
    assert_eq!(
        (&summary["scored"], &summary["unscored"]),
        (&json!(0), &json!(3))
    );
    assert_eq!(summary["overall"]["value"], Value::Null);
    assert!(folder.join("report/index.html").is_file());
    // The words depend on the kind of edit, and so do their tokens.
    let tokens: Vec<&Value> = seen
        .iter()
        .map(|line| &line["evidence"]["calls"][0]["input_tokens"])
        .collect();
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    assert!(manifest.contains("(judge qwen2.5-vl, own prompts)"));

    // The same again from nothing, and from the replies on the disk: the same words.
    let words = |seen: &[Value]| -> Vec<Value> {
        seen.iter()
            .map(|line| line["evidence"]["calls"][0]["reply"].clone())
            .collect()
    };
    run(dir.path(), &["--out", "again"]);
    let again = dir.path().join("again/own/tiny/seed0");
    assert_eq!(words(&evidence(&again)), words(&seen));
    fs::remove_file(again.join("evidence.jsonl")).unwrap();
    run(dir.path(), &["--out", "again"]);
    let resumed = evidence(&again);
    assert_eq!(words(&resumed), words(&seen));
    assert!(
        resumed
            .iter()
            .all(|line| line["evidence"]["calls"][0]["cached"] == true)
    );
}

#[test]
fn a_local_judge_takes_text_first_and_asks_in_pairs() {
    let dir = tempfile::tempdir().unwrap();
    let items = edits(dir.path());
    let replies = |order: &str| -> Vec<Value> {
        let options = local("gedit", &format!("image_order = \"{order}\""));
        suite(dir.path(), "edit", "gedit", &items[..1], &options);
        let output = run(dir.path(), &["--out", order]);
        let seen = lines(&dir.path().join(order).join("own/tiny/seed0/evidence.jsonl"));
        assert_eq!(seen.len(), 1, "{}", stderr(&output));
        seen[0]["evidence"]["calls"].as_array().unwrap().clone()
    };
    let first = replies("text-first");
    let roles: Vec<&Value> = first.iter().map(|call| &call["role"]).collect();
    // Babble is no score, so the pair is asked once more.
    assert_eq!(roles, ["sc", "pq", "sc", "pq"]);
    // A greedy network says the same again, and something that depends on what it was shown.
    assert_eq!(first[0]["reply"], first[2]["reply"]);
    let last = replies("images-first");
    assert_eq!(
        first[0]["input_tokens"], last[0]["input_tokens"],
        "the same pieces"
    );
    assert_ne!(first[0]["reply"], last[0]["reply"], "in another order");
}

#[test]
fn a_local_judge_without_its_checkpoint_says_where_it_looked() {
    let dir = tempfile::tempdir().unwrap();
    let items = edits(dir.path());
    suite(dir.path(), "edit", "imgedit", &items, &local("uge", ""));
    fs::remove_dir_all(dir.path().join("tiny/uniworld")).unwrap();
    let output = run(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(6));
    assert!(
        stderr(&output).contains("tiny/uniworld"),
        "{}",
        stderr(&output)
    );
    assert!(!dir.path().join("results").exists());
}
