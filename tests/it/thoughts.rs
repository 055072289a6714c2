//! What a reasoning model says before its answer is no answer, no text of a picture and no score of a judge.

use crate::http::{Reply, Server};
use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use unigauge::config::Settings;
use unigauge::grade;
use unigauge::observe::OBSERVERS;
use unigauge::record::evidence::LANGUAGE_MODEL_READERS;
use unigauge::record::{Evidence, Grade, Item, Output};

fn report(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/reports")
        .join(name)
}

fn summary(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap()
}

/// Grades loose records with the program; its exit code, and the folder of the result.
fn graded(dir: &Path, suite: &str, files: &[(&str, &Path)], code: i32) -> PathBuf {
    let out = dir.join("out");
    let mut command = unigauge(dir);
    command.args(["grade", "--suite", suite, "--out"]).arg(&out);
    for (option, file) in files {
        command.arg(option).arg(file);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    out
}

/// Grades one text.
fn said(rule: &str, options: &str, expect: &Value, text: &str) -> Grade {
    let settings: Settings = toml::from_str(options).unwrap();
    let rule = grade::build(rule, &settings).unwrap();
    let item = json!({"item": "a", "task": "understand", "prompt": "p", "expect": expect});
    let output = json!({"item": "a", "repeat": 0, "seed": 1, "kind": "text", "text": text});
    let items: [Item; 1] = [serde_json::from_value(item).unwrap()];
    let outputs: [Output; 1] = [serde_json::from_value(output).unwrap()];
    grade::grade_all(&*rule, &items, 1, Some(&outputs), &[]).remove(0)
}

fn judged(rule: &str, expect: &Value, calls: &Value) -> Grade {
    let rule = grade::build(rule, &Settings::default()).unwrap();
    let item = json!({"item": "a", "task": "edit", "prompt": "p", "expect": expect});
    let seen =
        json!({"item": "a", "observer": "judge", "evidence": {"model": "m", "calls": calls}});
    let items: [Item; 1] = [serde_json::from_value(item).unwrap()];
    let seen: [Evidence; 1] = [serde_json::from_value(seen).unwrap()];
    grade::grade_all(&*rule, &items, 1, None, &seen).remove(0)
}

#[test]
fn the_answer_behind_a_thought_is_graded_and_the_summary_counts_it() {
    let (dir, from) = (tempfile::tempdir().unwrap(), report("02-thoughts-graded"));
    let suite = from.join("choice.toml");
    let files = [
        ("--items", from.join("items.jsonl")),
        ("--outputs", from.join("outputs.jsonl")),
    ];
    let files = files
        .each_ref()
        .map(|(option, file)| (*option, file.as_path()));
    let out = graded(dir.path(), suite.to_str().unwrap(), &files, 0);
    let grades = lines(&out.join("grades.jsonl"));
    assert_eq!(
        (&grades[0]["score"], &grades[1]["score"]),
        (&json!(1.0), &json!(0.0))
    );
    for grade in &grades {
        let reason = grade["reason"].as_str().unwrap();
        assert!(
            reason.contains("a thought beside the answer was left out"),
            "{reason}"
        );
    }
    let notes = summary(&out)["notes"].to_string();
    assert!(
        notes.contains("2 of 2 outputs: a thought beside the answer"),
        "{notes}"
    );
}

#[test]
fn words_of_a_thought_are_not_what_a_model_read_and_the_official_file_says_what_was_graded() {
    let (dir, from) = (tempfile::tempdir().unwrap(), report("02-thoughts-graded"));
    let (items, outputs) = (from.join("ocr-items.jsonl"), from.join("ocr-outputs.jsonl"));
    let files = [
        ("--items", items.as_path()),
        ("--outputs", outputs.as_path()),
    ];
    let out = graded(dir.path(), "ocrbench", &files, 0);
    assert_eq!(lines(&out.join("grades.jsonl"))[0]["score"], 0.0);
    let notes = summary(&out)["notes"].to_string();
    assert!(
        notes.contains("1 of 1 output: a thought beside the answer"),
        "{notes}"
    );
    let official = fs::read(out.join("official/OCRBench.json")).unwrap();
    let official: Value = serde_json::from_slice(&official).unwrap();
    assert_eq!(official[0]["predict"], "BRIDGET STREET");
    assert_eq!(official[0]["result"], 0);
}

/// Every rule that reads an output's text, with an answer that is right and the thought's words that are
/// wrong.
#[test]
fn no_rule_reads_a_thought() {
    let choice = json!({"options": ["an apple", "a pear"], "answer": "B"});
    let cases = [
        (
            "exact-match",
            "",
            json!({"answers": ["pear"]}),
            "apple",
            "pear",
        ),
        (
            "contains",
            "",
            json!({"answers": ["pear"]}),
            "apple",
            "a pear",
        ),
        ("anls", "", json!({"answers": ["pear"]}), "apple", "pear"),
        (
            "edit-distance",
            "",
            json!({"answers": ["pear"]}),
            "apple",
            "pear",
        ),
        (
            "accuracy",
            "",
            json!({"answers": ["pear"]}),
            "apple",
            "pear",
        ),
        ("numeric", "", json!({"answers": [12]}), "13", "12"),
        (
            "numeric",
            "which = 'first'",
            json!({"answers": [12]}),
            "13",
            "12",
        ),
        (
            "relaxed-accuracy",
            "",
            json!({"answers": ["0.5"]}),
            "0.7",
            "0.5",
        ),
        (
            "vqa-accuracy",
            "",
            json!({"answers": vec!["pear"; 10]}),
            "apple",
            "pear",
        ),
        (
            "multiple-choice",
            "",
            choice.clone(),
            "The answer is A.",
            "B",
        ),
        ("mmmu", "", choice, "The answer is A.", "B"),
        (
            "mmmu",
            "",
            json!({"answers": ["0.28"]}),
            "So x is 0.9.",
            "x = 0.28",
        ),
        (
            "yes-no",
            "",
            json!({"answers": "yes"}),
            "No, it is not.",
            "Yes",
        ),
        (
            "yes-no",
            "reading = 'official'",
            json!({"answers": "yes"}),
            "There is no dog",
            "Yes",
        ),
        (
            "ocrbench",
            "",
            json!({"answers": ["OPEN"], "dataset": "IIIT5K", "type": "Regular Text Recognition"}),
            "SHUT",
            "open",
        ),
        (
            "ocrbench-v2",
            "",
            json!({"type": "text recognition en", "question": "?", "answers": ["OPEN"], "dataset_name": "x"}),
            "SHUT",
            "OPEN",
        ),
        (
            "page-ocr",
            "",
            json!({"answers": ["the shop is open every day"]}),
            "shut",
            "the shop is open every day",
        ),
    ];
    for (rule, options, expect, wrong, right) in cases {
        let plain = said(rule, options, &expect, right);
        assert!(
            plain.score.unwrap() > 0.7 && plain.extra.is_empty(),
            "{rule}: {plain:?}"
        );
        for (reply, score) in [
            (
                format!("<think>\n{wrong}\n</think>\n\n{right}"),
                plain.score,
            ),
            (format!("{wrong}\n</think>\n\n{right}"), plain.score),
            (format!("[THINK]{wrong}[/THINK]{right}"), plain.score),
            (
                format!("<think>{right}</think>\n{wrong}"),
                said(rule, options, &expect, wrong).score,
            ),
        ] {
            let grade = said(rule, options, &expect, &reply);
            assert_eq!(grade.score, score, "{rule}: {reply}: {grade:?}");
            assert!(
                grade
                    .reason
                    .contains("a thought beside the answer was left out"),
                "{rule}: {}",
                grade.reason
            );
            assert!(grade.extra.contains_key("notes"), "{rule}");
        }
        // A thought that nothing closes holds no answer, even a right one.
        for reply in [
            format!("<think>\n{right}"),
            format!("<think>{right}</think>\n"),
        ] {
            let grade = said(rule, options, &expect, &reply);
            assert_eq!(grade.score, None, "{rule}: {grade:?}");
            assert!(grade.unscored.unwrap().contains("no answer came"), "{rule}");
            assert_eq!(
                grade.extra["notes"],
                json!(["no answer came, only a thought"]),
                "{rule}"
            );
        }
    }
}

#[test]
fn the_marks_of_many_models_are_known() {
    let choice = json!({"options": ["an apple", "a pear"], "answer": "B"});
    for reply in [
        "<thinking>A</thinking>\nB",
        "<Thought lang=\"en\">A</Thought>B",
        "<reasoning>The answer is A</reasoning>\n\nB",
        "<think>A?</think>\n<reflection>No.</reflection>\nB",
        "<seed:think>A</seed:think>B",
        "<|begin_of_thought|>A<|end_of_thought|>\n\n<|begin_of_solution|>B<|end_of_solution|>",
        "◁think▷A◁/think▷B",
        "<unused94>thought\nA<unused95>B",
        "<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>final<|message|>B<|return|>",
        "<|channel|>commentary<|message|>A<|end|><|channel|>final<|message|>B",
        "analysisIt could be A.assistantfinalB",
        "<think>A</think><answer>B</answer>",
        "<think>A or B?</think>\nIt is a pear, so <|begin_of_box|>B<|end_of_box|>",
        "The answer is A, I think. <answer>B</answer>",
        "<think>The template opened it already.\n<think>A</think>\n\nB",
        "B <think>or is it A?</think>",
    ] {
        let grade = said("multiple-choice", "", &choice, reply);
        assert_eq!(grade.score, Some(1.0), "{reply}: {}", grade.reason);
        assert!(grade.extra.contains_key("notes"), "{reply}");
    }
    for reply in [
        "<|channel|>analysis<|message|>The answer is B",
        "◁think▷B",
        "[THINK] B",
        "analysisWe see that it is B",
    ] {
        let grade = said("multiple-choice", "", &choice, reply);
        assert_eq!(grade.score, None, "{reply}: {}", grade.reason);
    }
    // What is only named is no mark.
    let tag = json!({"answers": ["<think>"]});
    for reply in [
        "The sign says `<think>`.",
        "The sign says <think>, in red.",
        "Between <think> and </think> stands nothing.",
    ] {
        assert_eq!(
            said("contains", "", &tag, reply).score,
            Some(1.0),
            "{reply}"
        );
    }
}

/// Observes the pictures of report 3 with a reader that says `reply`.
fn read(dir: &Path, reply: &'static str) -> (i32, PathBuf) {
    let from = report("03-reader-thoughts");
    let server = Server::start(move |_, _| {
        let message = json!({"role": "assistant", "content": reply});
        let choices = json!([{"message": message, "finish_reason": "stop"}]);
        Reply::json("200 OK", &json!({"model": "reader", "choices": choices}))
    });
    let output = unigauge(dir)
        .args(["observe", "--name", "think", "--out", "out", "--suite"])
        .arg(from.join("suite.toml"))
        .arg("--images")
        .arg(from.join("pictures"))
        .arg("--set")
        .arg(format!(
            "observe.openai-ocr.base_url=\"{}\"",
            server.url("/v1")
        ))
        .arg("observe.openai-ocr.max_attempts=1")
        .output()
        .unwrap();
    let mut runs = vec![dir.join("out")];
    while let Some(folder) = runs.pop() {
        if folder.join("evidence.jsonl").is_file() {
            return (output.status.code().unwrap(), folder);
        }
        let inner = fs::read_dir(&folder).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        runs.extend(
            inner
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.is_dir()),
        );
    }
    panic!("no evidence: {}", stderr(&output));
}

