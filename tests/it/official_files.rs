//! The files of the benchmarks' own scripts: what a rule's description names is what a grading writes.

use crate::support::{stderr, unigauge};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use unigauge::grade::{RULES, RuleDescription};

/// What the words in capitals stand for in this test.
const NAMES: [(&str, &str); 3] = [("MODEL", "m"), ("GROUP", "ps_human"), ("LANGUAGE", "EN")];

/// Two items that every rule with official files can grade.
fn items() -> impl Iterator<Item = Value> {
    ["add", "ps_human"].into_iter().enumerate().map(|(at, kind)| {
        json!({
            "item": format!("{at:05}"), "task": "edit", "prompt": "do it", "tags": {"class": "menu"},
            "expect": {
                "answers": ["a"], "texts": ["a"], "language": "en", "dataset": "D", "skills": ["basic"],
                "type": "text recognition en", "question": "?", "tag": "single_object", "prompt": "a dog",
                "include": [{"class": "dog", "count": 1}], "edit_type": kind, "intersection_exist": true,
                "prompt_id": 1, "Subcategory": "S",
                "propositions": [{
                    "id": 1, "dependency": "0", "category_broad": "entity", "category_detailed": "whole",
                    "tuple": "t", "question": "A dog?",
                }],
            },
        })
    })
}

fn output(item: &Value) -> Value {
    json!({"item": item["item"], "repeat": 0, "kind": "text", "text": "a"})
}

/// What observers of every kind saw.
fn evidence(item: &Value) -> Value {
    let pair = r#"{"score": [9, 9]}"#;
    let lines = "Consistency: 2\nRealism: 2\nAesthetic Quality: 2";
    json!({
        "item": item["item"], "repeat": 0, "observer": "eye",
        "evidence": {
            "engine": "e", "model": "j", "text": "a", "width": 64, "height": 64, "detections": [],
            "answers": {"1": "yes"}, "vqascore": 0.5,
            "calls": [
                {"role": "sc", "reply": pair}, {"role": "pq", "reply": pair}, {"role": "judge", "reply": lines},
            ],
        },
    })
}

fn write(path: &Path, records: impl Iterator<Item = Value>) {
    let lines: String = records.map(|record| format!("{record}\n")).collect();
    fs::write(path, lines).unwrap();
}

/// The names that the description promises.
fn promised(rule: &RuleDescription) -> BTreeSet<String> {
    let name = |file: &&str| {
        (NAMES.iter()).fold((*file).to_owned(), |name, (word, value)| {
            name.replace(word, value)
        })
    };
    rule.official_files.iter().map(name).collect()
}

/// The names of the files that the program writes.
fn written(dir: &Path, rule: &RuleDescription) -> BTreeSet<String> {
    let options = match rule.name {
        "measure" => "key = 'vqascore'",
        "edit-measures" => "measure = 'psnr'",
        "measures" => "measures = [{ key = 'vqascore', scale = [0.0, 1.0] }]",
        "reward" => "reward = 'geneval'",
        _ => "",
    };
    let suite = format!(
        "name = 'mine'\nversion = '1'\ntitle = 'Mine'\ntask = 'edit'\n[items]\nfile = 'items.jsonl'\n\
         [grade]\nrule = '{}'\n[grade.options]\n{options}\n",
        rule.name
    );
    fs::write(dir.join("mine.toml"), suite).unwrap();
    let output = unigauge(dir)
        .args(["grade", "--suite", "mine.toml", "--items", "items.jsonl"])
        .args(["--outputs", "outputs.jsonl", "--evidence", "evidence.jsonl"])
        .args(["--out", rule.name, "--name", "m"])
        .output()
        .unwrap();
    let said = stderr(&output);
    // Rules without official files may find nothing to grade in these items.
    let codes: &[i32] = if rule.official_files.is_empty() {
        &[0, 5]
    } else {
        &[0]
    };
    let code = output.status.code().unwrap();
    assert!(codes.contains(&code), "{}: {code}\n{said}", rule.name);
    let folder = dir.join(rule.name).join("official");
    let files = fs::read_dir(folder).into_iter().flatten();
    files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn every_rule_writes_the_official_files_that_its_description_names() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("items.jsonl"), items());
    write(
        &dir.path().join("outputs.jsonl"),
        items().map(|item| output(&item)),
    );
    write(
        &dir.path().join("evidence.jsonl"),
        items().map(|item| evidence(&item)),
    );
    for rule in RULES {
        assert_eq!(written(dir.path(), rule), promised(rule), "{}", rule.name);
    }
}
