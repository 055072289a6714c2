//! The rules for visual question answering against Python (`tests/golden/vqa/make.py`), and what they say.

use serde_json::{Value, json};
use std::path::Path;
use unigauge::config::Settings;
use unigauge::grade::{self, Board, Rule, SuiteFacts};
use unigauge::record::{Grade, Item, Output, Summary};

fn rule(name: &str, options: &str) -> Box<dyn Rule> {
    let settings: Settings = toml::from_str(options).unwrap();
    grade::build(name, &settings).unwrap()
}

fn item(name: &str, expect: Value, tags: Value) -> Item {
    let record =
        json!({"item": name, "task": "understand", "prompt": "p", "expect": expect, "tags": tags});
    serde_json::from_value(record).unwrap()
}

fn said(name: &str, text: &str) -> Output {
    let record = json!({"item": name, "repeat": 0, "seed": 1, "kind": "text", "text": text});
    serde_json::from_value(record).unwrap()
}

fn judge(rule: &dyn Rule, expect: &Value, text: &str) -> Grade {
    let items = [item("a", expect.clone(), json!({}))];
    grade::grade_all(rule, &items, 1, Some(&[said("a", text)]), &[]).remove(0)
}

#[test]
fn every_metric_agrees_with_python() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vqa/expected.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let golden = golden.as_object().unwrap();
    assert_eq!(golden.len(), 8);
    for (set, cases) in golden {
        let (name, options) = match set.as_str() {
            "vqa-accuracy v2" => ("vqa-accuracy", "normalisation = 'vqa-v2'"),
            "anls" => ("anls", "inclusive = true"),
            "yes-no official" => ("yes-no", "reading = 'official'"),
            name => (name, ""),
        };
        let rule = rule(name, options);
        let replies = cases["replies"].as_array().unwrap();
        assert!(replies.len() >= 20, "{set}");
        let expects = cases["expects"].as_array().unwrap();
        let rows = cases["scores"].as_array().unwrap();
        assert!(!expects.is_empty() && expects.len() == rows.len(), "{set}");
        for (expect, scores) in expects.iter().zip(rows) {
            let scores = scores.as_array().unwrap();
            assert_eq!(scores.len(), replies.len(), "{set}");
            for (reply, score) in replies.iter().zip(scores) {
                let grade = judge(&*rule, expect, reply.as_str().unwrap());
                let ours = grade.score.unwrap_or_else(|| panic!("{set}: {grade:?}"));
                let python = score.as_f64().unwrap();
                assert!(
                    (ours - python).abs() < 1e-12,
                    "{set}: {reply} for {expect} is {python} in Python, here {ours}: {}",
                    grade.reason
                );
            }
        }
    }
}

#[test]
fn a_reason_tells_what_was_extracted_and_how() {
    let choice = json!({"options": ["cat", "black cat", "dog"], "answer": "B"});
    let why = |reply: &str| judge(&*rule("multiple-choice", ""), &choice, reply).reason;
    insta::assert_snapshot!(why("B. It is black"), @"said “B. It is black”, extracted B (option letter at the start), expected B (“black cat”)");
    insta::assert_snapshot!(why("a black cat"), @"said “a black cat”, extracted B (option text contained), expected B (“black cat”)");
    insta::assert_snapshot!(why("A or B"), @"said “A or B”, extracted nothing (ambiguous: letter as a word of its own, A and B), expected B (“black cat”)");
    insta::assert_snapshot!(why(""), @"said “”, extracted nothing (the reply is empty), expected B (“black cat”)");
    let yes = json!({"answers": "yes"});
    let why = |options: &str, reply: &str| judge(&*rule("yes-no", options), &yes, reply).reason;
    insta::assert_snapshot!(why("", "I see yes and no"), @"said “I see yes and no”, extracted nothing (ambiguous: both yes and no occur), expected yes");
    insta::assert_snapshot!(why("reading = 'official'", "A dog"), @"said “A dog”, extracted yes (official reading: no `no` in the first sentence), expected yes");
    let chart = judge(
        &*rule("relaxed-accuracy", ""),
        &json!({"answers": "12%"}),
        "0.126",
    );
    insta::assert_snapshot!(chart.reason, @"said “0.126”; as numbers, 0.126 differs from 0.12 by 0.0500 of it (up to 0.05 is right)");
    let open = judge(
        &*rule("mmmu", ""),
        &json!({"answers": "0.28"}),
        "So x is 0.283",
    );
    insta::assert_snapshot!(open.reason, @"said “So x is 0.283”, extracted 0.28 (open question: what follows words of conclusion, and the numbers in it), expected “0.28”");
}

