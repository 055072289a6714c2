//! The metrics against values that tests/golden/ocrbench/make.py computes in Python.

use super::answers::Answers;
use super::text4::text4;
use super::{choice, counting, formula, vqa};
use crate::text::porter;
use crate::text::segment::segment;
use crate::text::wordnet::WordNet;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ocrbench")
}

/// The file and the WordNet that the environment names, for a longer trial than the committed one.
fn named(variable: &str, committed: &str) -> PathBuf {
    std::env::var_os(variable).map_or(folder().join(committed), PathBuf::from)
}

fn answers(value: &Value) -> Answers {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match value {
        Value::Array(list) => Answers::List(list.iter().map(text).collect()),
        one => Answers::One(text(one)),
    }
}

/// The result of this program for a case. `None` for metrics that are tested elsewhere.
fn ours(case: &Value, wordnet: &WordNet) -> Option<Value> {
    let prediction = case["prediction"].as_str().unwrap();
    let accepted = || answers(&case["answers"]);
    let page = |wordnet| {
        let text4 = text4(prediction, case["reference"].as_str().unwrap(), wordnet);
        json!([
            text4.bleu,
            text4.meteor,
            text4.f_measure,
            text4.edit_distance,
            text4.score
        ])
    };
    Some(match case["op"].as_str().unwrap() {
        "vqa" => json!(vqa::vqa(prediction, &accepted())),
        "vqa_case_sensitive" => json!(vqa::vqa_case_sensitive(prediction, &accepted())),
        "vqa_cn" => json!(vqa::vqa_cn(prediction, &accepted())),
        "multiple_choice" => json!(choice::multiple_choice(prediction, &accepted())),
        "joined_letters" => json!(choice::joined_letters(prediction, &accepted())),
        "formula" => json!(formula::formula(prediction, &accepted(), false)),
        "formula_cn" => json!(formula::formula(prediction, &accepted(), true)),
        "counting" => json!(counting::counting(
            prediction,
            &accepted(),
            case["eval"].as_str()
        )),
        "stem" => json!(porter::stem(prediction)),
        "segment" => json!(segment(prediction)),
        "synonyms" => json!(wordnet.synonyms(prediction)),
        "text4" => page(None),
        "text4_wordnet" => page(Some(wordnet)),
        "v1" => return None,
        other => panic!("{other}"),
    })
}

fn same(ours: &Value, python: &Value) -> bool {
    match (ours, python) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            // Relative, since BLEU without a common four-gram is about 1e-77.
            (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
        }
        (a, b) => a == b,
    }
}

#[test]
fn every_metric_agrees_with_python() {
    let wordnet = WordNet::open(&named("UNIGAUGE_WORDNET", "wordnet")).unwrap();
    let cases = std::fs::read_to_string(named("UNIGAUGE_OCRBENCH_CASES", "cases.jsonl")).unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in cases.split_terminator('\n') {
        let case: Value = serde_json::from_str(line).unwrap();
        if let Some(ours) = ours(&case, &wordnet) {
            assert!(same(&ours, &case["want"]), "{case}: {ours}");
            *counts
                .entry(case["op"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
    }
    assert_eq!(counts.len(), 13);
    assert!(counts.values().all(|count| *count >= 20), "{counts:?}");
}

/// Computed with NLTK 3.10.4 and no WordNet.
#[test]
fn sentences_score_as_in_the_specification() {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-4 * b;
    let fox = text4(
        "the quick brown cat jumps over the dog",
        "the quick brown fox jumps over the lazy dog",
        None,
    );
    assert!(near(fox.bleu, 6.886705081558736e-78), "{fox:?}");
    assert!(near(fox.meteor, 0.755560651226783), "{fox:?}");
    assert!(near(fox.f_measure.unwrap(), 0.8), "{fox:?}");
    assert!(near(fox.edit_distance, 8.0 / 43.0), "{fox:?}");
    let dogs = text4("dog jumps and runs fast", "Jumping dogs are running", None);
    assert!(near(dogs.meteor, 0.36585365853658536), "{dogs:?}");
    assert!(near(text4("a b", "a b", None).bleu, 1.4917e-154));
    assert!(near(text4("a b c", "a b c d e", None).bleu, 6.2706e-78));
}

/// The official way from a stem to a synonym: `car` and `automobil` share nothing, `quick` and `fast` do.
#[test]
fn synonyms_are_looked_up_by_stem() {
    let wordnet = WordNet::open(&folder().join("wordnet")).unwrap();
    let meteor = |said, reference, wordnet| text4(said, reference, wordnet).meteor;
    assert_eq!(meteor("quick", "fast", None), 0.0);
    assert_eq!(meteor("quick", "fast", Some(&wordnet)), 0.5);
    assert_eq!(meteor("cars", "autos", Some(&wordnet)), 0.5);
    assert_eq!(meteor("large", "big", Some(&wordnet)), 0.5);
    assert_eq!(meteor("signs", "purchase", Some(&wordnet)), 0.0);
}

#[test]
fn a_damaged_wordnet_is_refused_by_name() {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder().join("wordnet")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let why = || WordNet::open(copy.path()).unwrap_err().to_string();
    std::fs::write(copy.path().join("index.verb"), "go v two 0 1 0 00000001\n").unwrap();
    assert!(
        why().ends_with("index.verb, line 1: not an index of WordNet"),
        "{}",
        why()
    );
    std::fs::remove_file(copy.path().join("index.verb")).unwrap();
    assert!(why().contains("index.verb: "), "{}", why());
    let archive = WordNet::open(&copy.path().join("data.noun")).unwrap_err();
    assert!(archive.to_string().contains("data.noun"), "{archive}");
}

proptest! {
    #[test]
    fn no_text_is_too_odd(said in "\\PC{0,60}", answer in ".{0,40}", letters in "[A-Da-d一-丁,.%_ -]{0,30}") {
        for answers in [
            Answers::One(answer.clone()),
            Answers::List(vec![answer.clone(), letters.clone()]),
            Answers::List(Vec::new()),
        ] {
            for score in [
                vqa::vqa(&said, &answers),
                vqa::vqa_case_sensitive(&letters, &answers),
                vqa::vqa_cn(&said, &answers),
                choice::multiple_choice(&said, &answers),
                choice::joined_letters(&letters, &answers),
                formula::formula(&said, &answers, true),
                formula::formula(&answer, &answers, false),
                counting::counting(&said, &answers, Some("regression")),
                counting::counting(&said, &answers, Some("exact match")),
            ] {
                prop_assert!((0.0..=1.0).contains(&score));
            }
        }
        for (a, b) in [(&said, &answer), (&answer, &letters), (&letters, &said)] {
            let score = text4(a, b, None).score;
            prop_assert!((0.0..=1.0).contains(&score), "{score}");
            prop_assert_eq!(segment(a).concat(), a.as_str());
        }
    }

    #[test]
    fn any_word_has_a_stem(word in "[a-z*é]{0,4}(ed|ing|ies|alli|logi|ful|ation|y|ll|e){0,4}") {
        prop_assert!(porter::stem(&word).len() <= word.len() + 1);
    }
}
