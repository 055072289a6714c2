//! The benchmarks' own files, which are not ours to commit. A folder with them is named by
//! `UNIGAUGE_TEST_DATA`: `geneval/`, `dpg_bench/`, `xomni_textbench/`, `imgedit_bench/`, `gedit_bench/` and
//! `wise/`, each with the file names that their authors give them.

use crate::grading::{evidence, item, rule};
use crate::suites::{Assets, Folder};
use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use unigauge::grade;
use unigauge::hub::{Hub, HubOptions};
use unigauge::prompts::PromptGenerator;
use unigauge::suite::{self, ItemSet};

fn data() -> PathBuf {
    let folder = std::env::var_os("UNIGAUGE_TEST_DATA");
    PathBuf::from(folder.expect("UNIGAUGE_TEST_DATA names the folder of the benchmarks' files"))
}

#[test]
#[ignore = "needs the benchmarks' own files: UNIGAUGE_TEST_DATA=DIR cargo test published:: -- --ignored"]
fn the_prompts_of_geneval_are_the_official_ones_to_the_byte() {
    let official = fs::read_to_string(data().join("geneval/evaluation_metadata.jsonl")).unwrap();
    let geneval = PromptGenerator::find("geneval").unwrap();
    assert_eq!(geneval.official.unwrap()(), official);
}

