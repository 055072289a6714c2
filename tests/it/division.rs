//! `--shard auto`, and runs that are divided anew: what is done is kept, and other settings do not mix.

use crate::support::{lines, model, stderr, text_suite, unigauge};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

const RUN: &str = "results/questions/echo/seed0";

/// A folder with a suite of so many questions, and the model `echo`.
fn folder(count: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), count);
    model(dir.path(), "echo", "echo", "");
    dir
}

fn run(dir: &Path, options: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = unigauge(dir);
    for name in [
        "SLURM_ARRAY_TASK_ID",
        "JOB_COMPLETION_INDEX",
        "UNIGAUGE_SHARDS",
    ] {
        command.env_remove(name);
    }
    command
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .args(options)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn shard(dir: &Path, shard: &str) -> String {
    let output = run(dir, &["--shard", shard], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn merge(dir: &Path) -> Output {
    unigauge(dir).args(["merge", RUN]).output().unwrap()
}

/// Grades and summary as an undivided run of a copy of the folder makes them.
fn assert_as_undivided(dir: &Path) {
    let whole = run(dir, &["--out", "whole"], &[]);
    assert_eq!(whole.status.code(), Some(0), "{}", stderr(&whole));
    for name in ["items.jsonl", "grades.jsonl", "summary.json"] {
        let read = |run: &str| std::fs::read_to_string(dir.join(run).join(name)).unwrap();
        assert_eq!(read("whole/questions/echo/seed0"), read(RUN), "{name}");
    }
}

#[test]
fn another_number_of_shards_keeps_what_is_done() {
    let dir = folder(12);
    for part in ["1/3", "2/3"] {
        assert!(shard(dir.path(), part).contains("4 outputs made"));
    }
    // Items 0, 1, 3, 4, 6, 7, 9 and 10 are there; 2, 5, 8 and 11 are not.
    let said = shard(dir.path(), "1/2");
    assert!(
        said.contains("2 outputs made") && said.contains("4 made before"),
        "{said}"
    );
    let said = shard(dir.path(), "2/2");
    assert!(
        said.contains("2 outputs made") && said.contains("4 made before"),
        "{said}"
    );
    let merged = merge(dir.path());
    assert_eq!(merged.status.code(), Some(0), "{}", stderr(&merged));
    // One line for each output, in the order of the items.
    let items = |name: &str| -> Vec<Value> {
        let lines = lines(&dir.path().join(RUN).join(name));
        lines.iter().map(|line| line["item"].clone()).collect()
    };
    assert_eq!(items("outputs.jsonl"), items("items.jsonl"));
    assert_as_undivided(dir.path());
}

#[test]
fn one_process_finishes_what_an_array_left() {
    let dir = folder(12);
    shard(dir.path(), "2/3");
    let rest = run(dir.path(), &[], &[]);
    assert_eq!(rest.status.code(), Some(0), "{}", stderr(&rest));
    let said = stderr(&rest);
    assert!(
        said.contains("processes with other shards made them: 4"),
        "{said}"
    );
    assert_eq!(lines(&dir.path().join(RUN).join("outputs.jsonl")).len(), 12);
    assert_as_undivided(dir.path());
    // Shards that come later find everything there, and a merge loses nothing.
    let said = shard(dir.path(), "1/3");
    assert!(
        said.contains("0 outputs made") && said.contains("4 made before"),
        "{said}"
    );
    let merged = merge(dir.path());
    assert_eq!(merged.status.code(), Some(0), "{}", stderr(&merged));
    assert_as_undivided(dir.path());
}

#[test]
fn what_a_process_without_shards_made_is_kept_by_shards_and_by_a_merge() {
    let dir = folder(12);
    let begun = run(dir.path(), &[], &[]);
    assert_eq!(begun.status.code(), Some(0), "{}", stderr(&begun));
    let said = shard(dir.path(), "1/4");
    assert!(
        said.contains("0 outputs made") && said.contains("3 made before"),
        "{said}"
    );
    // The other three never start: what they would make is there.
    let merged = merge(dir.path());
    assert_eq!(merged.status.code(), Some(0), "{}", stderr(&merged));
    assert_as_undivided(dir.path());
}

#[test]
fn outputs_of_other_settings_do_not_count_and_are_named() {
    let dir = folder(12);
    for part in ["1/2", "2/2"] {
        shard(dir.path(), part);
    }
    let other = ["--shard", "1/2", "--run", "seed0", "--seed", "7"];
    let output = run(dir.path(), &other, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let merged = merge(dir.path());
    assert_eq!(merged.status.code(), Some(5), "{}", stderr(&merged));
    let said = stderr(&merged);
    assert!(
        said.contains("shard 2/2 was made with other settings"),
        "{said}"
    );
    let summary = std::fs::read(dir.path().join(RUN).join("summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["scored"], 6);
}

#[test]
fn a_failure_in_a_later_journal_does_not_hide_an_output() {
    let dir = folder(6);
    for part in ["1/2", "2/2"] {
        shard(dir.path(), part);
    }
    let folder = dir.path().join(RUN);
    let mut failed: Value = lines(&folder.join("outputs.1-of-2.jsonl"))[0].clone();
    failed["text"] = Value::Null;
    failed["error"] = serde_json::json!({"stage": "generate", "kind": "x", "message": "y"});
    std::fs::write(folder.join("outputs.1-of-3.jsonl"), format!("{failed}\n")).unwrap();
    let merged = merge(dir.path());
    assert_eq!(merged.status.code(), Some(0), "{}", stderr(&merged));
    assert_as_undivided(dir.path());
}

#[test]
fn an_array_tells_each_task_its_shard() {
    let dir = folder(6);
    for task in ["0", "1", "2"] {
        let output = run(
            dir.path(),
            &["--shard", "auto"],
            &[
                ("SLURM_ARRAY_TASK_ID", task),
                ("SLURM_ARRAY_TASK_COUNT", "3"),
                ("SLURM_ARRAY_TASK_MIN", "0"),
                ("SLURM_ARRAY_TASK_MAX", "2"),
                ("SLURM_ARRAY_TASK_STEP", "1"),
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let shard = format!("shard {}/3", task.parse::<usize>().unwrap() + 1);
        let said = stderr(&output);
        let expected = format!("{shard} (SLURM_ARRAY_TASK_ID={task})");
        assert!(said.contains(&expected), "{said}");
    }
    let noted = std::fs::read(dir.path().join(RUN).join("division.json")).unwrap();
    let noted: Value = serde_json::from_slice(&noted).unwrap();
    assert_eq!(noted["shards"], 3);
    // The second task alone, sent again: its array has one task, but the folder knows better.
    let again = run(
        dir.path(),
        &["--shard", "auto"],
        &[
            ("SLURM_ARRAY_TASK_ID", "1"),
            ("SLURM_ARRAY_TASK_COUNT", "1"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_MAX", "1"),
            ("SLURM_ARRAY_TASK_STEP", "1"),
        ],
    );
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert!(stderr(&again).contains("shard 2/3"), "{}", stderr(&again));
    assert_eq!(merge(dir.path()).status.code(), Some(0));
    assert_as_undivided(dir.path());
}

#[test]
fn a_shard_that_nobody_tells_is_an_error_and_never_the_whole_run() {
    let dir = folder(3);
    for (options, environment, expected) in [
        (
            &["--shard", "auto"][..],
            &[][..],
            "no variable of the environment",
        ),
        (
            &["--shard", "auto"],
            &[("JOB_COMPLETION_INDEX", "0")],
            "not how many there are",
        ),
        (
            &["--shard", "auto", "--shards", "3"],
            &[("JOB_COMPLETION_INDEX", "3")],
            "is no shard of 3",
        ),
        (&["--shards", "3"], &[], "not which one this is"),
        (
            &["--shard", "1/2", "--shards", "3"],
            &[],
            "different numbers of parts",
        ),
        (&[], &[("UNIGAUGE_SHARDS", "3")], "not which one this is"),
    ] {
        let output = run(dir.path(), options, environment);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {said}");
        assert!(said.contains(expected), "{options:?}: {said}");
    }
    assert!(!dir.path().join(RUN).exists());
    // After a division by four, three is an error, and an explicit shard divides anew.
    shard(dir.path(), "1/4");
    let wrong = ["--shard", "auto", "--shards", "3"];
    let output = run(dir.path(), &wrong, &[("JOB_COMPLETION_INDEX", "0")]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("this run is divided by 4, not by 3"),
        "{said}"
    );
    shard(dir.path(), "1/3");
    let output = run(dir.path(), &wrong, &[("JOB_COMPLETION_INDEX", "1")]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// What a folder of many shards costs: nothing grows with the square of their number.
#[test]
fn ten_thousand_outputs_in_sixty_four_shards_are_planned_and_joined_in_seconds() {
    const ITEMS: usize = 10_000;
    const SHARDS: usize = 64;
    let dir = folder(ITEMS);
    let made = run(dir.path(), &[], &[]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let run_folder = dir.path().join(RUN);
    let grades = std::fs::read(run_folder.join("grades.jsonl")).unwrap();
    // As 64 processes would leave it.
    let journal = std::fs::read_to_string(run_folder.join("outputs.jsonl")).unwrap();
    let mut parts = vec![String::new(); SHARDS];
    let order: std::collections::HashMap<String, usize> = (0..ITEMS)
        .map(|place| (format!("q{place}"), place))
        .collect();
    for line in journal.split_inclusive('\n') {
        let record: Value = serde_json::from_str(line).unwrap();
        let id = record["item"].as_str().unwrap().split('#').next().unwrap();
        parts[order[id] % SHARDS].push_str(line);
    }
    for (number, part) in parts.iter().enumerate() {
        let name = format!("outputs.{}-of-{SHARDS}.jsonl", number + 1);
        std::fs::write(run_folder.join(name), part).unwrap();
    }
    std::fs::remove_file(run_folder.join("outputs.jsonl")).unwrap();
    let timed = |what: &str, work: &dyn Fn() -> Output| {
        let begun = std::time::Instant::now();
        let output = work();
        let took = begun.elapsed();
        assert_eq!(output.status.code(), Some(0), "{what}: {}", stderr(&output));
        assert!(took.as_secs() < 10, "{what} took {took:?}");
        output
    };
    timed("a merge", &|| merge(dir.path()));
    assert_eq!(
        std::fs::read(run_folder.join("grades.jsonl")).unwrap(),
        grades
    );
    timed("status", &|| {
        unigauge(dir.path()).args(["status", RUN]).output().unwrap()
    });
    let planned = timed("a shard of another division", &|| {
        run(dir.path(), &["--shard", "1/32"], &[])
    });
    let said = String::from_utf8(planned.stdout).unwrap();
    assert!(
        said.contains("0 outputs made") && said.contains("313 made before"),
        "{said}"
    );
}