#[test]
fn what_cannot_be_graded_is_unscored_and_says_why() {
    for (name, expect, words) in [
        (
            "multiple-choice",
            json!({"answer": "A"}),
            "`expect.options` is not a list",
        ),
        (
            "multiple-choice",
            json!({"options": ["x"], "answer": "B"}),
            "the letter of one of its options",
        ),
        (
            "multiple-choice",
            json!({"options": [], "answer": "A"}),
            "0 options",
        ),
        ("yes-no", json!({"answers": "maybe"}), "neither yes nor no"),
        (
            "yes-no",
            json!({"answers": ["yes", "no"]}),
            "several answers",
        ),
        ("vqa-accuracy", json!({"answers": []}), "empty list"),
        (
            "relaxed-accuracy",
            json!({}),
            "neither `answers` nor `texts`",
        ),
        ("mmmu", json!({}), "neither `answers` nor `texts`"),
    ] {
        let grade = judge(&*rule(name, ""), &expect, "A");
        let why = grade.unscored.unwrap_or_default();
        assert!(
            grade.score.is_none() && why.contains(words),
            "{name}: {why}"
        );
    }
    let settings: Settings = toml::from_str("relative = -1.0").unwrap();
    assert!(grade::build("relaxed-accuracy", &settings).is_err());
}

/// Grades and sums up.
fn summary(
    rule: &dyn Rule,
    items: &[Item],
    outputs: &[Output],
    group_by: &str,
) -> (Vec<Grade>, Summary) {
    let grades = grade::grade_all(rule, items, 1, Some(outputs), &[]);
    let facts = SuiteFacts {
        name: "s".into(),
        version: "1".into(),
        group_by: vec![group_by.into()],
    };
    let board = Board {
        model: "m",
        root: Path::new(""),
        items,
        outputs: Some(outputs),
        evidence: &[],
        grades: &grades,
    };
    let summary = grade::summarize(rule, &facts, "r", &board);
    (grades, summary)
}

/// Three questions: one right in all rotations, one wrong in one, one without a reply to a rotation.
#[test]
fn a_question_counts_when_all_its_rotations_are_right() {
    let rule = rule("multiple-choice", "circular = true");
    let question = |name: &str, category: &str, count: usize| -> Vec<Item> {
        let options: Vec<String> = (0..count).map(|at| format!("option {at}")).collect();
        let turned = (0..count).map(|by| {
            let mut options = options.clone();
            options.rotate_left(by);
            let answer = ["A", "B", "C", "D"][(count - by) % count];
            let expect = json!({"options": options, "answer": answer, "question": name, "rotation": by, "rotations": count});
            item(&format!("{name}~{by}"), expect, json!({"category": category}))
        });
        turned.collect()
    };
    let items = [
        question("good", "x", 4),
        question("bad", "x", 2),
        question("gap", "y", 3),
    ]
    .concat();
    let mut outputs: Vec<Output> = items
        .iter()
        .map(|item| said(&item.item, item.expect["answer"].as_str().unwrap()))
        .collect();
    // The second rotation of `bad` is answered as if nothing had moved; one of `gap` is missing.
    outputs[5].text = Some("A".into());
    outputs.remove(7);
    let (grades, sum) = summary(&*rule, &items, &outputs, "category");
    let scores: Vec<Option<f64>> = grades.iter().map(|grade| grade.score).collect();
    let (one, zero) = (Some(1.0), Some(0.0));
    assert_eq!(scores, [one, one, one, one, zero, zero, None, None, None]);
    // One of two questions, though five of six replies are right.
    assert_eq!(sum.overall.value, Some(0.5));
    assert_eq!(sum.overall.n, 2);
    assert_eq!((sum.scored, sum.unscored), (6, 3));
    let group = |key: &str| sum.groups.iter().find(|group| group.key == key).unwrap();
    assert_eq!((group("x").value, group("x").n), (Some(0.5), 2));
    assert_eq!(group("y").value, None);
    // As published: `good`, `bad`, `gap` are right; of eight replies one is wrong.
    assert_eq!(sum.metrics["plain accuracy"], 1.0);
    assert_eq!(sum.metrics["accuracy over rotations"], 7.0 / 8.0);
    assert!(
        grades[4]
            .reason
            .ends_with("right rotations of this question: 1 of 2")
    );
    let why = grades[6].unscored.as_deref().unwrap();
    assert!(why.starts_with("1 of the 3 rotations"), "{why}");
    assert_eq!(grades[7].unscored.as_deref(), Some("missing output"));
}

