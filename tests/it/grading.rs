//! Rules against independent implementations (`tests/golden/grading/make.py`), and the way from records to a
//! summary.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use unigauge::config::Settings;
use unigauge::grade::{self, Board, Rule, SuiteFacts};
use unigauge::record::{Evidence, Grade, Item, Output, Summary};

pub(crate) fn rule(name: &str, options: &str) -> Box<dyn Rule> {
    let settings: Settings = toml::from_str(options).expect("options");
    grade::build(name, &settings).expect("a rule")
}

pub(crate) fn item(name: &str, expect: Value, tags: Value) -> Item {
    let record = json!({"item": name, "task": "text-to-image", "prompt": "p", "expect": expect, "tags": tags});
    serde_json::from_value(record).expect("an item")
}

pub(crate) fn evidence(name: &str, repeat: u32, seen: Value) -> Evidence {
    let record = json!({"item": name, "repeat": repeat, "observer": "eye", "evidence": seen});
    serde_json::from_value(record).expect("evidence")
}

fn said(name: &str, repeat: u32, text: &str) -> Output {
    let record = json!({"item": name, "repeat": repeat, "seed": 1, "kind": "text", "text": text});
    serde_json::from_value(record).expect("an output")
}

/// What was graded together, without evidence.
fn board<'a>(items: &'a [Item], outputs: Option<&'a [Output]>, grades: &'a [Grade]) -> Board<'a> {
    Board {
        model: "m",
        root: Path::new(""),
        items,
        outputs,
        evidence: &[],
        grades,
    }
}

