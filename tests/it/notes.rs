//! Facts about single outputs that a reader of the numbers must know: they are counted in the summary's
//! notes.

use crate::support::unigauge;
use serde_json::{Value, json};
use std::path::Path;

/// Writes records as JSON lines.
fn records(path: &Path, records: &[Value]) {
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    std::fs::write(path, lines).unwrap();
}

/// Grades loose records of the suite `questions`; gives the summary's notes.
fn notes(dir: &Path, outputs: &[Value], evidence: &[Value]) -> Vec<String> {
    let suite = "name = \"questions\"\nversion = \"1\"\ntitle = \"Questions\"\ntask = \"understand\"\n\n\
                 [items]\nfile = \"items.jsonl\"\n\n[grade]\nrule = \"contains\"\n";
    std::fs::write(dir.join("questions.toml"), suite).unwrap();
    let item = |name: &str| json!({"item": name, "task": "understand", "prompt": "?", "expect": {"answers": ["yes"]}});
    records(&dir.join("items.jsonl"), &["a", "b", "c"].map(item));
    records(&dir.join("outputs.jsonl"), outputs);
    records(&dir.join("evidence.jsonl"), evidence);
    unigauge(dir)
        .args([
            "grade",
            "--suite",
            "./questions.toml",
            "--items",
            "items.jsonl",
        ])
        .args([
            "--outputs",
            "outputs.jsonl",
            "--evidence",
            "evidence.jsonl",
            "--out",
            "graded",
        ])
        .assert()
        .success();
    let text = std::fs::read_to_string(dir.join("graded/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    let notes = summary["notes"].as_array().unwrap().iter();
    notes
        .map(|note| note.as_str().unwrap().to_owned())
        .collect()
}

fn output(item: &str, more: Value) -> Value {
    let mut record = json!({"item": item, "repeat": 0, "seed": 0, "kind": "text", "text": "yes"});
    let more = more.as_object().unwrap().clone();
    record.as_object_mut().unwrap().extend(more);
    record
}

fn seen(item: &str, evidence: Value) -> Value {
    json!({"item": item, "repeat": 0, "observer": "eye", "evidence": evidence})
}

#[test]
fn cut_answers_are_counted_in_the_words_of_every_server() {
    let dir = tempfile::tempdir().unwrap();
    for (words, cut) in [
        (json!({"finish_reason": "length"}), true),
        (json!({"finish_reason": "MAX_TOKENS"}), true),
        (json!({"answer_truncated": true}), true),
        (json!({"finish_reason": "stop"}), false),
        (json!({"answer_truncated": false}), false),
    ] {
        let outputs = [
            output("a", words.clone()),
            output("b", words.clone()),
            output("c", json!({})),
        ];
        let found = notes(dir.path(), &outputs, &[]);
        let told = "2 of 3 outputs: the answer was cut by the token limit";
        assert_eq!(
            found.iter().any(|note| note == told),
            cut,
            "{words}: {found:?}"
        );
        assert_eq!(found.len(), usize::from(cut), "{words}: {found:?}");
    }
}

#[test]
fn the_last_record_counts_and_equal_notes_are_counted_once_an_output() {
    let dir = tempfile::tempdir().unwrap();
    let outputs = [
        output("a", json!({"notes": ["turned", "laid on white"]})),
        output("b", json!({"notes": ["turned"]})),
        // Made again, and now without a note.
        output("b", json!({})),
        output(
            "c",
            json!({"notes": "turned", "typeset": {"notes": ["lines were cut off"]}}),
        ),
        output("nobody", json!({"notes": ["not asked for"]})),
    ];
    let evidence = [
        seen("a", json!({"notes": ["turned"], "truncated": true})),
        seen(
            "b",
            json!({"calls": [{"role": "x", "reply": "y", "state": "truncated"}]}),
        ),
    ];
    let found = notes(dir.path(), &outputs, &evidence);
    for told in [
        "2 of 3 outputs: turned",
        "1 of 3 outputs: laid on white",
        "1 of 3 outputs: lines were cut off",
        "1 of 3 outputs: a reading of `eye` was cut by the token limit",
        "1 of 3 outputs: a reply of the judge was cut by the token limit",
    ] {
        assert!(found.iter().any(|note| note == told), "{told}: {found:?}");
    }
    assert!(
        !found.iter().any(|note| note.contains("not asked for")),
        "{found:?}"
    );
}

#[test]
fn many_different_notes_are_told_together() {
    let dir = tempfile::tempdir().unwrap();
    let many: Vec<String> = (0..40).map(|number| format!("remark {number}")).collect();
    let found = notes(
        dir.path(),
        &[
            output("a", json!({"notes": many})),
            output("b", json!({})),
            output("c", json!({})),
        ],
        &[],
    );
    assert_eq!(found.len(), 13, "{found:?}");
    assert_eq!(
        found[12],
        "1 of 3 outputs: other remarks, which are in the records under `notes`"
    );
}
