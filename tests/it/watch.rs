//! A training's folders of samples, scored as they appear.
#![cfg(unix)]

use crate::support::{stderr, unigauge, unigauge_process};
use image::{Rgb, RgbImage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

/// A suite of two pictures, graded by their brightness.
fn bench() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let items = "{\"id\":\"a\",\"prompt\":\"a boat\"}\n{\"id\":\"b\",\"prompt\":\"a barn\"}\n";
    fs::write(dir.path().join("items.jsonl"), items).unwrap();
    let suite = "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\n\
                 observers = [\"quality\"]\n\n[items]\nfile = \"items.jsonl\"\n\n[grade]\n\
                 rule = \"measure\"\n\n[grade.options]\nkey = \"brightness\"\n";
    fs::write(dir.path().join("own.toml"), suite).unwrap();
    fs::create_dir(dir.path().join("samples")).unwrap();
    dir
}

/// Writes both pictures of a checkpoint, in one grey.
fn samples(dir: &Path, checkpoint: &str, grey: u8) -> PathBuf {
    let folder = dir.join("samples").join(checkpoint);
    fs::create_dir_all(&folder).unwrap();
    for item in ["a", "b"] {
        let picture = RgbImage::from_pixel(8, 8, Rgb([grey; 3]));
        picture.save(folder.join(format!("{item}.png"))).unwrap();
    }
    folder
}

const WATCH: [&str; 6] = [
    "watch",
    "samples",
    "--suite",
    "./own.toml",
    "--name",
    "run-42",
];

fn once(dir: &Path, more: &[&str]) -> Output {
    unigauge(dir)
        .args(WATCH)
        .args(["--once", "--settle", "0"])
        .args(more)
        .output()
        .unwrap()
}

fn summary(dir: &Path, checkpoint: &str) -> PathBuf {
    dir.join("results/own/run-42")
        .join(checkpoint)
        .join("summary.json")
}

#[test]
fn what_is_there_is_scored_once_in_the_order_of_the_steps() {
    let dir = bench();
    samples(dir.path(), "step-1000", 200);
    samples(dir.path(), "step-900", 100);
    samples(dir.path(), "step=2 000", 220);
    fs::create_dir(dir.path().join("samples/logs")).unwrap();
    fs::write(dir.path().join("samples/notes.txt"), "").unwrap();
    let output = once(dir.path(), &["--json"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("logs is skipped: it has no picture of the suite"),
        "{said}"
    );
    assert!(
        said.contains("3 folders scored, 0 folders scored before"),
        "{said}"
    );
    let shown = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = (shown.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let folders: Vec<&str> = lines
        .iter()
        .map(|line| line["folder"].as_str().unwrap())
        .collect();
    assert_eq!(folders, ["step-900", "step-1000", "step=2 000"]);
    assert!(
        lines[0]["summary"]["overall"]["value"].as_f64()
            < lines[1]["summary"]["overall"]["value"].as_f64()
    );

    let output = unigauge(dir.path())
        .args(["history", "own", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = String::from_utf8(output.stdout).unwrap();
    let places: Vec<usize> = ["\"step-900\"", "\"step-1000\"", "\"step-2-000-"]
        .iter()
        .map(|name| {
            shown
                .find(name)
                .unwrap_or_else(|| panic!("{name}: {shown}"))
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");

    // The same command again knows what it did, and does what is new.
    let before = fs::metadata(summary(dir.path(), "step-900"))
        .unwrap()
        .modified()
        .unwrap();
    samples(dir.path(), "step-3000", 240);
    let output = once(dir.path(), &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("1 folder scored, 3 folders scored before"),
        "{said}"
    );
    let after = fs::metadata(summary(dir.path(), "step-900"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(before, after);
}

#[test]
fn a_checkpoint_with_a_missing_picture_is_scored_and_incomplete() {
    let dir = bench();
    fs::remove_file(samples(dir.path(), "step-1", 100).join("b.png")).unwrap();
    let output = once(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("1 of 2 pictures found"));
}

#[test]
fn samples_of_another_training_do_not_replace_those_of_this_one() {
    let dir = bench();
    samples(dir.path(), "step-1", 100);
    assert_eq!(once(dir.path(), &[]).status.code(), Some(0));
    fs::rename(dir.path().join("samples"), dir.path().join("others")).unwrap();
    let output = unigauge(dir.path())
        .args([
            "watch",
            "others",
            "--suite",
            "./own.toml",
            "--name",
            "run-42",
            "--once",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("another `--name`"),
        "{}",
        stderr(&output)
    );
    let output = unigauge(dir.path())
        .args(["watch", "nowhere", "--suite", "./own.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("nowhere"));
}

fn start(dir: &Path, settle: &str) -> Child {
    unigauge_process(dir)
        .args(WATCH)
        .args(["--settle", settle])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.is_file() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{}",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn interrupted(child: Child) -> Output {
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(id, Signal::SIGINT).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn checkpoints_are_scored_as_they_appear_until_ctrl_c() {
    let dir = bench();
    samples(dir.path(), "step-1", 100);
    let child = start(dir.path(), "0.2");
    wait_for(&summary(dir.path(), "step-1"));
    samples(dir.path(), "step-2", 120);
    wait_for(&summary(dir.path(), "step-2"));
    let output = interrupted(child);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains("run the same command again to continue"),
        "{said}"
    );
    let output = once(dir.path(), &[]);
    let said = stderr(&output);
    assert!(said.contains("2 folders scored before"), "{said}");
}

#[test]
fn a_folder_that_changes_is_left_until_it_says_that_it_is_done() {
    let dir = bench();
    let child = start(dir.path(), "3600");
    let folder = samples(dir.path(), "step-1", 100);
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!summary(dir.path(), "step-1").exists());
    fs::write(folder.join("done"), "").unwrap();
    wait_for(&summary(dir.path(), "step-1"));
    assert_eq!(interrupted(child).status.code(), Some(130));
}

#[test]
fn pictures_that_come_after_a_partial_score_are_scored_and_a_partial_score_is_said_each_time() {
    let dir = bench();
    let folder = samples(dir.path(), "step-100", 200);
    fs::remove_file(folder.join("b.png")).unwrap();
    let output = once(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let again = once(dir.path(), &[]);
    let said = stderr(&again);
    assert_eq!(again.status.code(), Some(5), "{said}");
    assert!(
        said.contains("step-100 was scored with outputs missing, and nothing was added since"),
        "{said}"
    );
    samples(dir.path(), "step-100", 200);
    let output = once(dir.path(), &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("1 folder scored, 0 folders scored before"),
        "{said}"
    );
    let text = fs::read_to_string(summary(dir.path(), "step-100")).unwrap();
    let scored: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&scored["scored"], &scored["partial"]),
        (&2.into(), &false.into())
    );
}
