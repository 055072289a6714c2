//! Scores of a judge beyond its scale: read as officially, and counted and named.

use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use unigauge::config::Settings;
use unigauge::grade;
use unigauge::record::{Evidence, Grade, Item};

fn judged(rule: &str, options: &str, calls: &Value) -> Grade {
    let settings: Settings = toml::from_str(options).unwrap();
    let rule = grade::build(rule, &settings).unwrap();
    let expect = json!({"edit_type": "replace", "prompt_id": 1});
    let item = json!({"item": "a", "task": "edit", "prompt": "p", "expect": expect});
    let seen =
        json!({"item": "a", "observer": "judge", "evidence": {"model": "m", "calls": calls}});
    let items: [Item; 1] = [serde_json::from_value(item).unwrap()];
    let seen: [Evidence; 1] = [serde_json::from_value(seen).unwrap()];
    grade::grade_all(&*rule, &items, 1, None, &seen).remove(0)
}

fn one(rule: &str, options: &str, reply: &str) -> Grade {
    judged(rule, options, &json!([{"role": "judge", "reply": reply}]))
}

fn notes(grade: &Grade) -> Vec<String> {
    let notes = grade.extra.get("notes").cloned().unwrap_or(json!([]));
    serde_json::from_value(notes).unwrap()
}

#[test]
fn the_summary_counts_scores_beyond_the_scale() {
    let from =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reports/08-beyond-the-scale");
    let run = |parsing: &str| {
        let dir = tempfile::tempdir().unwrap();
        let output = unigauge(dir.path())
            .args(["grade", "--suite", "imgedit", "--out", "out"])
            .args(["--set", &format!("parsing=\"{parsing}\"")])
            .arg("--items")
            .arg(from.join("items.jsonl"))
            .arg("--evidence")
            .arg(from.join("evidence.jsonl"))
            .output()
            .unwrap();
        let out = dir.path().join("out");
        let summary =
            fs::read(out.join("summary.json")).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        let summary: Value = serde_json::from_slice(&summary).unwrap();
        let scores = lines(&out.join("grades.jsonl"));
        let scores: Vec<Value> = scores.iter().map(|grade| grade["score"].clone()).collect();
        (
            output.status.code().unwrap(),
            json!(scores),
            summary["notes"].to_string(),
        )
    };
    let note = "1 of 3 outputs: a score of the judge lies beyond its scale of 1 to 5";
    let (code, scores, notes) = run("official");
    assert_eq!((code, scores), (0, json!([4.0, 85.0, 3.0])));
    assert!(notes.contains(note), "{notes}");
    let (code, scores, notes) = run("robust");
    assert_eq!((code, scores), (0, json!([4.0, 5.0, 3.0])));
    assert!(notes.contains(note), "{notes}");
    let (code, scores, _) = run("strict");
    assert_eq!((code, scores), (5, json!([4.0, null, 3.0])));
}

#[test]
fn imgedits_odd_scores_are_named() {
    let reply = |score: &str| {
        format!("Prompt Compliance: {score}\nVisual Naturalness: 3\nPhysical & Detail Integrity: 3")
    };
    let beyond = ["a score of the judge lies beyond its scale of 1 to 5"];
    for (score, official, noted) in [
        ("3", 3.0, &[][..]),
        ("0", 2.0, &beyond),
        ("12", 6.0, &beyond),
        // The official script passes these lines over.
        ("-1", 3.0, &beyond),
        ("85%", 3.0, &beyond),
        ("4.5", 3.0, &["a score of the judge is not a whole number"]),
        ("4/5", 3.0, &[]),
        ("4/10", 3.0, &["a score of the judge is not out of 5"]),
    ] {
        let grade = one("imgedit", "", &reply(score));
        assert_eq!(grade.score, Some(official), "{score}");
        assert_eq!(notes(&grade), noted, "{score}");
    }
    // A line of any name counts officially.
    assert_eq!(
        notes(&one("imgedit", "", &(reply("3") + "\nTotal: 9"))),
        beyond
    );
    assert_eq!(
        one("imgedit", "parsing = 'robust'", &reply("4.5")).score,
        Some(3.5)
    );
}