#[test]
#[ignore = "needs the benchmarks' own files: UNIGAUGE_TEST_DATA=DIR cargo test published:: -- --ignored"]
fn the_official_prompt_files_are_read_whole() {
    let none = Assets(PathBuf::new());
    let suite = |name| suite::load(name, Path::new("")).unwrap();
    // Words between blanks and characters other than blanks, before the rule normalises them, counted with
    // Python: sum(len(" ".join(json.loads(l)["text"]).split()) for l in open(f)),
    // sum(len("".join(…split()))).
    for (name, file, words, characters) in [
        ("longtext", "xomni_textbench/text_prompts.jsonl", EN.0, EN.1),
        (
            "longtext-zh",
            "xomni_textbench/text_prompts_zh.jsonl",
            ZH.0,
            ZH.1,
        ),
    ] {
        let path = data().join(file);
        let set = suite::items(&suite(name), Some(&path), &none).unwrap();
        assert_eq!(set.items.len(), 160);
        let texts: Vec<String> = set
            .items
            .iter()
            .map(|item| {
                let texts = item.expect["texts"].as_array().unwrap().iter();
                texts
                    .map(|text| text.as_str().unwrap())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        let all = texts.iter().flat_map(|text| text.split_whitespace());
        assert_eq!(all.clone().count(), words);
        assert_eq!(
            all.map(|word| word.chars().count()).sum::<usize>(),
            characters
        );
    }
    let path = data().join("geneval/evaluation_metadata_long.jsonl");
    let set = suite::items(&suite("geneval-long"), Some(&path), &none).unwrap();
    assert_eq!(set.items.len(), 553);
    let short = suite::items(&suite("geneval"), None, &none).unwrap();
    for (long, short) in set.items.iter().zip(&short.items) {
        assert_eq!((&long.item, &long.tags), (&short.item, &short.tags));
        assert_eq!(long.expect["include"], short.expect["include"]);
    }
}

const EN: (usize, usize) = (4316, 25295);
const ZH: (usize, usize) = (777, 8421);

#[test]
#[ignore = "needs the benchmarks' own files: UNIGAUGE_TEST_DATA=DIR cargo test published:: -- --ignored"]
fn dpg_prompts_are_the_same_from_the_folder_and_from_the_json_file() {
    let none = Assets(PathBuf::new());
    let prompts = data().join("dpg_bench/prompts");
    let json = data().join("dpg_bench/uniworld_dpgbench_prompts.json");
    let folder = Folder::new();
    let suite = folder.suite("file = 'prompts'\nmap = { id = '{id}' }");
    let files = suite::items(&suite, Some(&prompts), &none).unwrap();
    assert_eq!(files.items.len(), 1065);
    let suite = folder.suite("file = 'prompts'\nmap = { id = '{@key:stem}' }");
    let keyed = suite::items(&suite, Some(&json), &none).unwrap();
    let by_id = |set: &ItemSet| -> BTreeMap<String, String> {
        let pairs = set
            .items
            .iter()
            .map(|item| (item.item.clone(), item.prompt.trim().to_owned()));
        pairs.collect()
    };
    assert_eq!(by_id(&files), by_id(&keyed));
}

/// Control totals of the benchmark: 4263 English words and 7944 Chinese characters.
#[test]
#[ignore = "needs the benchmarks' own files: UNIGAUGE_TEST_DATA=DIR cargo test published:: -- --ignored"]
fn longtext_counts_the_published_prompts() {
    let folder = data().join("xomni_textbench");
    let rule = rule("longtext", "");
    for (file, language, total) in [
        ("text_prompts.jsonl", "en", 4263.0),
        ("text_prompts_zh.jsonl", "zh", 7944.0),
    ] {
        let mut units = 0.0;
        for (at, line) in lines(&folder.join(file)).iter().enumerate() {
            let name = at.to_string();
            let items = [item(
                &name,
                json!({"texts": line["text"], "language": language}),
                json!({}),
            )];
            let whole: Vec<&str> = line["text"]
                .as_array()
                .expect("texts")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let seen = [evidence(&name, 0, json!({"text": whole.join("\n")}))];
            let grade = grade::grade_all(&*rule, &items, 1, None, &seen).remove(0);
            assert_eq!(grade.score, Some(1.0), "{file} {at}");
            units += grade.parts["reference"];
        }
        assert_eq!(units, total, "{file}");
    }
}

#[test]
#[ignore = "needs the benchmarks' own files: UNIGAUGE_TEST_DATA=DIR cargo test published:: -- --ignored"]
fn suites_read_the_published_files() {
    let dir = tempfile::tempdir().unwrap();
    let items = |suite: &str, files: &[(&str, &str)]| -> Vec<Value> {
        let mut command = unigauge(dir.path());
        for (asset, file) in files {
            let variable = format!("UNIGAUGE_ASSET_{}", asset.to_uppercase().replace('-', "_"));
            command.env(variable, data().join(file));
        }
        let output = command.args(["items", suite]).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let count = |items: &[Value], tag: &str| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for item in items {
            *counts
                .entry(item["tags"][tag].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        counts
    };
    let imgedit = items(
        "imgedit",
        &[("imgedit-basic", "imgedit_bench/basic_edit.json")],
    );
    assert_eq!(
        json!(count(&imgedit, "edit_type")),
        json!({"action": 36, "add": 95, "adjust": 94, "background": 94, "compose": 23, "extract": 117,
            "remove": 86, "replace": 92, "style": 100})
    );
    assert_eq!(
        (&imgedit[0]["item"], &imgedit[0]["images"]),
        (&json!("1082"), &json!(["animal/000342021.jpg"]))
    );
    let gedit = items(
        "gedit-en",
        &[("gedit-bench-en", "gedit_bench/gedit_edit.json")],
    );
    assert_eq!(
        (gedit.len(), count(&gedit, "edit_type")["subject-remove"]),
        (604, 55)
    );
    let wise = items(
        "wise",
        &[
            ("wise-culture", "wise/cultural_common_sense.json"),
            (
                "wise-spatio-temporal",
                "wise/spatio-temporal_reasoning.json",
            ),
            ("wise-science", "wise/natural_science.json"),
        ],
    );
    insta::assert_compact_json_snapshot!(count(&wise, "category"), @r#"{"Biology": 100, "Chemistry": 100, "Cultural knowledge": 400, "Physical Knowledge": 100, "Space": 133, "time": 167}"#);
    let ids: Vec<String> = (1..=1000).map(|id: u32| id.to_string()).collect();
    assert!(
        wise.iter()
            .map(|item| item["item"].as_str().unwrap())
            .eq(ids.iter().map(String::as_str))
    );
}

#[test]
#[ignore = "needs the benchmarks' own files: UNIGAUGE_TEST_DATA=DIR cargo test published:: -- --ignored"]
fn files_at_hand_are_taken_for_assets() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("UNIGAUGE_DATA".to_owned(), data().display().to_string())];
    let hub = Hub::new(HubOptions {
        cache: Some(folder.path().to_owned()),
        offline: true,
        environment: environment.into_iter().collect(),
        ..HubOptions::default()
    })
    .unwrap();
    for id in ["longtext-bench-en", "longtext-bench-zh", "geneval-long"] {
        let path = hub.ensure(id).unwrap();
        let size = fs::metadata(path).unwrap().len();
        assert_eq!(Some(size), hub.table().get(id).unwrap().pinned_size());
    }
}
