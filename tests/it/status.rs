//! `unigauge status`: how far runs are, from their folders alone.

use crate::support::{model, stderr, text_suite, unigauge};
use serde_json::Value;
use std::path::Path;

const RUN: &str = "results/questions/echo/seed0";

fn status(dir: &Path) -> (i32, Value) {
    let output = unigauge(dir).args(["status", "--json"]).output().unwrap();
    let code = output.status.code().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let runs: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (code, runs[0].clone())
}

fn shard(dir: &Path, shard: &str) {
    unigauge(dir)
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .args(["--shard", shard])
        .assert()
        .code(0);
}

fn states(run: &Value) -> Vec<&str> {
    let shards = run["shards"].as_array().unwrap().iter();
    shards
        .map(|shard| shard["state"].as_str().unwrap())
        .collect()
}

#[test]
fn the_folder_tells_which_shards_are_complete_and_which_must_be_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 10);
    model(dir.path(), "echo", "echo", "");
    shard(dir.path(), "2/5");
    shard(dir.path(), "3/5");
    let (code, run) = status(dir.path());
    assert_eq!(code, 5);
    assert_eq!(
        states(&run),
        ["missing", "complete", "complete", "missing", "missing"]
    );
    assert_eq!(run["again"], "0,3-4");
    assert_eq!(
        (&run["planned"], &run["done"], &run["missing"]),
        (&10.into(), &4.into(), &6.into())
    );
    assert_eq!(run["shards"][1]["shard"], "2/5");
    assert_eq!(run["shards"][1]["starts"], 1);

    // A process that was killed leaves its last words, and no lock.
    let beat = dir.path().join(RUN).join("beat.3-of-5.json");
    let text = std::fs::read_to_string(&beat).unwrap();
    std::fs::write(&beat, text.replace("\"complete\"", "\"running\"")).unwrap();
    let (_, run) = status(dir.path());
    assert_eq!(states(&run)[2], "dead");
    assert_eq!(run["again"], "0,2-4");

    // One that is at work has the lock.
    let lock = dir.path().join(RUN).join(".lock.4-of-5");
    std::fs::write(&lock, "process 9 on n4 since 2026-01-01 00:00:00 UTC\n").unwrap();
    let file = std::fs::File::options().write(true).open(&lock).unwrap();
    file.lock().unwrap();
    let (_, run) = status(dir.path());
    assert_eq!(states(&run)[3], "running");
    assert_eq!(run["shards"][3]["host_name"], "n4");
    assert_eq!(run["again"], "0,2,4");
    drop(file);

    for part in ["1/5", "3/5", "4/5", "5/5"] {
        shard(dir.path(), part);
    }
    let (code, run) = status(dir.path());
    assert_eq!((code, &run["again"]), (0, &Value::Null), "{run}");
    let words = unigauge(dir.path()).arg("status").output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.contains("10 of 10 outputs are there"), "{words}");
    assert!(
        words.contains("1/5") && words.contains("complete"),
        "{words}"
    );
}

#[test]
fn a_run_without_shards_and_a_folder_without_runs() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 4);
    model(dir.path(), "echo", "echo", "");
    let none = unigauge(dir.path()).arg("status").output().unwrap();
    assert_eq!(none.status.code(), Some(2), "{}", stderr(&none));
    unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .assert()
        .code(0);
    let (code, run) = status(dir.path());
    assert_eq!((code, states(&run)), (0, vec!["complete"]));
    assert_eq!(run["done"], 4);
}
