//! The training of the miniature BAGEL, cut down to some steps, and the generator over its result.

use crate::support::{self, lines, unigauge};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Trains the committed definition with few steps into a folder; stops after a step and goes on.
fn trained(folder: &Path, stop: Option<u64>) -> Value {
    let set = [
        "steps=8",
        "batch=4",
        "optimizer.warmup=2",
        "settings.samples=32",
    ];
    let from = [
        ("vae", "mini-vae"),
        ("llm", "mini-qwen-vl"),
        ("vit", "mini-siglip"),
    ];
    let from = from.map(|(role, name)| {
        let folder = root("shipped").join(name);
        format!("from.{role}={folder:?}")
    });
    let set: Vec<String> = set.map(str::to_owned).into_iter().chain(from).collect();
    support::trained("mini-bagel", folder, &set, stop).unwrap()
}

#[test]
fn a_miniature_learns_all_three_and_is_read_by_the_generator() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("checkpoints/mini-bagel");
    let record = trained(&folder, None);
    for number in ["overall", "recolor_follow", "move_preserve"] {
        assert!(record["checked"][number].is_number(), "{number}: {record}");
    }
    // The room of a shipped checkpoint, with its autoencoder.
    let size = |file: &str| fs::metadata(folder.join(file)).unwrap().len();
    let all = size("ema.safetensors") + size("ae.safetensors");
    assert!(all < 6_000_000, "{all}");

    // The committed model over the new checkpoint.
    let model = fs::read_to_string(root("configs/models/mini-bagel.toml")).unwrap();
    let model = model
        .replace("\"mini-bagel\"", "\"small\"")
        .replace("shipped:", "checkpoints/");
    fs::write(dir.path().join("small.toml"), model).unwrap();
    for suite in ["mini-geneval", "mini-edit"] {
        let mut command = unigauge(dir.path());
        command.args(["generate", suite, "--device", "cpu"]);
        command
            .args(["--model", "small.toml", "--limit", "2", "--repeats", "1"])
            .assert()
            .success();
        let run = format!("results/{suite}/small/seed0-limit2/outputs.jsonl");
        let outputs = lines(&dir.path().join(run));
        assert_eq!(outputs.len(), 2);
        for output in outputs {
            let size = [&output["width"], &output["height"]].map(Value::as_u64);
            assert_eq!(size, [Some(32), Some(32)], "{output}");
        }
    }

    // Another training that was stopped ends with the same weights.
    let stopped = dir.path().join("checkpoints/stopped");
    trained(&stopped, Some(3));
    let weights = |folder: &Path| fs::read(folder.join("ema.safetensors")).unwrap();
    assert_eq!(weights(&folder), weights(&stopped));
}
