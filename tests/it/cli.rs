//! The command line as a user meets it.

use crate::support::{model, stderr, text_suite, unigauge};

#[test]
fn every_help_has_examples() {
    let dir = tempfile::tempdir().unwrap();
    for command in [
        "run",
        "items",
        "generate",
        "observe",
        "grade",
        "report",
        "compare",
        "fetch",
        "check",
        "gate",
        "list",
        "merge",
        "status",
        "pull",
        "push",
        "submit slurm",
        "submit k8s",
        "submit local",
    ] {
        let output = unigauge(dir.path())
            .args(command.split(' '))
            .arg("--help")
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(
            help.contains("Examples:") && help.contains("unigauge "),
            "{command}"
        );
    }
}

#[test]
fn official_geneval_items_are_the_official_file() {
    use sha2::{Digest, Sha256};
    let dir = tempfile::tempdir().unwrap();
    let output = unigauge(dir.path())
        .args(["items", "geneval", "--official"])
        .output()
        .unwrap();
    // sha256 of prompts/evaluation_metadata.jsonl in the benchmark's repository.
    let expected = "5c48e0813e812e3c373fa5c8ed07a8f0a483be30272b4427b0559c8048e67c13";
    let digest: String = Sha256::digest(&output.stdout)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(digest, expected);
}

#[test]
fn a_suite_without_models_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let output = unigauge(dir.path())
        .args(["run", "geneval"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--model"), "{}", stderr(&output));
}

#[test]
fn an_unknown_item_is_no_silent_empty_run() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 3);
    model(dir.path(), "echo", "echo", "");
    let output = unigauge(dir.path())
        .args([
            "run",
            "./questions.toml",
            "--model",
            "./echo.toml",
            "--only",
            "q7",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(!dir.path().join("results").exists());
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 3);
    model(dir.path(), "echo", "echo", "");
    let output = unigauge(dir.path())
        .args([
            "run",
            "./questions.toml",
            "--model",
            "./echo.toml",
            "--dry-run",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let plan = String::from_utf8(output.stdout).unwrap();
    assert!(
        plan.contains("3 items") && plan.contains("3 outputs to make"),
        "{plan}"
    );
    assert!(!dir.path().join("results").exists());
}

#[test]
fn json_on_stdout_is_one_document_and_progress_stays_on_stderr() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 4);
    model(dir.path(), "echo", "echo", "");
    let output = unigauge(dir.path())
        .args([
            "run",
            "./questions.toml",
            "--model",
            "./echo.toml",
            "--json",
        ])
        .output()
        .unwrap();
    let summaries: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summaries[0]["overall"]["value"], 0.5);
}

#[test]
fn loose_geneval_evidence_is_graded_without_a_run_folder() {
    let dir = tempfile::tempdir().unwrap();
    let items = unigauge(dir.path())
        .args(["items", "geneval", "--only", "00000", "00001"])
        .output()
        .unwrap();
    std::fs::write(dir.path().join("items.jsonl"), &items.stdout).unwrap();
    // Items 00000 and 00001 ask for a bench and a cow; the detector saw a bench in both.
    let seen = |item: &str| {
        format!(
            "{{\"item\":\"{item}\",\"repeat\":0,\"observer\":\"geneval-detector\",\"evidence\":{{\"width\":512,\
             \"height\":512,\"detections\":[{{\"class\":\"bench\",\"score\":0.9,\"box\":[10,10,200,200],\"color\":null}}]}}}}\n"
        )
    };
    std::fs::write(
        dir.path().join("evidence.jsonl"),
        seen("00000") + &seen("00001"),
    )
    .unwrap();
    let output = unigauge(dir.path())
        .args([
            "grade",
            "--suite",
            "geneval",
            "--items",
            "items.jsonl",
            "--evidence",
            "evidence.jsonl",
            "--out",
            "graded",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let grades = crate::support::lines(&dir.path().join("graded/grades.jsonl"));
    assert_eq!(
        (&grades[0]["correct"], &grades[1]["correct"]),
        (&true.into(), &false.into())
    );
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("graded/summary.json")).unwrap())
            .unwrap();
    assert_eq!(summary["overall"]["value"], 0.5);
}

#[test]
fn every_definition_that_is_listed_passes_the_check() {
    let dir = tempfile::tempdir().unwrap();
    let output = unigauge(dir.path())
        .args(["check", "--offline"])
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        stderr(&output)
    );
}

#[test]
fn the_example_models_can_be_planned_with() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("pictures")).unwrap();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/examples");
    for example in std::fs::read_dir(examples).unwrap() {
        let path = example.unwrap().path();
        // Python leaves a folder beside the files that it runs.
        if path.is_dir() {
            continue;
        }
        let output = unigauge(dir.path())
            .args(["run", "quick", "--dry-run", "--model"])
            .arg(&path)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}: {}",
            path.display(),
            stderr(&output)
        );
    }
}