#[test]
fn a_wrong_rotation_decides_even_when_another_is_missing() {
    let rule = rule("multiple-choice", "circular = true");
    let expect = |by: usize| {
        let answer = ["A", "B"][by];
        json!({"options": ["x", "y"], "answer": answer, "question": "q", "rotation": by, "rotations": 2})
    };
    let items = [0, 1].map(|by| item(&format!("q~{by}"), expect(by), json!({})));
    let (grades, sum) = summary(&*rule, &items, &[said("q~1", "A")], "none");
    assert_eq!(sum.overall.value, Some(0.0));
    assert_eq!((grades[0].score, grades[1].score), (None, Some(0.0)));
    // Without the keys of rotations nothing can be put together.
    let alone = [item(
        "z",
        json!({"options": ["x"], "answer": "A"}),
        json!({}),
    )];
    let (grades, _) = summary(&*rule, &alone, &[said("z", "A")], "none");
    assert!(
        grades[0]
            .unscored
            .as_deref()
            .unwrap()
            .contains("circular evaluation")
    );
}

/// POPE's measures worked by hand: two groups of four, with a reply that says neither.
#[test]
fn popes_measures_are_those_of_the_paper() {
    let rule = rule("yes-no", "headline = 'f1'\ngroups = 'category'");
    let asked = [
        ("popular", "yes", "Yes"),
        ("popular", "yes", "no"),
        ("popular", "no", "yes"),
        ("popular", "no", "No."),
        ("random", "yes", "yes"),
        ("random", "yes", "yes, one"),
        ("random", "no", "hm"),
        ("random", "no", "no"),
    ];
    let items: Vec<Item> = (asked.iter().enumerate())
        .map(|(at, (category, answer, _))| {
            item(
                &format!("i{at}"),
                json!({"answers": answer}),
                json!({"category": category}),
            )
        })
        .collect();
    let outputs: Vec<Output> = (asked.iter().enumerate())
        .map(|(at, (_, _, reply))| said(&format!("i{at}"), reply))
        .collect();
    let (grades, sum) = summary(&*rule, &items, &outputs, "category");
    assert_eq!(grades[6].score, Some(0.0));
    // popular: 1 true yes, 1 false yes, 1 missed: F1 1/2. random: 2 true, none false or missed: F1 1.
    assert_eq!(sum.overall.value, Some(0.75));
    let expected = [
        ("F1 popular", 0.5),
        ("F1 random", 1.0),
        ("mean F1", 0.75),
        // All: 3 true yes, 1 false, 1 missed.
        ("F1", 0.75),
        ("precision", 0.75),
        ("recall", 0.75),
        ("accuracy", 5.0 / 8.0),
        ("yes ratio", 0.5),
        ("accuracy popular", 0.5),
        ("accuracy random", 0.75),
        ("yes ratio random", 0.5),
    ];
    for (name, value) in expected {
        assert!(
            (sum.metrics[name] - value).abs() < 1e-12,
            "{name}: {}",
            sum.metrics[name]
        );
    }
    assert_eq!((sum.scored, sum.partial), (8, false));
}
