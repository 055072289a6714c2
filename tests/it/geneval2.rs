//! GenEval 2: Soft-TIFA on written evidence, and from a picture to its score with the tiny Qwen3-VL.

use crate::grading::{evidence, item, rule};
use crate::qwen3_vl::{LIMITS, checkpoint, picture};
use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use unigauge::grade::{self, Board, Rule};
use unigauge::record::{Grade, Item};

fn asked() -> Value {
    json!({"vqa_list": [["Is there a cat?", "Yes"], ["How many cats are there?", "two"], ["Is it black?", "Yes"]],
        "skills": ["object", "count", "object"], "atom_count": 3})
}

/// The third question's first token is "no"; its forms have the rest.
fn seen() -> Value {
    let yes = ["Yes", "yes", " yes", " Yes"];
    let two = ["two", "Two", " two", " Two", "2", " 2"];
    json!({"engine": "qwen3-vl", "k": 2, "answers": {"0": "Yes", "1": "2", "2": " no"}, "first": {
        "0": {"texts": yes, "forms": [1, 2, 3, 4], "p": {"1": 0.5, "2": 0.25, "3": 0.0625, "4": 0.0},
              "words": {"1": "Yes", "2": "yes", "3": " yes", "4": " Yes"}, "top": [1, 2]},
        "1": {"texts": two, "forms": [5, 6, 7, 7, 8, 220], "p": {"7": 0.125, "8": 0.25, "220": 0.125, "9": 0.375},
              "words": {"7": " two", "8": "2", "220": " ", "9": "3"}, "top": [9, 8]},
        "2": {"texts": yes, "forms": [1, 2, 3, 4], "p": {"1": 0.125, "9": 0.875}, "words": {}, "top": [9, 1]}}})
}

fn judged(rule: &dyn Rule, seen: Value) -> Grade {
    let items = [item("a", asked(), json!({}))];
    grade::grade_all(rule, &items, 1, None, &[evidence("a", 0, seen)]).remove(0)
}

fn near(got: f64, want: f64) {
    assert!((got - want).abs() < 1e-12, "{got} {want}");
}

#[test]
fn questions_are_sums_and_prompts_are_means() {
    let official = rule("geneval2", "");
    let grade = judged(&*official, seen());
    // The third and fourth form of "two" share a token, which counts twice, and the lone blank counts.
    let soft: [f64; 3] = [0.8125, 0.125 + 0.125 + 0.25 + 0.125, 0.125];
    let gm = (soft[0] * soft[1] * soft[2]).cbrt();
    let am = soft.iter().sum::<f64>() / 3.0;
    near(grade.score.unwrap(), gm);
    near(grade.parts["gm"], gm);
    near(grade.parts["am"], am);
    near(grade.parts["skill object"], (soft[0] + soft[2]) / 2.0);
    near(grade.parts["skill count"], soft[1]);
    // `yes` and `2` are accepted words in small letters; ` no` is not.
    near(grade.parts["tifa"], 2.0 / 3.0);
    assert!(grade.reason.contains("Is it black?"), "{}", grade.reason);
    assert!(
        !grade.reason.contains("Is there a cat?"),
        "{}",
        grade.reason
    );

    let arithmetic = rule("geneval2", "mean = \"arithmetic\"");
    near(judged(&*arithmetic, seen()).score.unwrap(), am);
    let strict = rule("geneval2", "variant = \"strict\"");
    let grade = judged(&*strict, seen());
    near(grade.parts["skill count"], 0.125 + 0.25);
}

#[test]
fn metrics_are_means_over_prompts_and_over_questions() {
    let official = rule("geneval2", "");
    let one =
        json!({"vqa_list": [["Is there a dog?", "Yes"]], "skills": ["object"], "atom_count": 4});
    let items: [Item; 2] = [
        item("a", asked(), json!({})),
        item("b", one, json!({"atoms": "4"})),
    ];
    let certain = json!({"answers": {"0": "Yes"}, "first": {"0": {"texts": ["Yes", "yes"], "forms": [1, 2], "p": {"1": 1.0, "2": 0.0}}}});
    let all = [evidence("a", 0, seen()), evidence("b", 0, certain)];
    let grades = grade::grade_all(&*official, &items, 1, None, &all);
    let board = Board {
        model: "m",
        root: Path::new(""),
        items: &items,
        outputs: None,
        evidence: &all,
        grades: &grades,
    };
    let metrics = official.metrics(&board);
    let gm = (0.8125_f64 * 0.625 * 0.125).cbrt();
    near(metrics["soft-tifa gm"], (gm + 1.0) / 2.0);
    near(metrics["soft-tifa am"], (1.5625 / 3.0 + 1.0) / 2.0);
    near(metrics["tifa"], (2.0 / 3.0 + 1.0) / 2.0);
    // Three questions of objects in two prompts.
    near(metrics["skill object"], (0.8125 + 0.125 + 1.0) / 3.0);
}

#[test]
fn evidence_that_cannot_be_graded_is_no_zero() {
    let official = rule("geneval2", "");
    let why = |seen: Value| {
        let grade = judged(&*official, seen);
        assert_eq!(grade.score, None);
        grade.unscored.unwrap()
    };
    let words = why(json!({"answers": {"0": "yes", "1": "two", "2": "no"}}));
    assert!(
        words.contains("without their probabilities") && words.contains("qwen-first-token"),
        "{words}"
    );
    let mut part = seen();
    part["first"].as_object_mut().unwrap().remove("1");
    let words = why(part);
    assert!(words.contains("question 1 has no probabilities"), "{words}");
    let mut broken = seen();
    broken["first"]["0"]["p"]["1"] = json!(1.5);
    let words = why(broken);
    assert!(words.contains("no probability"), "{words}");
}