#[test]
fn the_single_score_of_the_hard_suite_and_of_turns_keeps_to_its_scale() {
    for variant in ["uge", "multiturn"] {
        let robust = format!("variant = '{variant}'\nparsing = 'robust'");
        let score = |reply: &str| one("imgedit", &robust, reply);
        let good = score("Brief reasoning: fine\nScore: 4");
        assert_eq!((good.score, notes(&good).len()), (Some(4.0), 0));
        for none in ["Score: 85", "Score: 0", "Score: -3"] {
            assert_eq!(score(none).score, None, "{none}");
        }
        let both = score("Score: 8\nScore: 4");
        assert_eq!(both.score, Some(4.0));
        assert_eq!(
            notes(&both),
            ["a score of the judge lies beyond its scale of 1 to 5"]
        );
        let part = score("Score: 4.5");
        assert_eq!((part.score, notes(&part).len()), (Some(4.0), 1));
        let other = score("Score: 4/10");
        assert_eq!(notes(&other), ["a score of the judge is not out of 5"]);
        let official = one("imgedit", &format!("variant = '{variant}'"), "Score: 85");
        assert_eq!((official.score, notes(&official).len()), (Some(85.0), 1));
        let strict = one(
            "imgedit",
            &format!("variant = '{variant}'\nparsing = 'strict'"),
            "Score: 8",
        );
        assert_eq!(strict.score, None);
    }
}

#[test]
fn gedits_scores_beyond_ten_or_below_zero_are_named_even_where_they_do_not_count() {
    let pair = |sc: &str, pq: &str| json!([{"role": "sc", "reply": format!("{{\"score\": {sc}}}")}, {"role": "pq", "reply": format!("{{\"score\": {pq}}}")}]);
    let note = ["a score of the judge lies beyond its scale of 0 to 10"];
    for (sc, pq, score, noted) in [
        ("[7, 8]", "[7.0, 9]", 7.0, &[][..]),
        ("[0, 10]", "[10, 10]", 0.0, &[]),
        ("[16, 25]", "[9, 9]", 12.0, &note),
        ("[4, 85]", "[9, 9]", 6.0, &note),
        ("[-4, 9]", "[-9, 9]", 6.0, &note),
    ] {
        let grade = judged("gedit", "", &pair(sc, pq));
        assert_eq!(grade.score, Some(score), "{sc} {pq}");
        assert_eq!(notes(&grade), noted, "{sc} {pq}");
        let strict = judged("gedit", "parsing = 'strict'", &pair(sc, pq));
        assert_eq!(strict.score.is_some(), noted.is_empty(), "{sc} {pq}");
    }
}

#[test]
fn wises_scores_beyond_two_are_named() {
    let reply = |score: &str| format!("Consistency: {score}\nRealism: 1\nAesthetic Quality: 1");
    let beyond = ["a score of the judge lies beyond its scale of 0 to 2"];
    for (written, read, noted) in [
        ("2", 2.0, &[][..]),
        ("0", 0.0, &[]),
        ("5", 5.0, &beyond),
        // The official script takes the first digit.
        ("10", 1.0, &beyond),
        ("85", 8.0, &beyond),
        ("1.5", 1.0, &["a score of the judge is not a whole number"]),
        ("1/10", 1.0, &["a score of the judge is not out of 2"]),
    ] {
        let grade = one("wise", "", &reply(written));
        assert_eq!(grade.parts["consistency"], read, "{written}");
        assert_eq!(notes(&grade), noted, "{written}");
        let strict = one("wise", "parsing = 'strict'", &reply(written));
        assert_eq!(strict.score.is_some(), noted.is_empty(), "{written}");
    }
    let verified = |reply: &str| one("wise", "verified = true", reply);
    assert_eq!(
        (
            verified("Score: 1").score,
            notes(&verified("Score: 1")).len()
        ),
        (Some(1.0), 0)
    );
    assert_eq!(verified("Score: 2").score, None);
    assert_eq!(
        notes(&verified("Score: 0.8")),
        ["a score of the judge is not a whole number"]
    );
}
