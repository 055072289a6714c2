//! Results in the forms of other programs, held against what those document.

use crate::support::{files_below, lines, model, stderr, text_suite, unigauge};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

const RUN: &str = "results/questions/echo/seed0";

/// A run of twelve questions, of which six are answered right.
fn bench() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 12);
    model(dir.path(), "echo", "echo", "");
    unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .assert()
        .code(0);
    dir
}

fn export(dir: &Path, arguments: &[&str]) -> Output {
    unigauge(dir)
        .arg("export")
        .args(arguments)
        .output()
        .unwrap()
}

/// The only file below a folder whose name ends so.
fn only_file(folder: &Path, end: &str) -> PathBuf {
    let mut found = files_below(folder);
    found.retain(|path| path.to_str().unwrap().ends_with(end));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn manifest(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join(RUN).join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn the_hub_s_file_has_the_keys_that_it_documents() {
    let dir = bench();
    let output = export(
        dir.path(),
        &[
            "hub",
            RUN,
            "--dataset",
            "lab/questions",
            "--revision",
            "abc",
            "--source-url",
            "https://example.org/a: b",
            "--source-name",
            "Report \"one\"",
            "--user",
            "me",
            "-o",
            "out",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let path = dir
        .path()
        .join("out/echo/.eval_results/questions_seed0.yaml");
    let text = fs::read_to_string(path).unwrap();
    let file: Value = serde_saphyr::from_str(&text).unwrap();
    let [entry] = file.as_array().unwrap().as_slice() else {
        panic!("{text}")
    };
    assert_eq!(
        entry["dataset"],
        json!({"id": "lab/questions", "task_id": "questions", "revision": "abc"})
    );
    assert_eq!(entry["value"], 0.5);
    assert_eq!(
        entry["source"],
        json!({"url": "https://example.org/a: b", "name": "Report \"one\"", "user": "me"})
    );
    assert_eq!(
        keys(entry),
        BTreeSet::from(["dataset", "value", "date", "source", "notes"])
    );
    let date = entry["date"].as_str().unwrap();
    assert!(
        date.ends_with('Z') && date.len() == "2026-01-31T00:00:00Z".len(),
        "{date}"
    );
    let notes = entry["notes"].as_str().unwrap();
    assert!(
        notes.contains("12 items") && notes.contains("95 % interval"),
        "{notes}"
    );

    // Only what must be there.
    let output = export(
        dir.path(),
        &[
            "hub",
            RUN,
            "--dataset",
            "lab/q",
            "--task-id",
            "t",
            "-o",
            "few",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = fs::read_to_string(only_file(&dir.path().join("few"), ".yaml")).unwrap();
    let file: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(file[0]["dataset"], json!({"id": "lab/q", "task_id": "t"}));
    assert_eq!(
        keys(&file[0]),
        BTreeSet::from(["dataset", "value", "date", "notes"])
    );
}

/// The keys that version 0.3.0 of the schema allows at the top, and those that it requires.
#[test]
fn every_eval_ever_gets_numbers_with_their_uncertainty_and_a_line_for_each_output() {
    let dir = bench();
    let arguments = [
        "eee",
        RUN,
        "--model-id",
        "lab/echo-1",
        "--organization",
        "Lab",
        "--relationship",
        "first-party",
        "-o",
        "out",
    ];
    let output = export(dir.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let folder = dir.path().join("out/data/questions/lab/echo-1");
    let path = only_file(&folder, ".json");
    let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let top = BTreeSet::from([
        "schema_version",
        "evaluation_id",
        "evaluation_timestamp",
        "retrieved_timestamp",
        "source_metadata",
        "model_info",
        "eval_library",
        "evaluation_results",
        "detailed_evaluation_results",
    ]);
    assert_eq!(keys(&file), top);
    assert_eq!(file["schema_version"], "0.3.0");
    assert!(
        file["retrieved_timestamp"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .is_ok()
    );
    assert_eq!(file["source_metadata"]["source_type"], "evaluation_run");
    assert_eq!(
        file["source_metadata"]["evaluator_relationship"],
        "first_party"
    );
    assert_eq!(file["model_info"]["id"], "lab/echo-1");
    for key in ["deployment_type", "model_availability"] {
        assert_eq!(file["model_info"]["additional_details"][key], "unknown");
    }
    let results = file["evaluation_results"].as_array().unwrap();
    let names: Vec<&str> = results
        .iter()
        .map(|one| one["evaluation_name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["questions", "questions.kind.three", "questions.kind.other"]
    );
    for result in results {
        assert_eq!(result["metric_config"]["lower_is_better"], false);
        assert_eq!(result["source_data"]["source_type"], "other");
        let details = &result["score_details"];
        assert!(details["score"].is_number());
        assert!(
            details["details"]
                .as_object()
                .unwrap()
                .values()
                .all(Value::is_string)
        );
        assert!(
            details["uncertainty"]["standard_error"]["value"].is_number(),
            "{details}"
        );
    }
    let uncertainty = &results[0]["score_details"]["uncertainty"];
    assert_eq!(results[0]["score_details"]["score"], 0.5);
    assert_eq!(
        (
            &uncertainty["num_samples"],
            &uncertainty["confidence_interval"]["confidence_level"]
        ),
        (&json!(12), &json!(0.95))
    );
    let error = uncertainty["standard_error"]["value"].as_f64().unwrap();
    assert!((error - (3.0_f64 / 132.0).sqrt()).abs() < 1e-12, "{error}");

    let samples = only_file(&folder, "_samples.jsonl");
    let detailed = &file["detailed_evaluation_results"];
    let stem = path.file_stem().unwrap().to_str().unwrap();
    assert_eq!(
        samples.file_name().unwrap().to_str().unwrap(),
        format!("{stem}_samples.jsonl")
    );
    let below = samples.strip_prefix(dir.path().join("out")).unwrap();
    assert_eq!(detailed["file_path"], below.to_str().unwrap());
    let sum = unigauge::files::sha256_of_file(&samples).unwrap();
    assert_eq!(
        (&detailed["checksum"], &detailed["total_rows"]),
        (&json!(sum), &json!(12))
    );
    let rows = lines(&samples);
    assert_eq!(rows.len(), 12);
    for row in &rows {
        let allowed = BTreeSet::from([
            "schema_version",
            "evaluation_id",
            "model_id",
            "evaluation_name",
            "evaluation_result_id",
            "sample_id",
            "sample_hash",
            "interaction_type",
            "input",
            "output",
            "answer_attribution",
            "evaluation",
            "performance",
            "metadata",
        ]);
        assert!(keys(row).is_subset(&allowed), "{row}");
        assert_eq!(row["evaluation_id"], file["evaluation_id"]);
        assert_eq!(
            row["evaluation_result_id"],
            results[0]["evaluation_result_id"]
        );
        assert!(
            row["metadata"]
                .as_object()
                .unwrap()
                .values()
                .all(Value::is_string)
        );
    }
    assert_eq!(
        rows[0]["input"],
        json!({"raw": "say number 0", "reference": ["number 0"]})
    );
    assert_eq!(rows[0]["output"]["raw"], json!(["say number 0"]));
    assert_eq!(
        rows[0]["evaluation"],
        json!({"score": 1.0, "is_correct": true})
    );
    assert_eq!(
        rows[1]["evaluation"],
        json!({"score": 0.0, "is_correct": false})
    );

    // The same run gives the same files.
    let before = fs::read(&path).unwrap();
    assert_eq!(export(dir.path(), &arguments).status.code(), Some(0));
    assert_eq!(fs::read(only_file(&folder, ".json")).unwrap(), before);
}

#[test]
fn outputs_without_a_score_have_no_line_and_are_counted() {
    let dir = bench();
    let script = "while IFS= read -r line; do\nid=$(printf '%s' \"$line\" | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/')\n\
                  case $id in q[024]*) printf '{\"id\":\"%s\",\"text\":\"number 2\"}\\n' \"$id\";; \
                  *) printf '{\"id\":\"%s\",\"error\":\"no\"}\\n' \"$id\";; esac\ndone\n";
    fs::write(dir.path().join("half.sh"), script).unwrap();
    model(
        dir.path(),
        "half",
        "command",
        "program = [\"sh\", \"half.sh\"]",
    );
    unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./half.toml"])
        .assert()
        .code(5);
    let run = "results/questions/half/seed0";
    let output = export(
        dir.path(),
        &[
            "eee",
            run,
            "--model-id",
            "lab/half",
            "--organization",
            "Lab",
            "-o",
            "out",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let file = only_file(&dir.path().join("out"), ".json");
    let file: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let detailed = &file["detailed_evaluation_results"];
    let scored = lines(&dir.path().join(run).join("grades.jsonl"));
    let scored = scored
        .iter()
        .filter(|grade| grade["score"].is_number())
        .count();
    assert_eq!(detailed["total_rows"], scored);
    assert_eq!(detailed["additional_details"]["outputs_expected"], "12");
    let failed: usize = detailed["additional_details"]["outputs_failed"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(failed > 0);
    let output = export(dir.path(), &["hub", run, "--dataset", "lab/q", "-o", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = fs::read_to_string(only_file(&dir.path().join("out"), ".yaml")).unwrap();
    assert!(text.contains("partial: "), "{text}");
    let said = stderr(&output);
    assert!(said.contains("is partial: "), "{said}");
}

#[test]
fn trackers_get_flat_numbers_with_names_that_they_take() {
    let dir = bench();
    unigauge(dir.path())
        .args([
            "run",
            "./questions.toml",
            "--model",
            "./echo.toml",
            "--seed",
            "1",
        ])
        .assert()
        .code(0);
    let later = "results/questions/echo/seed1";
    let output = export(
        dir.path(),
        &["metrics", later, RUN, "-o", "new/metrics.jsonl"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found = lines(&dir.path().join("new/metrics.jsonl"));
    let steps: Vec<(&str, u64)> = (found.iter())
        .map(|line| {
            (
                line["name"].as_str().unwrap(),
                line["step"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        steps,
        [("questions/echo/seed0", 0), ("questions/echo/seed1", 1)]
    );
    // The steps of a training are those of the names, in whichever order the runs were made.
    for run in ["step-00000200", "step-00000100"] {
        unigauge(dir.path())
            .args([
                "run",
                "./questions.toml",
                "--model",
                "./echo.toml",
                "--run",
                run,
            ])
            .assert()
            .code(0);
    }
    let of = |run: &str| format!("results/questions/echo/{run}");
    let named = [of("step-00000200"), of("step-00000100")];
    let output = export(
        dir.path(),
        &["metrics", &named[0], &named[1], "-o", "steps.jsonl"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for line in lines(&dir.path().join("steps.jsonl")) {
        let step = if line["name"] == "questions/echo/step-00000200" {
            200
        } else {
            100
        };
        assert_eq!(line["step"], step, "{line}");
    }
    let name = regex::Regex::new("^[A-Za-z0-9_./ -]+$").unwrap();
    for line in &found {
        for (metric, value) in line["metrics"].as_object().unwrap() {
            assert!(
                value.is_number() && name.is_match(metric),
                "{metric}: {value}"
            );
        }
        assert!(
            line["config"]
                .as_object()
                .unwrap()
                .values()
                .all(|value| !value.is_object())
        );
    }
    let metrics = &found[0]["metrics"];
    assert_eq!(metrics["questions/overall"], 0.5);
    assert_eq!(metrics["questions/kind/three"], 0.5);
    assert_eq!(metrics["questions/outputs/scored"], 12.0);
    assert!(metrics["questions/overall_stderr"].is_number());
    assert_eq!(found[0]["config"]["seed"], manifest(dir.path())["seed"]);
}

#[test]
fn what_an_export_cannot_know_is_asked_for() {
    let dir = bench();
    for (arguments, said) in [
        (vec!["hub", RUN, "-o", "out"], "--dataset"),
        (
            vec!["hub", RUN, "--dataset", "noname", "-o", "out"],
            "an owner and a name",
        ),
        (
            vec!["eee", RUN, "--organization", "Lab", "-o", "out"],
            "--model-id",
        ),
        (
            vec!["hub", RUN, "--dataset", "a/b", "--user", "me", "-o", "out"],
            "--source-url",
        ),
        (vec!["metrics", "nowhere", "-o", "out"], "nowhere"),
    ] {
        let output = export(dir.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            stderr(&output).contains(said),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
    // The id of a model is that of one model.
    model(dir.path(), "other", "echo", "");
    unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./other.toml"])
        .assert()
        .code(0);
    let output = export(
        dir.path(),
        &[
            "eee",
            RUN,
            "results/questions/other/seed0",
            "--model-id",
            "a/b",
            "--organization",
            "L",
            "-o",
            "out",
        ],
    );
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("several models: echo, other"),
        "{}",
        stderr(&output)
    );
}
