//! Qwen2.5-VL as a second reader and a second answerer, with the tiny composed checkpoint.

use crate::support::{lines, stderr, unigauge};
use crate::uniworld::checkpoint;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A suite of two pictures, looked at by `observer`.
fn suite(dir: &Path, observer: &str, rule: &str, expect: [Value; 2], more: &str) -> PathBuf {
    let items: String = (expect.iter().enumerate())
        .map(|(at, expect)| {
            let mut item = json!({"id": format!("i{at}"), "prompt": "a sign"});
            let known = expect.as_object().unwrap().clone();
            item.as_object_mut().unwrap().extend(known);
            format!("{item}\n")
        })
        .collect();
    fs::write(dir.join("items.jsonl"), items).unwrap();
    let path = dir.join(format!("{observer}.toml"));
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [{observer:?}]\n\n\
         [items]\nfile = \"items.jsonl\"\n\n[items.map]\nexpect = [{}]\n\n[grade]\nrule = {rule:?}\n\n\
         [observe.{observer}]\ncheckpoint = \"tiny/uniworld\"\n{more}",
        match observer {
            "qwen-vqa" => "\"propositions\"",
            _ => "\"texts\", \"language\"",
        }
    );
    fs::write(&path, text).unwrap();
    path
}

fn observe(dir: &Path, suite: &Path, more: &[&str]) -> std::process::Output {
    unigauge(dir)
        .args(["observe", "--device", "cpu", "--suite"])
        .arg(suite)
        .args(["--images", "images"])
        .args(more)
        .output()
        .unwrap()
}

fn pictures(dir: &Path) {
    fs::create_dir(dir.join("images")).unwrap();
    for at in 0..2u8 {
        let picture =
            image::RgbImage::from_fn(84, 56, |x, y| image::Rgb([40 * at, x as u8, y as u8]));
        picture.save(dir.join(format!("images/i{at}.png"))).unwrap();
    }
}

#[test]
fn questions_are_answered_and_the_reply_is_kept_word_for_word() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    pictures(dir.path());
    let question = |id: u32, parents: &str| {
        json!({"id": id, "dependency": parents, "category_broad": "entity", "category_detailed": "whole",
            "tuple": "entity - whole (sign)", "question": "Is there a sign?"})
    };
    let expect = [
        json!({"propositions": [question(1, "0"), question(2, "1")]}),
        json!({"propositions": [question(7, "0")]}),
    ];
    let own = suite(
        dir.path(),
        "qwen-vqa",
        "dpg-bench",
        expect,
        "max_new_tokens = 5\n",
    );
    let output = observe(dir.path(), &own, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let run = dir.path().join("results/own/folder/seed0");
    let evidence = lines(&run.join("evidence.jsonl"));
    let of = |item: &str| evidence.iter().find(|line| line["item"] == item).unwrap();
    assert_eq!(of("i0")["observer"], "qwen-vqa");
    for (item, ids) in [("i0", vec!["1", "2"]), ("i1", vec!["7"])] {
        let seen = &of(item)["evidence"];
        assert_eq!(seen["engine"], "qwen2.5-vl");
        for key in ["answers", "replies"] {
            let keys: Vec<&String> = seen[key].as_object().unwrap().keys().collect();
            assert_eq!(keys, ids, "{key}");
        }
        // A network of random weights babbles; its first word is what counts.
        for id in ids {
            let reply = seen["replies"][id].as_str().unwrap();
            assert!(reply.chars().count() <= 5, "{reply}");
            let word = seen["answers"][id].as_str().unwrap();
            assert!(reply.to_lowercase().contains(word));
        }
    }
    // One question in two items, of different pictures; the same item again is not asked again.
    let again = observe(dir.path(), &own, &[]);
    assert!(again.status.success());
    assert_eq!(lines(&run.join("evidence.jsonl")).len(), 2);
    // The wording is part of what was observed.
    let other = fs::read_to_string(&own).unwrap() + "prompt = \"Look. {question}\"\n";
    fs::write(&own, other).unwrap();
    assert!(observe(dir.path(), &own, &[]).status.success());
    assert_eq!(lines(&run.join("evidence.jsonl")).len(), 4);
}

#[test]
fn texts_are_read_and_graded_by_the_rule_of_longtext_bench() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    pictures(dir.path());
    let expect = [
        json!({"texts": ["Open daily"], "language": "en"}),
        json!({"texts": ["Closed"], "language": "en"}),
    ];
    let own = suite(
        dir.path(),
        "qwen-ocr",
        "longtext",
        expect,
        "max_new_tokens = 6\n",
    );
    let output = observe(dir.path(), &own, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let run = dir.path().join("results/own/folder/seed0");
    for record in lines(&run.join("evidence.jsonl")) {
        let seen = &record["evidence"];
        assert_eq!(seen["engine"], "qwen2.5-vl");
        let length = seen["text"].as_str().unwrap().chars().count();
        // Special tokens are no text, so a reply of as many tokens may have fewer characters.
        assert!(length <= 6 && seen["truncated"].is_boolean(), "{seen}");
    }
    let summary: Value =
        serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["scored"], 2);
    assert_eq!(summary["overall"]["n"], 2);
}

#[test]
fn an_absent_checkpoint_and_a_prompt_without_a_question_are_told() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path());
    let expect = || [json!({"propositions": []}), json!({"propositions": []})];
    let own = suite(dir.path(), "qwen-vqa", "dpg-bench", expect(), "");
    let output = observe(dir.path(), &own, &[]);
    assert_eq!(output.status.code(), Some(6));
    let said = stderr(&output);
    assert!(
        said.contains("tiny/uniworld") && said.contains("unigauge fetch qwen2.5-vl-7b"),
        "{said}"
    );
    checkpoint(dir.path());
    let own = suite(
        dir.path(),
        "qwen-vqa",
        "dpg-bench",
        expect(),
        "prompt = \"Is it there?\"\n",
    );
    let said = stderr(&observe(dir.path(), &own, &[]));
    assert!(said.contains("{question}"), "{said}");
}