/// A suite of one item that `observer` looks at.
fn suite(dir: &Path, name: &str, item: &Value, observer: &str, rest: &str) {
    fs::write(dir.join(format!("{name}.jsonl")), format!("{item}\n")).unwrap();
    let text = format!(
        "name = {name:?}\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [{observer:?}]\n\n\
         [items]\nfile = \"{name}.jsonl\"\n{rest}\n[observe.{observer}]\ncheckpoint = \"tiny\"\n{LIMITS}"
    );
    fs::write(dir.join(format!("{name}.toml")), text).unwrap();
}

fn observe(dir: &Path, name: &str) -> Value {
    let output = unigauge(dir)
        .args([
            "observe", "--device", "cpu", "--images", "images", "--suite",
        ])
        .arg(format!("{name}.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let run = dir.join(format!("results/{name}/folder/seed0"));
    lines(&run.join("evidence.jsonl")).remove(0)["evidence"].take()
}

#[test]
fn a_picture_is_judged_by_the_probabilities_of_first_tokens() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    fs::create_dir(dir.path().join("images")).unwrap();
    picture(&dir.path().join("images/i0.png"), 40);
    let item = json!({"id": "i0", "prompt": "two signs", "atom_count": 3, "skills": ["object", "count"],
        "vqa_list": [["Is there a sign?", "Yes"], ["How many signs are there?", "two"]]});
    let rest = "\n[items.map]\nexpect = [\"vqa_list\", \"skills\", \"atom_count\"]\ntags = { atoms = \"atom_count\" }\n\n\
                [grade]\nrule = \"geneval2\"\n\n[report]\ngroup_by = [\"atoms\"]\n";
    suite(dir.path(), "own", &item, "qwen-first-token", rest);
    let seen = observe(dir.path(), "own");
    assert_eq!(
        (&seen["engine"], &seen["k"]),
        (&json!("qwen3-vl"), &json!(20))
    );
    // The made tokenizer has a token for each character, from the blank on: the two forms with a blank share
    // their first token.
    let id = |letter: char| u32::from(letter) - 32;
    let [yes, count] = ["0", "1"].map(|at| &seen["first"][at]);
    assert_eq!(yes["forms"], json!([id('Y'), id('y'), 0, 0]));
    let two = [id('t'), id('T'), 0, 0, id('2'), 0];
    assert_eq!(count["forms"], json!(two));
    assert_eq!(count["texts"][5], " 2");
    assert_eq!(yes["words"]["0"], " ");
    assert_eq!(yes["top"].as_array().unwrap().len(), 20);
    let p = |question: &Value, id: u32| question["p"][id.to_string()].as_f64().unwrap();
    let total: f64 = (yes["p"].as_object().unwrap().values())
        .map(|p| p.as_f64().unwrap())
        .sum();
    assert!(total > 0.0 && total < 1.0 + 1e-5, "{total}");

    // The observer of VQAScore says the same of the first token of "Yes".
    let item = json!({"id": "i0", "prompt": "Is there a sign?"});
    let rest = "\n[grade]\nrule = \"measure\"\n\n[grade.options]\nkey = \"vqascore\"\n";
    suite(dir.path(), "other", &item, "qwen-vqascore", rest);
    let file = dir.path().join("other.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + "prompt = \"{prompt} Answer in one word.\"\n").unwrap();
    let likely = observe(dir.path(), "other");
    assert_eq!(likely["vqascore"], yes["p"][id('Y').to_string()]);

    let run = dir.path().join("results/own/folder/seed0");
    let first = p(yes, id('Y')) + p(yes, id('y')) + 2.0 * p(yes, 0);
    let second = p(count, id('t')) + p(count, id('T')) + p(count, id('2')) + 3.0 * p(count, 0);
    let summary: Value =
        serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
    near(
        summary["overall"]["value"].as_f64().unwrap(),
        (first * second).sqrt(),
    );
    let metrics = &summary["metrics"];
    near(
        metrics["soft-tifa am"].as_f64().unwrap(),
        (first + second) / 2.0,
    );
    near(metrics["skill count"].as_f64().unwrap(), second);
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    assert!(manifest.contains("answered by tiny in f32"), "{manifest}");
}

#[test]
fn a_prompt_without_the_question_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    fs::create_dir(dir.path().join("images")).unwrap();
    picture(&dir.path().join("images/i0.png"), 40);
    let item = json!({"id": "i0", "prompt": "a sign", "atom_count": 3, "skills": ["object"],
        "vqa_list": [["Is there a sign?", "Yes"]]});
    let rest =
        "\n[items.map]\nexpect = [\"vqa_list\", \"skills\"]\n\n[grade]\nrule = \"geneval2\"\n";
    suite(dir.path(), "own", &item, "qwen-first-token", rest);
    let file = dir.path().join("own.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + "prompt = \"Answer.\"\n").unwrap();
    let output = unigauge(dir.path())
        .args(["observe", "--device", "cpu", "--images", "images"])
        .args(["--suite", "own.toml"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(said.contains("{question}"), "{said}");
}
