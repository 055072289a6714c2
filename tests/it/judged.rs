//! The rules that read a judge's replies: ImgEdit, GEdit, WISE, and GenAI-Bench's table; their suites, states
//! and notes.

use crate::support::{lines, stderr, unigauge};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use unigauge::config::Settings;
use unigauge::grade::{self, Rule};
use unigauge::record::{Evidence, Grade, Item};

fn rule(name: &str, options: &str) -> Box<dyn Rule> {
    let settings: Settings = toml::from_str(options).unwrap();
    grade::build(name, &settings).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Grades one output by the calls of its judge.
fn judged(rule: &dyn Rule, expect: Value, calls: Value) -> Grade {
    let item = json!({"item": "1", "task": "edit", "prompt": "p", "expect": expect});
    let seen =
        json!({"item": "1", "observer": "judge", "evidence": {"model": "m", "calls": calls}});
    let items: [Item; 1] = [serde_json::from_value(item).unwrap()];
    let seen: [Evidence; 1] = [serde_json::from_value(seen).unwrap()];
    grade::grade_all(rule, &items, 1, None, &seen).remove(0)
}

fn reply(rule: &dyn Rule, expect: Value, text: &str) -> Grade {
    judged(rule, expect, json!([{"role": "judge", "reply": text}]))
}

fn rounds(rule: &dyn Rule, rounds: &Value) -> Grade {
    let pairs = rounds.as_array().unwrap().iter();
    let calls = pairs.flat_map(|pair| {
        [
            json!({"role": "sc", "reply": pair[0]}),
            json!({"role": "pq", "reply": pair[1]}),
        ]
    });
    judged(rule, json!({"edit_type": "text_change"}), calls.collect())
}

fn parts(grade: &Grade, names: &[&str]) -> Value {
    let value = |name: &&str| grade.parts.get(name).copied();
    match grade.score {
        Some(_) => names.iter().map(value).collect::<Option<Vec<f64>>>().into(),
        None => Value::Null,
    }
}

/// Equal as numbers, lists of numbers, or null.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => ours.as_f64() == theirs.as_f64() && ours.is_null() == theirs.is_null(),
    }
}

/// tests/golden/edit/replies.py says where the expectations come from; `UNIGAUGE_REPLY_CASES` names a larger
/// file of its.
#[test]
fn replies_are_read_as_an_independent_implementation_reads_them() {
    let file = std::env::var_os("UNIGAUGE_REPLY_CASES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/edit/replies.json"),
        PathBuf::from,
    );
    let cases: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let check = |what: &str, grade: Grade, ours: Value, theirs: &Value, case: &Value| {
        assert!(
            same(&ours, theirs),
            "{what}: {ours} is not {theirs}: {grade:?} {case}"
        );
        assert_eq!(grade.score.is_none(), grade.unscored.is_some());
    };
    let mut count = 0;
    for case in cases["imgedit"].as_array().unwrap() {
        for parsing in ["official", "strict", "robust"] {
            let rule = rule("imgedit", &format!("parsing = {parsing:?}"));
            let grade = reply(
                &*rule,
                json!({"edit_type": case["edit_type"]}),
                case["reply"].as_str().unwrap(),
            );
            let score = json!(grade.score);
            check(parsing, grade, score, &case[parsing], case);
            count += 1;
        }
    }
    for case in cases["uge"].as_array().unwrap() {
        for parsing in ["official", "robust"] {
            let rule = rule(
                "imgedit",
                &format!("parsing = {parsing:?}\nvariant = \"uge\""),
            );
            let grade = reply(&*rule, json!({}), case["reply"].as_str().unwrap());
            let score = json!(grade.score);
            check(parsing, grade, score, &case[parsing], case);
            count += 1;
        }
    }
    for case in cases["gedit"].as_array().unwrap() {
        for parsing in ["official", "strict"] {
            let grade = rounds(
                &*rule("gedit", &format!("parsing = {parsing:?}")),
                &case["rounds"],
            );
            if let Some(score) = grade.score {
                let product = grade.parts["sc"] * grade.parts["pq"];
                assert_eq!(score, product.sqrt());
            }
            let ours = parts(&grade, &["sc", "pq"]);
            check(parsing, grade, ours, &case[parsing], case);
            count += 1;
        }
    }
    let names = ["consistency", "realism", "aesthetic_quality"];
    for case in cases["wise"].as_array().unwrap() {
        let grade = reply(
            &*rule("wise", ""),
            json!({"prompt_id": 1}),
            case["reply"].as_str().unwrap(),
        );
        let ours = parts(&grade, &names);
        check("wise", grade, ours, &case["official"], case);
        count += 1;
    }
    for case in cases["wise-verified"].as_array().unwrap() {
        let rule = rule("wise", "verified = true");
        let grade = reply(
            &*rule,
            json!({"prompt_id": 1}),
            case["reply"].as_str().unwrap(),
        );
        let ours = json!(grade.score);
        check("wise-verified", grade, ours, &case["official"], case);
        count += 1;
    }
    assert!(count >= 800, "{count}");
}