#[test]
fn a_readers_thought_is_no_text_of_the_picture() {
    let replies = [
        "<think>\nPerhaps it says FRESH BREAD DAILY, but only one word can be seen.\n</think>\n\nFRESH",
        "Perhaps FRESH BREAD DAILY.\n</think>\n\nFRESH",
        "<think>BREAD? DAILY?</think><answer>FRESH</answer>",
        "<|channel|>analysis<|message|>BREAD DAILY?<|end|><|start|>assistant<|channel|>final<|message|>FRESH",
    ];
    for reply in replies {
        let dir = tempfile::tempdir().unwrap();
        let (code, run) = read(dir.path(), reply);
        assert_eq!(code, 0);
        let seen = lines(&run.join("evidence.jsonl")).remove(0);
        assert_eq!(seen["evidence"]["text"], "FRESH", "{reply}");
        assert_eq!(seen["evidence"]["reply"], reply);
        let summary = summary(&run);
        let score = summary["overall"]["value"].as_f64().unwrap();
        assert!((score - 1.0 / 3.0).abs() < 1e-12, "{score}");
        let notes = summary["notes"].to_string();
        assert!(
            notes.contains("1 of 1 output: a reader's thought"),
            "{notes}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let (code, run) = read(dir.path(), "<think>FRESH BREAD DAILY stands there, as");
    assert_eq!(code, 5);
    let seen = lines(&run.join("evidence.jsonl")).remove(0);
    assert!(
        seen["error"]["message"]
            .as_str()
            .unwrap()
            .contains("no answer came")
    );
    assert_eq!(lines(&run.join("grades.jsonl"))[0]["score"], Value::Null);
    // A reading without a thought is kept as it always was.
    let dir = tempfile::tempdir().unwrap();
    let (_, run) = read(dir.path(), "FRESH ");
    let seen = lines(&run.join("evidence.jsonl")).remove(0);
    assert_eq!(seen["evidence"]["text"], "FRESH ");
    assert!(seen["evidence"].get("reply").is_none());
}

#[test]
fn evidence_of_others_is_parted_when_a_language_model_read_and_never_when_an_ocr_engine_did() {
    let rule = grade::build("longtext", &Settings::default()).unwrap();
    let score = |observer: &str, text: &str| {
        let expect = json!({"texts": ["</think> OPEN"], "language": "en"});
        let item = json!({"item": "a", "task": "text-to-image", "prompt": "p", "expect": expect});
        let seen =
            json!({"item": "a", "observer": observer, "evidence": {"text": text, "lines": []}});
        let items: [Item; 1] = [serde_json::from_value(item).unwrap()];
        let seen: [Evidence; 1] = [serde_json::from_value(seen).unwrap()];
        grade::grade_all(&*rule, &items, 1, None, &seen).remove(0)
    };
    // The words `think` and `OPEN` of the picture.
    let engine = score("ppocr", "</think>\nOPEN");
    assert_eq!(engine.score, Some(1.0), "{engine:?}");
    assert!(engine.extra.is_empty());
    let model = score("openai-ocr", "<think>OPEN?</think>\nSHUT");
    assert_eq!(model.score, Some(0.0), "{model:?}");
    assert!(
        model.extra["notes"]
            .to_string()
            .contains("reader's thought")
    );
    assert_eq!(score("qwen-ocr", "<think>OPEN").score, None);
}

#[test]
fn every_language_model_that_reads_is_an_observer() {
    for name in LANGUAGE_MODEL_READERS {
        assert!(OBSERVERS.iter().any(|kind| kind.name == name), "{name}");
    }
}

#[test]
fn a_judges_thought_is_no_score_whether_its_opening_tag_came_or_not() {
    let (dir, from) = (tempfile::tempdir().unwrap(), report("07-judge-closing-tag"));
    let all = "Brief reasoning: done as told.\nPrompt Compliance: 5\nVisual Naturalness: 4\nPhysical & Detail Coherence: 4";
    let server = Server::start(move |seen, _| {
        if seen.path.ends_with("/models") {
            return Reply::json("200 OK", &json!({"data": [{"id": "mock"}]}));
        }
        let asked = String::from_utf8_lossy(&seen.body).into_owned();
        let text = match (
            asked.contains("[[closing-tag]]"),
            asked.contains("Which of these two"),
        ) {
            (true, _) => format!(
                "First impression:\nPrompt Compliance: 1\nNo, the lid is there.\n</think>\n\n{all}"
            ),
            (_, true) => "second".to_owned(),
            _ if asked.contains("Answer with the one word") => "ready".to_owned(),
            _ => all.to_owned(),
        };
        let choices = json!([{"message": {"content": text}, "finish_reason": "stop"}]);
        Reply::json("200 OK", &json!({"model": "mock", "choices": choices}))
    });
    let output = unigauge(dir.path())
        .args(["observe", "--name", "lids", "--out", "out", "--suite"])
        .arg(from.join("suite.toml"))
        .arg("--images")
        .arg(from.join("after"))
        .arg("--set")
        .arg(format!(
            "observe.judge.server.base_url=\"{}\"",
            server.url("/v1")
        ))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let run = dir.path().join("out/lid/lids/seed0");
    let grades = lines(&run.join("grades.jsonl"));
    assert_eq!(
        (&grades[0]["score"], &grades[1]["score"]),
        (&json!(4.33), &json!(4.33))
    );
    assert!(
        grades[0]["reason"]
            .as_str()
            .unwrap()
            .ends_with("a thought was left out")
    );
    let notes = summary(&run)["notes"].to_string();
    assert!(
        notes.contains("1 of 2 outputs: a thought of the judge"),
        "{notes}"
    );
    let call = &lines(&run.join("evidence.jsonl"))
        .into_iter()
        .find(|seen| seen["item"] == "lid1")
        .unwrap()["evidence"]["calls"][0];
    assert_eq!(call["reply"], all);
    assert!(
        call["thinking"]
            .as_str()
            .unwrap()
            .contains("First impression")
    );
}

#[test]
fn loose_replies_of_judges_lose_their_thoughts_in_every_reading() {
    let add = json!({"edit_type": "add"});
    let all = "Prompt Compliance: 5\nVisual Naturalness: 4\nPhysical & Detail Coherence: 4";
    let thought = "Prompt Compliance: 1\nConsistency: 0\nScore: 0\n{\"score\": [1, 1]}";
    let judge = |rule: &str, expect: &Value, reply: String| {
        judged(rule, expect, &json!([{"role": "judge", "reply": reply}]))
    };
    let wise = "Consistency: 2\nRealism: 1\nAesthetic Quality: 1";
    for (open, close) in [
        ("<think>", "</think>"),
        ("", "</think>\n"),
        ("[THINK]", "[/THINK]"),
    ] {
        let reply = |words: &str| format!("{open}{thought}{close}{words}");
        let grade = judge("imgedit", &add, reply(all));
        assert_eq!(grade.score, Some(4.33), "{grade:?}");
        assert!(
            grade.extra["notes"]
                .to_string()
                .contains("a thought of the judge")
        );
        let grade = judge("wise", &json!({"prompt_id": 1}), reply(wise));
        assert_eq!(grade.parts["consistency"], 2.0, "{grade:?}");
        let pair = json!([{"role": "sc", "reply": reply("{\"score\": [8, 9]}")}, {"role": "pq", "reply": "[9, 9]"}]);
        let grade = judged("gedit", &json!({"edit_type": "text_change"}), &pair);
        assert_eq!(grade.parts["sc"], 8.0, "{grade:?}");
        assert!(
            grade.extra["notes"]
                .to_string()
                .contains("a thought of the judge")
        );
    }
    // A thought that never closes is no reply.
    for rule in ["imgedit", "wise"] {
        let grade = judge(rule, &add, format!("<think>{all}\n{wise}"));
        assert_eq!(grade.score, None, "{grade:?}");
        assert!(
            grade
                .unscored
                .unwrap()
                .starts_with("unparsed: no answer came")
        );
    }
    // The observer has left it out already.
    let calls = json!([{"role": "judge", "reply": all, "thinking": "hm"}]);
    let grade = judged("imgedit", &add, &calls);
    assert_eq!(grade.score, Some(4.33));
    assert!(
        grade.extra["notes"]
            .to_string()
            .contains("a thought of the judge")
    );
}