/// Grades one text answer.
fn judge(name: &str, options: &str, answers: Value, text: &str) -> Grade {
    let items = [item("a", json!({"answers": answers}), json!({}))];
    let outputs = [said("a", 0, text)];
    let mut grades = grade::grade_all(&*rule(name, options), &items, 1, Some(&outputs), &[]);
    assert_eq!(grades.len(), 1);
    grades.remove(0)
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a readable file");
    text.split('\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// The committed cases, or those of the folder named by the environment variable `UNIGAUGE_GRADING_CASES`,
/// for a longer trial than what is committed.
fn cases(name: &str) -> Vec<Value> {
    let folder = std::env::var_os("UNIGAUGE_GRADING_CASES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/grading"),
        PathBuf::from,
    );
    lines(&folder.join(name))
}

#[test]
fn geneval_agrees_with_an_independent_implementation() {
    let cases = cases("geneval.jsonl");
    assert!(cases.len() >= 600);
    for case in cases {
        let rule = rule("geneval", &toml::to_string(&case["options"]).expect("TOML"));
        let items = [item("a", case["expect"].clone(), json!({}))];
        let seen = [evidence("a", 0, json!({"detections": case["detections"]}))];
        let grade = grade::grade_all(&*rule, &items, 1, None, &seen).remove(0);
        let verdict = match grade.correct {
            Some(correct) => json!([correct, grade.reason]),
            None => Value::Null,
        };
        assert_eq!(verdict, case["verdict"], "{case} {grade:?}");
        assert_eq!(grade.score, grade.correct.map(|c| f64::from(u8::from(c))));
        assert_eq!(grade.score.is_none(), grade.unscored.is_some());
    }
}

#[test]
fn geneval_refuses_what_it_cannot_judge() {
    let rule = rule("geneval", "");
    let dog = json!({"class": "dog", "score": 0.9, "box": [0, 0, 9, 9]});
    let why = |expect: Value, seen: Value| {
        let seen = [evidence("a", 0, seen)];
        let grade = grade::grade_all(&*rule, &[item("a", expect, json!({}))], 1, None, &seen);
        assert_eq!(grade[0].score, None);
        grade[0].unscored.clone().expect("a reason")
    };
    let one = json!({"include": [{"class": "dog", "count": 1}]});
    insta::assert_snapshot!(why(json!({}), json!({"detections": []})), @"the item's `expect` has neither `include` nor `exclude` clauses");
    insta::assert_snapshot!(why(one.clone(), json!({"text": "dog"})), @"missing evidence: no observer wrote `detections`");
    insta::assert_snapshot!(why(one, json!({"detections": [{"class": "dog"}]})), @"malformed detector evidence: missing field `score`");
    let red = json!({"include": [{"class": "dog", "count": 1, "color": "red"}]});
    insta::assert_snapshot!(why(red, json!({"detections": [dog.clone()]})), @"incomplete evidence: a detected dog has no `color`");
    let itself = json!({"include": [{"class": "dog", "count": 1, "position": ["above", 0]}]});
    insta::assert_snapshot!(why(itself, json!({"detections": [dog]})), @"the item's `expect`: the position of dog points at clause 0, which does not come before it");
}

#[test]
fn longtext_agrees_with_an_independent_implementation() {
    let rule = rule("longtext", "");
    let cases = cases("longtext.jsonl");
    assert!(cases.len() >= 600);
    for case in cases {
        let items = [item("a", case.clone(), json!({}))];
        let seen = [evidence("a", 0, json!({"text": case["reply"]}))];
        let grade = grade::grade_all(&*rule, &items, 1, None, &seen).remove(0);
        let counts: Vec<f64> = serde_json::from_value(case["counts"].clone()).expect("two counts");
        if counts[1] == 0.0 {
            assert_eq!(
                grade.unscored.as_deref(),
                Some("the item's `expect.texts` normalises to nothing")
            );
        } else {
            let ours = [grade.parts["matched"], grade.parts["reference"]];
            assert_eq!(ours.as_slice(), counts, "{case}");
            assert_eq!(grade.score, Some(counts[0] / counts[1]));
        }
    }
}

/// The scores worked by hand from the rule: punctuation deleted, words (characters) matched as multisets.
#[test]
fn longtext_scores_as_worked_by_hand() {
    let rule = rule("longtext", "");
    let cases = [
        (
            json!(["CENTRAL PARK - 2 BLOCKS", "Locally Roasted Since 1998"]),
            "en",
            "Central Park\n2 Blocks\nlocally  roasted",
            6.0,
            8.0,
        ),
        (
            json!(["Don't panic", "ROUND-TRIP 50%"]),
            "en",
            "dont panic round trip 50",
            3.0,
            4.0,
        ),
        (json!(["A a A"]), "en", "a", 1.0, 3.0),
        (json!(["café – Über"]), "en", "CAFÉ ber", 1.0, 2.0),
        (
            json!(["中央公园 - 2公里", "ABC"]),
            "zh",
            "中央公园 2 公里 abc",
            7.0,
            10.0,
        ),
        (json!(["每日新鲜烘焙"]), "zh", "新鲜新鲜每日", 4.0, 6.0),
        (json!(["no text"]), "en", "No text recognized.", 0.0, 2.0),
    ];
    for (texts, language, reply, matched, reference) in cases {
        let items = [item(
            "a",
            json!({"texts": texts, "language": language}),
            json!({}),
        )];
        let seen = [evidence("a", 0, json!({"text": reply}))];
        let grade = grade::grade_all(&*rule, &items, 1, None, &seen).remove(0);
        assert_eq!(
            rule.fraction(&grade),
            Some((matched, reference)),
            "{texts}: {}",
            grade.reason
        );
    }
}

#[test]
fn stock_rules_say_what_they_compared() {
    let of = |name: &str, options: &str, answers: Value, text: &str| {
        let grade = judge(name, options, answers, text);
        format!(
            "{:?} {}",
            grade.score,
            grade.unscored.unwrap_or(grade.reason)
        )
    };
    insta::assert_snapshot!(of("exact-match", "", json!(["Stop", 12]), " stop "), @"Some(1.0) said “ stop ”, equal to “Stop”");
    insta::assert_snapshot!(of("exact-match", "normalise.ignore_case = false", json!("Stop"), "stop"), @"Some(0.0) said “stop”, expected “Stop”");
    insta::assert_snapshot!(of("exact-match", "", json!([true]), "yes"), @"None the item's `expect.answers` has true, where a string or a number was expected");
    insta::assert_snapshot!(of("contains", "", json!(["cat", "dog"]), "A DOG."), @"Some(1.0) said “A DOG.”, which contains “dog”");
    insta::assert_snapshot!(of("contains", "", json!([" "]), "a dog"), @"None every answer of the item normalises to nothing");
    insta::assert_snapshot!(of("anls", "", json!(["abcd"]), "abcx"), @"Some(0.75) said “abcx”, nearest answer “abcd”: normalised distance 0.2500 < 0.5");
    insta::assert_snapshot!(of("anls", "", json!(["abcd"]), "abxx"), @"Some(0.0) said “abxx”, nearest answer “abcd”: normalised distance 0.5000 ≥ 0.5");
    insta::assert_snapshot!(of("edit-distance", "", json!(["abcd", "abxy"]), "abxx"), @"Some(0.75) said “abxx”, nearest answer “abxy”: normalised distance 0.2500");
    insta::assert_snapshot!(of("accuracy", "unit = 'word'", json!("a b c d"), "a c d e f"), @"Some(0.25) said “a c d e f”, reference “a b c d”: 3 errors in 4 words");
    insta::assert_snapshot!(of("accuracy", "unit = 'word'\nmeasure = 'recall'", json!("a b c d"), "e d c a"), @"Some(0.75) said “e d c a”, reference “a b c d”: 1 error in 4 words");
    insta::assert_snapshot!(of("numeric", "relative = 0.05", json!("１００"), "12 + 84 = 96"), @"Some(1.0) said “12 + 84 = 96”, last number 96; expected 100 (tolerance 0, relative 0.05)");
    insta::assert_snapshot!(of("numeric", "which = 'first'", json!(12.0), "13 or 12"), @"Some(0.0) said “13 or 12”, first number 13; expected 12 (tolerance 0, relative 0)");
    insta::assert_snapshot!(of("numeric", "", json!("none"), "13"), @"None the item's answer “none” has no number");
}

#[test]
fn a_wrong_rule_or_option_is_named() {
    let refuse = |name: &str, options: &str| {
        let settings: Settings = toml::from_str(options).expect("TOML");
        let Err(error) = grade::build(name, &settings) else {
            panic!("{name} was built");
        };
        let help = miette::Diagnostic::help(&error).map(|h| h.to_string());
        format!("{error} | {}", help.unwrap_or_default())
    };
    let names: Vec<&str> = grade::RULES.iter().map(|rule| rule.name).collect();
    let expected = format!(
        "unknown grading rule \"exact-mach\" | did you mean \"exact-match\"? the rules are {}",
        names.join(", ")
    );
    assert_eq!(refuse("exact-mach", ""), expected);
    insta::assert_snapshot!(refuse("anls", "threshold = 2.0"), @"option `threshold` of grading rule anls is 2; expected a number in 0..=1 | leave the option out to take the default");
    assert!(refuse("geneval", "treshold = 0.3").contains("treshold"));
    assert!(refuse("geneval", "threshold = 0.01").contains("evidence keeps no weaker detection"));
    for name in grade::RULES.iter().map(|rule| rule.name) {
        assert!(
            refuse(name, "no_such_option = 1").contains("no_such_option"),
            "{name}"
        );
    }
}

/// Every expected output has one grade, and one without a score says why.
#[test]
fn missing_and_failed_outputs_are_never_scored_as_wrong() {
    let items = [
        item("a", json!({"answers": "x"}), json!({"kind": "k"})),
        item("b", json!({"answers": "x"}), json!({})),
    ];
    let mut failed = said("a", 1, "x");
    failed.error =
        serde_json::from_value(json!({"stage": "generate", "kind": "timeout", "message": "60 s"}))
            .expect("an error");
    let outputs = [
        said("b", 1, "old"),
        failed,
        said("a", 0, "x"),
        said("b", 1, "x"),
        said("z", 0, "x"),
    ];
    let exact = rule("exact-match", "");
    let grades = grade::grade_all(&*exact, &items, 2, Some(&outputs), &[]);
    let told: Vec<_> = grades
        .iter()
        .map(|g| {
            (
                g.item.as_str(),
                g.repeat,
                g.score,
                g.unscored.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("a", 0, Some(1.0), ""),
            ("a", 1, None, "failed: generate: timeout: 60 s"),
            ("b", 0, None, "missing output"),
            ("b", 1, Some(1.0), ""),
        ]
    );
    assert_eq!(grades[0].tags["kind"], "k");
    let facts = SuiteFacts {
        name: "s".into(),
        version: "1".into(),
        group_by: vec![],
    };
    let summary = grade::summarize(
        &*exact,
        &facts,
        "r",
        &board(&items, Some(&outputs), &grades),
    );
    assert_eq!(
        (
            summary.scored,
            summary.failed,
            summary.unscored,
            summary.partial
        ),
        (2, 1, 1, true)
    );
    assert_eq!(summary.overall.value, Some(1.0));
    insta::assert_snapshot!(summary.notes.join("\n"), @"2 of 4 outputs have no score (1 failed, 1 missing); by the official convention, outputs without a score are left out of the means, not counted as 0");
    assert_eq!(
        summary.extra["without_score"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn the_last_record_of_an_observer_counts_and_two_observers_must_be_told_apart() {
    let items = [item("a", json!({"answers": "x"}), json!({}))];
    let first = evidence("a", 0, json!({"text": "y"}));
    let second = evidence("a", 0, json!({"text": "x"}));
    let mut other = first.clone();
    other.observer = "other".into();
    let mut broken = first.clone();
    broken.evidence = None;
    broken.error =
        serde_json::from_value(json!({"stage": "observe", "kind": "image", "message": "no PNG"}))
            .expect("an error");
    let told = |options: &str, seen: &[Evidence]| {
        let grade =
            grade::grade_all(&*rule("exact-match", options), &items, 1, None, seen).remove(0);
        grade
            .unscored
            .unwrap_or_else(|| format!("{:?}", grade.score))
    };
    assert_eq!(
        told("from = 'ocr'", &[first.clone(), second.clone()]),
        "Some(1.0)"
    );
    insta::assert_snapshot!(told("from = 'ocr'", &[second.clone(), other.clone()]), @"ambiguous evidence: observers eye and other both wrote `text`; name one in the rule's option `observer`");
    assert_eq!(
        told("from = 'ocr'\nobserver = 'eye'", &[second.clone(), other]),
        "Some(1.0)"
    );
    insta::assert_snapshot!(told("from = 'ocr'", &[second, broken]), @"observer eye: image: no PNG");
    insta::assert_snapshot!(told("from = 'ocr'", &[]), @"missing evidence: no observer wrote `text`");
}

/// 100 items in three tags, 4 repeats each; item i of tag t has ((7i + 3t) mod 11) mod 5 right images.
fn three_tasks() -> Summary {
    let (mut items, mut grades) = (Vec::new(), Vec::new());
    for (tag, size) in [30, 50, 20].into_iter().enumerate() {
        for at in 0..size {
            let tags = json!({"tag": tag.to_string()});
            let item = item(&format!("{tag}-{at}"), json!({}), tags);
            let right = ((at * 7 + tag * 3) % 11) % 5;
            for repeat in 0..4_u32 {
                let correct = (repeat as usize) < right;
                grades.push(Grade {
                    item: item.item.clone(),
                    repeat,
                    score: Some(f64::from(u8::from(correct))),
                    correct: Some(correct),
                    tags: item.tags.clone(),
                    ..Grade::default()
                });
            }
            items.push(item);
        }
    }
    // The order of the grades must not matter.
    grades.reverse();
    let facts = SuiteFacts {
        name: "geneval".into(),
        version: "1".into(),
        group_by: vec!["tag".into()],
    };
    assert_eq!(grades.len(), 400);
    grade::summarize(
        &*rule("geneval", ""),
        &facts,
        "r",
        &board(&items, None, &grades),
    )
}

/// Values by hand; intervals from 100,000 resamples in SciPy (`make.py bootstrap`). Ours has 10,000
/// resamples, whose percentiles scatter by about 0.002 and lie on steps of 1/120, 1/200 and 1/80.
#[test]
fn the_macro_mean_and_its_intervals_agree_with_scipy() {
    let summary = three_tasks();
    let overall = &summary.overall;
    let mut rows = vec![(overall.value, overall.low, overall.high, overall.n, 100)];
    rows.extend(
        summary
            .groups
            .iter()
            .map(|g| (g.value, g.low, g.high, g.n, g.outputs / 4)),
    );
    let expected = [
        (0.448_611, 0.372_560, 0.526_667, 100),
        (0.433_333, 0.308_333, 0.566_667, 30),
        (0.45, 0.35, 0.555, 50),
        (0.4625, 0.3125, 0.625, 20),
    ];
    assert_eq!(rows.len(), expected.len());
    for ((value, low, high, n, items), (v, l, h, size)) in rows.into_iter().zip(expected) {
        assert!((value.expect("a value") - v).abs() < 1e-6);
        let (low, high) = (low.expect("a bound"), high.expect("a bound"));
        assert!(
            (low - l).abs() < 0.015 && (high - h).abs() < 0.015,
            "({low}, {high}) is not ({l}, {h})"
        );
        assert_eq!((n, items), (size, size));
    }
    assert_eq!(
        three_tasks(),
        summary,
        "the same grades give the same interval"
    );
    insta::assert_snapshot!(summary.overall.method, @"unweighted mean over tag; cluster bootstrap by item (10000 resamples, BCa), 95 %");
}

/// By hand from the formula: right images 52 + 90 + 37 of 400 (the values above times 120, 200, 80); a prompt
/// is right when (7i + 3t) mod 11 is neither 0, 5 nor 10.
#[test]
fn geneval_prints_images_and_prompts() {
    let summary = three_tasks();
    let right: usize = [30_usize, 50, 20]
        .iter()
        .enumerate()
        .map(|(t, &size)| {
            (0..size)
                .filter(|i| ![0, 5, 10].contains(&((i * 7 + t * 3) % 11)))
                .count()
        })
        .sum();
    assert!((summary.metrics["percent_correct_images"] - 100.0 * 179.0 / 400.0).abs() < 1e-9);
    assert!((summary.metrics["percent_correct_prompts"] - right as f64).abs() < 1e-9);
}

/// Σ matched / Σ reference, not the mean of the images' ratios: (1 + 8) / (2 + 8), not (1/2 + 1) / 2.
#[test]
fn longtext_divides_sums() {
    let rule = rule("longtext", "");
    let texts = |t: &str| json!({"texts": [t], "language": "en"});
    let items = [
        item("a", texts("one two"), json!({"length": "short"})),
        item("b", texts("a b c d e f g h"), json!({"length": "long"})),
    ];
    let seen = [
        evidence("b", 0, json!({"text": "h g f e d c b a"})),
        evidence("a", 0, json!({"text": "two"})),
    ];
    let grades = grade::grade_all(&*rule, &items, 1, None, &seen);
    let facts = SuiteFacts {
        name: "longtext".into(),
        version: "1".into(),
        group_by: vec!["length".into()],
    };
    let summary = grade::summarize(&*rule, &facts, "r", &board(&items, None, &grades));
    assert_eq!(summary.overall.value, Some(0.9));
    let groups: Vec<_> = summary
        .groups
        .iter()
        .map(|g| (g.key.as_str(), g.value, g.low))
        .collect();
    assert_eq!(
        groups,
        [("short", Some(0.5), None), ("long", Some(1.0), None)]
    );
    assert!(
        !summary.partial && summary.notes.is_empty(),
        "{:?}",
        summary.notes
    );
}

#[test]
fn nothing_scored_is_null_and_not_zero() {
    let rule = rule("geneval", "");
    let items = [item(
        "a",
        json!({"include": [{"class": "dog", "count": 1}]}),
        json!({"tag": "single_object"}),
    )];
    let grades = grade::grade_all(&*rule, &items, 1, None, &[]);
    let facts = SuiteFacts {
        name: "geneval".into(),
        version: "1".into(),
        group_by: vec!["tag".into()],
    };
    let summary = grade::summarize(&*rule, &facts, "r", &board(&items, None, &grades));
    assert_eq!(
        (
            summary.overall.value,
            summary.overall.low,
            summary.overall.n
        ),
        (None, None, 0)
    );
    assert_eq!(summary.groups[0].value, None);
    assert!(summary.metrics.is_empty());
    assert!(summary.partial);
}
