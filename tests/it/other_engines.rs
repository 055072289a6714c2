//! The example files of other engines: those that install are run, and the others are read.
#![cfg(target_os = "linux")]

use crate::support::{python_package, stderr, unigauge};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn example(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/engines");
    folder.join(name)
}

/// The search path with this program and that of a package before all others.
fn path_with(package: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_unigauge")).parent().unwrap();
    let others = std::env::var("PATH").unwrap_or_default();
    format!(
        "{}:{}:{others}",
        program.display(),
        package.join("bin").display()
    )
}

/// A run that nobody divided.
fn assert_as_whole(dir: &Path, results: &str) {
    unigauge(dir)
        .args(["run", "mini-text", "--model", "world", "--out", "whole"])
        .assert()
        .code(0);
    for name in ["grades.jsonl", "summary.json"] {
        let read = |results: &str| {
            let path = dir.join(results).join("mini-text/world/seed0").join(name);
            std::fs::read_to_string(path).unwrap()
        };
        assert_eq!(read("whole"), read(results), "{name}");
    }
}

fn assert_success(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said} {}", stderr(output));
}

#[test]
fn the_script_for_hyperqueue_makes_the_whole_run() {
    let Some(package) = python_package("hyperqueue") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new("python3")
        .arg(example("hyperqueue_shards.py"))
        .args(["--local", "mini-text", "world", "4", "results"])
        .current_dir(dir.path())
        .env("PATH", path_with(&package))
        .env("PYTHONPATH", &package)
        .env("HOME", dir.path())
        .output()
        .unwrap();
    assert_success(&output);
    assert_as_whole(dir.path(), "results");
}

#[test]
fn the_rules_for_snakemake_make_the_whole_run() {
    let Some(package) = python_package("snakemake") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new("python3")
        .args(["-m", "snakemake", "--cores", "2", "--snakefile"])
        .arg(example("Snakefile"))
        .args(["--config", "shards=3"])
        .current_dir(dir.path())
        .env("PATH", path_with(&package))
        .env("PYTHONPATH", &package)
        .env("HOME", dir.path())
        .output()
        .unwrap();
    assert_success(&output);
    assert_as_whole(dir.path(), "results");
}

/// Ray, SkyPilot and dstack are large or need a cloud. What their files tell the program is looked at.
#[test]
fn the_commands_in_the_files_of_other_engines_are_valid() {
    for name in ["sky.yaml", "task.dstack.yml"] {
        let text = std::fs::read_to_string(example(name)).unwrap();
        let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read["name"], "unigauge", "{name}");
        let words: Vec<&str> = text
            .lines()
            .find_map(|line| line.split_once("unigauge run "))
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap();
        let mut command = vec!["unigauge", "run"];
        command.extend(words);
        unigauge::commands::command_line()
            .try_get_matches_from(command)
            .unwrap();
    }
}
