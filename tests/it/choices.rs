//! Which option a reply to a multiple-choice question says: many ways to say one, and none.

use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::path::Path;
use unigauge::config::Settings;
use unigauge::grade;
use unigauge::record::{Item, Output};

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// The letter that a rule reads, with its reason.
fn chosen(rule: &str, options: &Value, reply: &str) -> (Option<char>, String) {
    let rule = grade::build(rule, &Settings::default()).unwrap();
    let item = json!({"item": "a", "task": "understand", "prompt": "p", "expect": {"options": options, "answer": "A"}});
    let output = json!({"item": "a", "repeat": 0, "seed": 1, "kind": "text", "text": reply});
    let items: [Item; 1] = [serde_json::from_value(item).unwrap()];
    let outputs: [Output; 1] = [serde_json::from_value(output).unwrap()];
    let grade = grade::grade_all(&*rule, &items, 1, Some(&outputs), &[]).remove(0);
    let (_, read) = grade.reason.rsplit_once(", extracted ").unwrap();
    let letter = read.chars().next().filter(|_| !read.starts_with("nothing"));
    (letter, grade.reason)
}

/// Replies as models write them, each with the option that a reader takes from it:
/// tests/golden/choice/replies.jsonl, by hand.
#[test]
fn a_reply_says_what_a_reader_takes_from_it() {
    let cases = lines(&golden("choice/replies.jsonl"));
    assert!(cases.len() > 200);
    for case in cases {
        let reply = case["reply"].as_str().unwrap();
        for rule in ["multiple-choice", "mmmu"] {
            let (letter, reason) = chosen(rule, &case["options"], reply);
            let expected = case["choice"]
                .as_str()
                .and_then(|letter| letter.chars().next());
            assert_eq!(letter, expected, "{reply:?}: {reason}");
        }
    }
}

/// Grades a public report with the program; the score of each item.
fn report(name: &str) -> Vec<(String, f64)> {
    let (dir, from) = (tempfile::tempdir().unwrap(), golden("reports").join(name));
    let output = unigauge(dir.path())
        .args(["grade", "--out", "out", "--suite"])
        .arg(from.join("suite.toml"))
        .arg("--items")
        .arg(from.join("items.jsonl"))
        .arg("--outputs")
        .arg(from.join("outputs.jsonl"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let grades = lines(&dir.path().join("out/grades.jsonl"));
    let score = |grade: &Value| {
        let item = grade["item"].as_str().unwrap().to_owned();
        (item, grade["score"].as_f64().unwrap())
    };
    grades.iter().map(score).collect()
}

#[test]
fn a_stated_answer_outranks_a_letter_at_the_start() {
    let scores = report("09-option-by-option");
    assert_eq!(scores.len(), 5);
    assert!(scores.iter().all(|(_, score)| *score == 1.0), "{scores:?}");
}

#[test]
fn a_letter_beside_chinese_japanese_or_korean_is_read() {
    let scores = report("10-letters-beside-cjk");
    assert_eq!(scores.len(), 6);
    for (item, score) in scores {
        // The last one names a size of paper and no option.
        assert_eq!(score, if item == "z6" { 0.0 } else { 1.0 }, "{item}");
    }
}

#[test]
fn the_reason_says_how_an_option_was_read() {
    let options = json!(["a saw", "a spade", "a rake", "a hoe"]);
    let how = |reply: &str| {
        let (_, reason) = chosen("multiple-choice", &options, reply);
        let (_, how) = reason.split_once(", extracted ").unwrap();
        how.split(", expected").next().unwrap().to_owned()
    };
    insta::assert_snapshot!(how("A has teeth, so the answer is B."), @"B (stated answer)");
    insta::assert_snapshot!(how("A: no. \nB: yes."), @"B (only option that the analysis accepts)");
    insta::assert_snapshot!(how("B. It is flat."), @"B (option letter at the start)");
    insta::assert_snapshot!(how("The answer is A or B."), @"nothing (ambiguous: stated answer, A and B)");
    insta::assert_snapshot!(how("It is not A."), @"nothing (no option can be read in it)");
}