/// Every row of the table of lines in the specification of ImgEdit's parser, worked by hand.
#[test]
fn imgedit_counts_lines_as_the_official_script_does() {
    let official = rule("imgedit", "");
    let score = |text: &str| reply(&*official, json!({"edit_type": "add"}), text).score;
    for (text, expected) in [
        ("Prompt Compliance: 5  ", Some(5.0)),
        ("**Prompt Compliance:** 5", None),
        ("Prompt Compliance: 5.", None),
        ("Prompt Compliance: 4/5", None),
        ("Prompt Compliance: 4 (Good)", None),
        ("Prompt Compliance:5", None),
        ("Note: x: 5", None),
        ("Score:  5", None),
        ("Prompt Compliance: ５", Some(5.0)),
        (": 5", Some(5.0)),
        ("x: 5\n: 4", Some(4.5)),
        ("Total: 12", Some(12.0)),
        ("a: 5\nb: 4", Some(4.5)),
        ("a: 5\nb: 4\nc: 4\nd: 4", Some(4.25)),
        ("a: 5\nb: 5\nc: 4", Some(4.67)),
        ("a: 5\nb: 4\nc: 4", Some(4.33)),
        ("Brief reasoning: 5\na: 1", Some(3.0)),
        ("a: 5\rb: 4\u{b}c: 3\u{2028}d: 2\u{85}e: 1", Some(3.0)),
        ("\u{3000}a: 5\u{a0}", Some(5.0)),
        ("a: 0", Some(0.0)),
        ("It is fine.", None),
        ("", None),
    ] {
        assert_eq!(score(text), expected, "{text:?}");
    }
    let stops = reply(&*official, json!({"edit_type": "add"}), "b: ²");
    insta::assert_snapshot!(stops.unscored.unwrap(), @r#"unparsed: the line "b: ²" stops the official script: isdigit() accepts it and int() does not; the judge said “b: ²”"#);
    let unknown = json!({"edit_type": "paint"});
    assert_eq!(reply(&*official, unknown.clone(), "a: 5").score, Some(5.0));
    let unknown = reply(&*rule("imgedit", "parsing = \"strict\""), unknown, "a: 5");
    insta::assert_snapshot!(unknown.unscored.unwrap(), @r#"the item's edit type "paint" is none of ImgEdit's: add, adjust, extract, replace, remove, background, style, compose, action"#);
}

#[test]
fn imgedit_reads_robustly_through_markup_and_strictly_nothing_but_the_template() {
    let expect = json!({"edit_type": "alter"});
    let marked = "## Result\n1. **Prompt Compliance:** 3/5\n- Visual Seamlessness: 5 (fine)\n* Physical and Detail Fidelity = 9";
    let plain = "Brief reasoning: good\nPrompt Compliance: 3\nVisual Seamlessness: 5\nPhysical & Detail Fidelity: 5\n";
    let score =
        |options: &str, text: &str| reply(&*rule("imgedit", options), expect.clone(), text).score;
    assert_eq!(score("parsing = \"robust\"", marked), Some(4.33));
    assert_eq!(score("parsing = \"robust\"\ncap = true", marked), Some(3.0));
    assert_eq!(score("parsing = \"strict\"", marked), None);
    assert_eq!(score("", marked), None);
    for parsing in ["official", "strict", "robust"] {
        assert_eq!(score(&format!("parsing = {parsing:?}"), plain), Some(4.33));
    }
    assert_eq!(
        score("parsing = \"strict\"", &plain.replace(": 3", ": 6")),
        None
    );
    // The hard suite's replies, of which the official parser makes nothing.
    let single = "Brief reasoning: it fits. Score: 3 (Acceptable)";
    assert_eq!(score("variant = \"uge\"", single), None);
    assert_eq!(
        score("variant = \"uge\"\nparsing = \"robust\"", single),
        Some(3.0)
    );
}

/// Official scripts do not look at why a reply ended; any other reading leaves one alone that is not whole.
#[test]
fn a_reply_that_was_cut_off_counts_only_in_the_official_reading_and_is_marked() {
    let expect = json!({"edit_type": "replace"});
    let all = "Prompt Compliance: 4\nVisual Naturalness: 4\nPhysical & Detail Integrity: 4";
    let cut = |text: &str| json!([{"role": "judge", "reply": text, "state": "truncated"}]);
    let marked = "cut off by its token limit";
    let grade = judged(
        &*rule("imgedit", ""),
        expect.clone(),
        cut("Prompt Compliance: 4\nVisual"),
    );
    assert_eq!(grade.score, Some(4.0));
    assert!(grade.reason.contains(marked), "{}", grade.reason);
    assert_eq!(grade.parts.get("robust"), None);
    for parsing in ["strict", "robust"] {
        let rule = rule("imgedit", &format!("parsing = {parsing:?}"));
        let grade = judged(&*rule, expect.clone(), cut(all));
        assert_eq!(grade.score, None, "{parsing}");
        assert!(
            grade.unscored.unwrap().starts_with("cut off: "),
            "{parsing}"
        );
        assert_eq!(reply(&*rule, expect.clone(), all).score, Some(4.0));
    }
    // Without a score in it, the official reading says why it is not whole, too.
    let grade = judged(&*rule("imgedit", ""), expect, cut("Brief reasoning: the"));
    assert!(grade.unscored.unwrap().starts_with("cut off: "));

    let pair = |reason: &str| json!([{"role": "sc", "reply": "{\"score\": [7, 8]", "finish_reason": reason}, {"role": "pq", "reply": "[9, 9]"}]);
    let kind = json!({"edit_type": "text_change"});
    let official = |reason: &str| judged(&*rule("gedit", ""), kind.clone(), pair(reason));
    assert_eq!(official("length").parts["sc"], 7.0);
    assert!(official("length").reason.contains(marked));
    assert!(!official("stop").reason.contains(marked));
    let whole = "{\"score\": [7, 8]}";
    let calls = json!([{"role": "sc", "reply": whole, "finish_reason": "length"}, {"role": "pq", "reply": whole}]);
    let strict = judged(&*rule("gedit", "parsing = \"strict\""), kind, calls);
    assert!(strict.unscored.unwrap().starts_with("cut off: "));

    let wise = json!({"Prompt": "p", "Subcategory": "S"});
    let said = "Consistency: 2\nRealism: 0\nAesthetic Quality: 0";
    let grade = judged(&*rule("wise", ""), wise.clone(), cut(said));
    assert_eq!(grade.score, Some(0.7));
    assert!(grade.reason.contains(marked), "{}", grade.reason);
    let grade = judged(&*rule("wise", "parsing = \"strict\""), wise, cut(said));
    assert!(grade.unscored.unwrap().starts_with("cut off: "));
}

/// Every row of the specification of VIEScore's parser, worked by hand.
#[test]
fn gedit_takes_replies_apart_as_the_official_script_does() {
    let official = rule("gedit", "");
    let good = r#"{"score": [9, 8], "reasoning": "x"}"#;
    let sc = |text: &str| {
        let grade = rounds(&*official, &json!([[text, good]]));
        grade.score.map(|_| grade.parts["sc"])
    };
    for (text, expected) in [
        (r#"{"score": [7, 6], "reasoning": "fine"}"#, Some(6.0)),
        (r#"Here: {"score": 7, "reasoning": "fine"} done"#, Some(7.0)),
        (r#"||V^=^V||{"score": [5]}||V^=^V||"#, Some(5.0)),
        ("rate_limit_exceeded", None),
        ("{score: 7, reasoning: fine}", Some(7.0)),
        ("{score: [7, 8], reasoning: fine}", None),
        (r#"{"score": [7, 8], "reasoning": "a "b" c"}"#, None),
        ("{'score': [7, 8]}", None),
        (r#"{"score": [7, 8],}"#, None),
        ("[7, 8]", Some(7.0)),
        ("So [7,8].", Some(7.0)),
        (r#"{"score": [7, 8]"#, Some(7.0)),
        ("[7,  8]", None),
        ("[07, 8]", None),
        (" 7 ", Some(7.0)),
        ("+7", Some(7.0)),
        ("1_0", Some(10.0)),
        ("７", Some(7.0)),
        ("11", None),
        ("-1", None),
        ("{\"score\": [1\n0, 10]}", Some(10.0)),
        ("{\"score\": [7, 8], \"reasoning\": \"a\nb\"}", Some(7.0)),
        ("{\"score\": [7, 8], \"reasoning\": \"a\tb\"}", None),
        ("{\"score\": [7, 8], \"reasoning\": \"a\rb\"}", None),
        (r#"{"score": [1, 1], "score": [7, 8]}"#, Some(7.0)),
        (r#"{"score": true}"#, Some(1.0)),
        (r#"{"score": [7.5, 8]}"#, Some(7.5)),
        (r#"{"score": "7"}"#, None),
        (r#"{"score": ["7", "8"]}"#, None),
        (r#"{"score": null}"#, None),
        (r#"{"score": []}"#, None),
        (r#"{"score": [NaN, 7]}"#, None),
        (r#"{"score": [7, NaN]}"#, Some(7.0)),
        (r#"{"score": [12, 20]}"#, Some(12.0)),
        (r#"{"reasoning": 5}"#, None),
        ("{score: true}", None),
        ("||V^=^V||false||V^=^V||", None),
        ("", None),
        ("I cannot say.", None),
    ] {
        assert_eq!(sc(text), expected, "{text:?}");
    }
}

#[test]
fn gedit_asks_both_again_and_never_guesses() {
    let official = rule("gedit", "");
    let told = |pairs: Value| {
        let grade = rounds(&*official, &pairs);
        match grade.score {
            Some(_) => grade.reason,
            None => grade.unscored.unwrap(),
        }
    };
    let (good, better) = (r#"{"score": [4, 9]}"#, r#"{"score": [9, 9]}"#);
    // The first PQ is replaced, too, although it could be read.
    assert_eq!(
        told(json!([["?", good], [better, better]])),
        "SC 9, PQ 9 in round 2"
    );
    assert_eq!(told(json!([[good, better], [better, good]])), "SC 4, PQ 9");
    // From the second round on a clean list is a guess.
    insta::assert_snapshot!(told(json!([["?", good], ["[9, 9]", good]])), @"unparsed: a later reply has no braces: the official script would guess a score at random here");
    insta::assert_snapshot!(told(json!([["{?}", good]])), @"unparsed: SC: its JSON can be neither read nor repaired");
    // An exception has the picture judged anew, from a first round.
    assert_eq!(
        told(json!([[r#"{"score": []}"#, good], ["[9, 9]", good]])),
        "SC 9, PQ 4 in round 2"
    );
    let refused = judged(
        &*official,
        json!({}),
        json!([{"role": "sc", "reply": "", "refusal": "I can't help with that."}, {"role": "pq", "reply": good}]),
    );
    insta::assert_snapshot!(refused.unscored.unwrap(), @"refused: “I can't help with that.”");
    let silent = judged(
        &*rule("wise", ""),
        json!({"prompt_id": 1}),
        json!([{"role": "judge", "reply": null}]),
    );
    insta::assert_snapshot!(silent.unscored.unwrap(), @"unparsed: it has no score for consistency, realism, aesthetic_quality; the judge said “”");
    let half = judged(
        &*official,
        json!({}),
        json!([{"role": "sc", "reply": good}]),
    );
    insta::assert_snapshot!(half.unscored.unwrap(), @"missing evidence: the judge's calls have no pair of the roles `sc` and `pq`");
    let settings: Settings = toml::from_str("parsing = \"robust\"").unwrap();
    let error = grade::build("gedit", &settings).err().unwrap();
    insta::assert_snapshot!(error, @r#"option `parsing` of grading rule gedit is "robust"; expected official or strict"#);
}

/// The corrections to the specification of WISE's parser, worked by hand.
#[test]
fn wise_finds_names_and_digits_as_the_official_script_does() {
    let scores = |options: &str, text: &str| {
        let grade = reply(&*rule("wise", options), json!({"prompt_id": 1}), text);
        grade
            .score
            .map(|_| ["consistency", "realism", "aesthetic_quality"].map(|name| grade.parts[name]))
    };
    let rest = "\nRealism: 1\nAesthetic Quality: 0";
    for (line, expected) in [
        ("Consistency: 2", Some(2.0)),
        ("**Consistency**: 2", Some(2.0)),
        ("**Consistency: 2**", Some(2.0)),
        ("**Consistency:** 2", None),
        ("Consistency：2", None),
        ("consistency 2", Some(2.0)),
        ("Inconsistency: 2", Some(2.0)),
        ("Consistency: 10", Some(1.0)),
        ("Consistency: 9", Some(9.0)),
        ("Consistency: 1\nConsistency: 2", Some(2.0)),
        ("Consistency:\u{1f}２", Some(2.0)),
        ("2", None),
    ] {
        let expected = expected.map(|first| [first, 1.0, 0.0]);
        assert_eq!(scores("", &format!("{line}{rest}")), expected, "{line:?}");
    }
    assert_eq!(scores("", "2\n 1 \n\n0\n"), Some([2.0, 1.0, 0.0]));
    assert_eq!(scores("bare_lines = false", "2\n1\n0"), None);
    assert_eq!(scores("", "2\n1\n0\nRealism: 1"), None);
    assert_eq!(
        scores("parsing = \"strict\"", &format!("Consistency: 2{rest}")),
        Some([2.0, 1.0, 0.0])
    );
    assert_eq!(
        scores("parsing = \"strict\"", &format!("**Consistency**: 2{rest}")),
        None
    );
    // Three tries: the first with all three scores counts.
    let calls = json!([
        {"role": "judge", "reply": "Consistency: 2"},
        {"role": "judge", "reply": "Consistency: 1\nRealism: 2\nAesthetic Quality: 1"},
        {"role": "judge", "reply": "Consistency: 0\nRealism: 0\nAesthetic Quality: 0"},
    ]);
    let grade = judged(&*rule("wise", ""), json!({"prompt_id": 1}), calls);
    assert_eq!(grade.score, Some((0.7 * 1.0 + 0.2 * 2.0 + 0.1 * 1.0) / 2.0));
}

/// Text that looks like replies more often than random text does.
fn nearly() -> impl Strategy<Value = String> {
    "([{}\\[\\],:\"'*/#0-9a-c ._+-]|\n|\r|\u{85}|\u{2028}|é|５|²|score|\"score\": |true|null|NaN|Consistency: |Realism|\
      Aesthetic Quality|Prompt Compliance: |Score: |\\|\\|V\\^=\\^V\\|\\||<think>|</think>|\\\\ud8|\\\\){0,40}"
}

proptest! {
    /// By hand for longer: `PROPTEST_CASES=2000000 cargo test --test it judged::no_reply`.
    #[test]
    fn no_reply_makes_a_rule_panic(
        replies in prop::collection::vec(prop_oneof![4 => nearly(), 1 => any::<String>()], 1..6),
    ) {
        let pairs: Value = replies.chunks(2).map(|pair| json!([pair[0], pair[pair.len() - 1]])).collect();
        let both = |grade: &Grade| grade.score.is_some() == grade.unscored.is_none();
        for options in ["", "parsing = \"strict\""] {
            let grade = rounds(&*rule("gedit", options), &pairs);
            prop_assert!(both(&grade) && grade.score.is_none_or(f64::is_finite));
        }
        for text in &replies {
            for options in ["", "parsing = \"strict\"", "parsing = \"robust\"", "variant = \"uge\"\nparsing = \"robust\""] {
                let grade = reply(&*rule("imgedit", options), json!({"edit_type": "add"}), text);
                prop_assert!(both(&grade) && grade.score.is_none_or(f64::is_finite));
            }
            for options in ["", "verified = true", "parsing = \"strict\"", "verified = true\nparsing = \"strict\""] {
                let grade = reply(&*rule("wise", options), json!({"prompt_id": 1}), text);
                prop_assert!(both(&grade));
            }
        }
    }
}

/// Writes items and evidence, grades them with the program, gives summary and grades.
fn graded(
    dir: &Path,
    suite: &str,
    items: &[Value],
    evidence: &[Value],
    code: i32,
) -> (Value, Vec<Value>) {
    let text = |values: &[Value]| {
        values
            .iter()
            .map(|value| format!("{value}\n"))
            .collect::<String>()
    };
    fs::write(dir.join("items.jsonl"), text(items)).unwrap();
    fs::write(dir.join("evidence.jsonl"), text(evidence)).unwrap();
    let args = [
        "--items",
        "items.jsonl",
        "--evidence",
        "evidence.jsonl",
        "--out",
        "out",
        "--name",
        "m",
    ];
    let output = unigauge(dir)
        .args(["grade", "--suite", suite])
        .args(args)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    let summary = fs::read(dir.join("out/summary.json")).unwrap();
    (
        serde_json::from_slice(&summary).unwrap(),
        lines(&dir.join("out/grades.jsonl")),
    )
}

fn an_item(id: &str, task: &str, expect: Value) -> Value {
    json!({"item": id, "task": task, "prompt": format!("do {id}, \"now\""), "images": [], "expect": expect, "tags": {}})
}

fn said(id: &str, calls: Value) -> Value {
    json!({"item": id, "repeat": 0, "observer": "judge", "evidence": {"model": "gpt-4.1", "calls": calls}})
}

fn judge_said(id: &str, reply: &str) -> Value {
    said(id, json!([{"role": "judge", "reply": reply}]))
}

#[test]
fn imgedit_end_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let items: Vec<Value> = [
        ("1", "add"),
        ("2", "add"),
        ("3", "alter"),
        ("4", "style"),
        ("5", "add"),
    ]
    .iter()
    .map(|(id, kind)| an_item(id, "edit", json!({"edit_type": kind})))
    .collect();
    let evidence = [
        judge_said(
            "1",
            "Prompt Compliance: 5\nVisual Naturalness: 5\nPhysical & Detail Coherence: 4",
        ),
        judge_said(
            "2",
            "Prompt Compliance: 4\nVisual Naturalness: 4\nPhysical & Detail Coherence: 3",
        ),
        judge_said("3", "a: 1\nb: 2"),
        judge_said("4", "I like it."),
        said(
            "5",
            json!([{"role": "judge", "reply": null, "refusal": "No."}]),
        ),
    ];
    let (summary, grades) = graded(dir.path(), "imgedit", &items, &evidence, 5);
    let scores: Vec<&Value> = grades.iter().map(|grade| &grade["score"]).collect();
    assert_eq!(json!(scores), json!([4.67, 3.67, 1.5, null, null]));
    // (4.67 + 3.67) / 2 = 4.17; (4.17 + 1.5) / 2 = 2.835; (4.67 + 3.67 + 1.5) / 3 = 3.28.
    let overall = summary["overall"]["value"].as_f64().unwrap();
    assert!((overall - 2.835).abs() < 1e-9, "{overall}");
    let metrics = &summary["metrics"];
    assert_eq!(metrics["add"], 4.17);
    assert_eq!(metrics["adjust"], 1.5);
    assert_eq!(metrics.get("style"), None);
    assert_eq!(metrics["overall_micro"], 3.28);
    assert!((metrics["overall_macro"].as_f64().unwrap() - 2.835).abs() < 1e-9);
    // The three states, each counted with its reason.
    assert_eq!(
        (
            &summary["scored"],
            &summary["failed"],
            &summary["unscored"],
            &summary["partial"]
        ),
        (&json!(3), &json!(0), &json!(2), &json!(true))
    );
    assert_eq!(summary["unscored_by"], json!({"refused": 1, "unparsed": 1}));
    let official = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(dir.path().join("out/official").join(name)).unwrap())
            .unwrap()
    };
    assert_eq!(official("result.json")["4"], "I like it.");
    assert_eq!(
        official("average_score.json"),
        json!({"1": 4.67, "2": 3.67, "3": 1.5})
    );
    assert_eq!(
        official("typescore.json"),
        json!({"add": 4.17, "adjust": 1.5})
    );
}

#[test]
fn gedit_end_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let item = |id: &str, kind: &str, shared: bool| {
        an_item(
            id,
            "edit",
            json!({"edit_type": kind, "language": "en", "intersection_exist": shared}),
        )
    };
    let items = [
        item("a", "text_change", true),
        item("b", "text_change", false),
        item("c", "ps_human", true),
        item("d", "ps_human", true),
    ];
    let pair = |id: &str, sc: &str, pq: &str| {
        said(
            id,
            json!([{"role": "sc", "reply": sc}, {"role": "pq", "reply": pq}]),
        )
    };
    let evidence = [
        pair("a", r#"{"score": [9, 10]}"#, r#"{"score": [4, 5]}"#),
        pair("b", r#"{"score": [1, 9]}"#, r#"{"score": [4, 5]}"#),
        pair("c", "[8, 8]", "8"),
        pair("d", "?", "8"),
    ];
    let (summary, grades) = graded(dir.path(), "gedit-en", &items, &evidence, 5);
    let scores: Vec<&Value> = grades.iter().map(|grade| &grade["score"]).collect();
    assert_eq!(json!(scores), json!([6.0, 2.0, 8.0, null]));
    // Groups: text_change (6 + 2) / 2 = 4, ps_human 8; their mean is 6. Intersection: 6 and 8.
    assert_eq!(summary["overall"]["value"], 6.0);
    let metrics = &summary["metrics"];
    for (name, value) in [
        ("en o", 6.0),
        ("en sc", 6.5),
        ("en pq", 6.0),
        ("en o text_change", 4.0),
        ("en intersection o", 7.0),
        ("en intersection sc", 8.5),
    ] {
        assert_eq!(metrics[name], value, "{name}");
    }
    assert_eq!(summary["unscored_by"], json!({"unparsed": 1}));
    let table =
        fs::read_to_string(dir.path().join("out/official/m_text_change_gpt_score.csv")).unwrap();
    let table = table.replace(&format!("{}", dir.path().display()), "");
    insta::assert_snapshot!(table.replace("\r\n", "\n"), @r#"
    source_image,edited_image,instruction,sementics_score,quality_score,intersection_exist,instruction_language
    fullset/text_change/en/a_SRCIMG.png,out/outputs/fullset/text_change/en/a.png,"do a, ""now""",9,4,True,en
    fullset/text_change/en/b_SRCIMG.png,out/outputs/fullset/text_change/en/b.png,"do b, ""now""",1,4,False,en
    "#);
    assert!(
        dir.path()
            .join("out/official/m_combined_gpt_score.csv")
            .is_file()
    );
    // Both languages together are a suite of their own.
    let (summary, _) = graded(dir.path(), "gedit", &items, &evidence, 5);
    assert_eq!(summary["overall"]["value"], 6.0);
}

#[test]
fn wise_end_to_end() {
    let dir = tempfile::tempdir().unwrap();
    // All thousand prompts, so that the official overall value is there: culture 1, time 0.5, the others 0.
    let items: Vec<Value> = (1..=1000)
        .map(|id| {
            an_item(
                &id.to_string(),
                "text-to-image",
                json!({"Prompt": "p", "Subcategory": "S", "prompt_id": id}),
            )
        })
        .collect();
    let evidence: Vec<Value> = (1..=1000)
        .map(|id| {
            let score = if id <= 400 { 2 } else { i32::from(id <= 567) };
            judge_said(
                &id.to_string(),
                &format!("Consistency: {score}\nRealism: {score}\nAesthetic Quality: {score}"),
            )
        })
        .collect();
    let (summary, _) = graded(dir.path(), "wise", &items, &evidence, 0);
    let metrics = &summary["metrics"];
    let close = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-9;
    assert!(
        close(&metrics["CULTURE"], 1.0)
            && close(&metrics["TIME"], 0.5)
            && close(&metrics["SPACE"], 0.0)
    );
    assert!(close(&metrics["overall"], 0.4 + 0.167 * 0.5), "{metrics}");
    assert!(close(&summary["overall"]["value"], 0.4835));
    let first = lines(&dir.path().join("out/official/scores.jsonl")).remove(0);
    assert_eq!(
        first,
        json!({"prompt_id": 1, "Subcategory": "S", "consistency": 2.0, "realism": 2.0, "aesthetic_quality": 2.0})
    );
    // With one missing the official script prints nothing.
    let (summary, grades) = graded(dir.path(), "wise", &items, &evidence[1..], 5);
    assert_eq!(summary["metrics"].get("overall"), None);
    assert_eq!(summary["unscored_by"], json!({"missing": 1}));
    insta::assert_snapshot!(grades[0]["unscored"].as_str().unwrap(), @"missing evidence: no observer wrote `calls`");

    let evidence: Vec<Value> = (1..=1000)
        .map(|id| {
            judge_said(
                &id.to_string(),
                if id <= 520 {
                    "<think>0</think>Score: 1"
                } else {
                    "0"
                },
            )
        })
        .collect();
    let (summary, _) = graded(dir.path(), "wise-verified", &items, &evidence, 0);
    assert!(close(&summary["metrics"]["overall"], 0.52));
    assert!(close(&summary["metrics"]["TIME"], 1.0) && close(&summary["metrics"]["SPACE"], 0.0));
}

#[test]
fn genai_bench_has_a_mean_for_every_skill() {
    let dir = tempfile::tempdir().unwrap();
    let skills = [
        json!(["basic", "attribute"]),
        json!(["basic", "scene"]),
        json!(["advanced", "counting"]),
        json!([]),
    ];
    let items: Vec<Value> = (0..4)
        .map(|id| {
            an_item(
                &format!("{id:05}"),
                "text-to-image",
                json!({"id": format!("{id:05}"), "skills": skills[id]}),
            )
        })
        .collect();
    let evidence: Vec<Value> = [0.5, 0.75, 0.25, 1.0]
        .iter()
        .enumerate()
        .map(|(id, score)| json!({"item": format!("{id:05}"), "observer": "other", "evidence": {"vqascore": score}}))
        .collect();
    let (summary, _) = graded(dir.path(), "genai-bench-527", &items, &evidence, 0);
    let metrics: BTreeMap<String, f64> =
        serde_json::from_value(summary["metrics"].clone()).unwrap();
    assert_eq!(
        (metrics["basic"], metrics["counting"], metrics["all"]),
        (0.625, 0.25, 0.5)
    );
    assert!((metrics["std basic"] - (2.0 * 0.125_f64.powi(2)).sqrt()).abs() < 1e-12);
    assert_eq!(summary["overall"]["value"], 0.5);
    let table = fs::read_to_string(dir.path().join("out/official/genai_results.txt")).unwrap();
    assert!(
        table.contains("m                0.625000+-0.176777"),
        "{table}"
    );
}

/// Files of the same forms, written here.
#[test]
fn suites_read_turns_skills_and_images_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let turns = json!({"7": {"id": "a.png", "turn1": "first", "turn2": "then"}, "9": {"id": "a.png", "turn1": "only"}});
    fs::write(dir.path().join("turns.json"), turns.to_string()).unwrap();
    let output = |args: &[&str]| unigauge(dir.path()).args(args).output().unwrap();
    let absent = output(&["items", "imgedit-multiturn"]);
    assert_eq!(absent.status.code(), Some(2), "{}", stderr(&absent));
    assert!(
        stderr(&absent).contains("give your copy of the items: `--items FILE`"),
        "{}",
        stderr(&absent)
    );
    let listed = output(&["items", "imgedit-multiturn", "--items", "turns.json"]);
    let text = String::from_utf8(listed.stdout.clone()).unwrap();
    let items: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<String> = items
        .iter()
        .map(|item| format!("{} {} {}", item["item"], item["prompt"], item["expect"]))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "7_turn1" "first" {"key":"7","turn":1,"category":"turns","earlier":"none"}
    "7_turn2" "then" {"key":"7","turn":2,"category":"turns","earlier":"1. first"}
    "9_turn1" "only" {"key":"9","turn":1,"category":"turns","earlier":"none"}
    "#);
    // A named folder is looked into.
    fs::create_dir(dir.path().join("pictures")).unwrap();
    let named = [
        "items",
        "imgedit-multiturn",
        "--items",
        "turns.json",
        "--set",
        "items.image_folder=\"pictures\"",
    ];
    let missing = output(&named);
    assert_eq!(missing.status.code(), Some(2), "{}", stderr(&missing));
    assert!(
        stderr(&missing).contains("the image `a.png` does not exist"),
        "{}",
        stderr(&missing)
    );
    image::RgbImage::new(2, 2)
        .save(dir.path().join("pictures/a.png"))
        .unwrap();
    assert_eq!(output(&named).stdout, listed.stdout);

    let (images, skills) = (
        json!({"00000": {"id": "00000", "prompt": "a"}, "00001": {"id": "00001", "prompt": "b"}}),
        json!({"basic": [0], "scene": [0]}),
    );
    fs::write(
        dir.path().join("genai.json"),
        json!([images, skills]).to_string(),
    )
    .unwrap();
    let listed = output(&["items", "genai-bench-527", "--items", "genai.json"]);
    assert!(listed.status.success(), "{}", stderr(&listed));
    insta::assert_snapshot!(String::from_utf8(listed.stdout).unwrap(), @r#"
    {"item":"00000","task":"text-to-image","prompt":"a","images":[],"expect":{"id":"00000","skills":["basic","scene"]},"tags":{"group":"basic"}}
    {"item":"00001","task":"text-to-image","prompt":"b","images":[],"expect":{"id":"00001","skills":[]},"tags":{}}
    "#);
}

/// Two judges look at the same four pictures.
#[test]
fn judges_of_the_same_pictures_are_told_apart_and_compared() {
    let dir = tempfile::tempdir().unwrap();
    let items: String = (0..4)
        .map(|id| {
            format!(
                "{}\n",
                json!({"id": format!("i{id}"), "prompt": "p", "edit_type": "text_change"})
            )
        })
        .collect();
    fs::write(dir.path().join("own.jsonl"), items).unwrap();
    let suite = "name = \"gedit-en\"\nversion = \"1\"\ntitle = \"Edits\"\ntask = \"text-to-image\"\nlayout = \"flat\"\n\n[items]\nfile = \"own.jsonl\"\n\n\
                 [items.map]\nexpect = [\"edit_type\"]\ntags = { edit_type = \"edit_type\" }\n\n[grade]\nrule = \"gedit\"\n";
    fs::write(dir.path().join("own.toml"), suite).unwrap();
    fs::create_dir(dir.path().join("pictures")).unwrap();
    for id in 0..4 {
        let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([id * 9, 0, 0]));
        picture
            .save(dir.path().join(format!("pictures/i{id}.png")))
            .unwrap();
    }
    for (name, judge, scores) in [
        ("one", "gpt-4.1", [2, 4, 6, 8]),
        ("two", "qwen", [3, 4, 9, 8]),
    ] {
        let args = [
            "observe", "--suite", "own.toml", "--images", "pictures", "--name", name,
        ];
        let output = unigauge(dir.path()).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
        let run = dir.path().join("results/gedit-en").join(name).join("seed0");
        let evidence: String = scores
            .iter()
            .enumerate()
            .map(|(id, score)| {
                let said = format!("{{\"score\": [{score}]}}");
                let calls = json!([{"role": "sc", "reply": said}, {"role": "pq", "reply": said}]);
                let evidence = json!({"model": judge, "prompts": {"set": "gedit", "wording": "own", "sha256": "0123456789"}, "calls": calls});
                format!("{}\n", json!({"item": format!("i{id}"), "repeat": 0, "observer": "judge", "evidence": evidence}))
            })
            .collect();
        fs::write(run.join("evidence.jsonl"), evidence).unwrap();
        let graded = unigauge(dir.path())
            .arg("grade")
            .arg(&run)
            .output()
            .unwrap();
        assert!(graded.status.success(), "{}", stderr(&graded));
    }
    let compared = unigauge(dir.path())
        .args([
            "compare",
            "results/gedit-en/one/seed0",
            "results/gedit-en/two/seed0",
            "--format",
            "markdown",
        ])
        .output()
        .unwrap();
    // Spearman: ranks 1 2 3 4 and 1 2 4 3, so 1 - 6 · 2 / (4 · 15) = 0.8; Kendall: (5 - 1) / 6. Alpha: the
    // package krippendorff.
    insta::assert_snapshot!(String::from_utf8(compared.stdout).unwrap().replace("  \n", "\n"), @r"
    **Edits (version 1)**

    | model | n | overall |
    |:---|---:|---:|
    | one | 4 | <u>5.0000</u> |
    | two§ | 4 | **6.0000** |

    Agreement of the judges of one (seed0) and two (seed0) on 4 outputs that both have scored: Krippendorff's alpha 0.818 (interval) and 0.787 (ordinal), Spearman's rho 0.800, Kendall's tau-b 0.667.
    § not judged as one is (gpt-4.1 with prompts gedit own 01234567), so the numbers cannot be compared: qwen with prompts gedit own 01234567 judged two.
    ");
    let published = unigauge(dir.path())
        .args(["compare", "results/gedit-en/one/seed0", "--published"])
        .output()
        .unwrap();
    let table = String::from_utf8(published.stdout).unwrap();
    assert!(
        table.contains("UniWorld-V1‡§") && table.contains("4.8500"),
        "{table}"
    );
    assert!(
        table.contains("gpt-4.1 with prompts gedit official judged GPT-4o, AnyEdit"),
        "{table}"
    );
}

/// The published averages of GEdit-Bench are the unweighted means of their groups, to the last digit that is
/// printed.
#[test]
fn published_averages_follow_from_the_published_groups() {
    let file = unigauge::config::published("gedit-en").unwrap().unwrap();
    let mut checked = 0;
    for row in file.rows.iter().filter(|row| row.groups.len() == 11) {
        let mean = row.groups.values().sum::<f64>() / 11.0;
        assert!(
            (mean - row.overall).abs() <= 0.000_6,
            "{}: {mean}",
            row.model
        );
        checked += 1;
    }
    assert_eq!(checked, 10);
}
