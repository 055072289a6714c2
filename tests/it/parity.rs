//! `unigauge parity`: the in-repo networks beside the Python implementations' numbers, and checkpoints that
//! are wrong.

use crate::support::{stderr, unigauge};
use predicates::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity")
}

fn parity() -> assert_cmd::Command {
    let mut command = unigauge(Path::new(env!("CARGO_MANIFEST_DIR")));
    command.arg("parity");
    command
}

/// A copy of a case whose files may be broken.
fn copy(case: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_into(&golden().join(case), folder.path());
    folder
}

pub(crate) fn copy_into(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_into(&path, &target);
        } else {
            fs::write(target, fs::read(&path).unwrap()).unwrap();
        }
    }
}

/// Rewrites a JSON file.
fn edit(path: &Path, change: impl Fn(&mut serde_json::Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
}

/// Every reference tensor within the tolerance that was fixed with it. The numbers are the Python
/// implementations': see tests/golden/parity/README.md.
#[test]
fn every_network_computes_what_the_python_implementation_computes() {
    let output = parity().arg(golden()).arg("--json").assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let rows: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let cases: std::collections::BTreeSet<&str> = rows
        .iter()
        .map(|row| row["case"].as_str().unwrap())
        .collect();
    let folders = fs::read_dir(golden()).unwrap();
    let folders =
        folders.filter(|entry| entry.as_ref().unwrap().path().join("case.json").is_file());
    assert_eq!(cases.len(), folders.count());
    for row in rows {
        assert_eq!(row["row"]["pass"], true, "{row}");
    }
}

#[test]
fn a_tensor_beyond_its_tolerance_is_exit_code_3_and_the_other_cases_still_run() {
    let both = tempfile::tempdir().unwrap();
    copy_into(&golden().join("any_11ratio"), &both.path().join("a"));
    copy_into(&golden().join("flow_match"), &both.path().join("b"));
    let file = both.path().join("a/expected.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    // The last number of the last tensor.
    let last = bytes.len() - 8;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    parity()
        .arg(both.path())
        .assert()
        .code(3)
        .stdout(predicate::str::contains("FAIL"))
        .stdout(predicate::str::contains("sigmas.8"));
}

#[test]
fn a_case_that_cannot_be_read_is_exit_code_2() {
    let case = copy("flow_match");
    fs::remove_file(case.path().join("inputs.safetensors")).unwrap();
    parity()
        .arg(case.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains("inputs.safetensors"));

    let case = copy("flow_match");
    edit(&case.path().join("case.json"), |json| {
        json["model"] = "flow_mach".into()
    });
    parity()
        .arg(case.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains("flow_mach"));

    parity().arg("nonexistent/case").assert().code(2);
}

#[test]
fn a_truncated_file_of_weights_is_named() {
    let case = copy("t5_encoder");
    let file = case.path().join("checkpoint/model.safetensors");
    let bytes = fs::read(&file).unwrap();
    for length in [0, 5, 100, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).unwrap();
        let output = parity().arg(case.path()).assert().code(2);
        let text = stderr(output.get_output());
        assert!(text.contains("model.safetensors"), "{length}: {text}");
        assert!(text.contains("fetch it again"), "{length}: {text}");
    }
}

#[test]
fn a_missing_shard_is_named() {
    let case = copy("uniworld");
    let shard = "model-00002-of-00003.safetensors";
    fs::remove_file(case.path().join("checkpoint/uniworld").join(shard)).unwrap();
    let output = parity().arg(case.path()).assert().code(2);
    let text = stderr(output.get_output());
    assert!(text.contains("1 of 3 shards is missing"), "{text}");
    assert!(text.contains(shard), "{text}");
}

#[test]
fn weights_that_contradict_the_configuration_are_listed_by_name() {
    let case = copy("flux_transformer");
    let config = case.path().join("checkpoint/config.json");
    edit(&config, |json| {
        json["joint_attention_dim"] = 44.into();
        json["num_layers"] = 3.into();
    });
    let output = parity().arg(case.path()).assert().code(2);
    let text = stderr(output.get_output()).replace(['\n', '│'], " ");
    for part in [
        "shape: context_embedder.weight is [48, 40], but the configuration requires [48, 44]",
        "missing: transformer_blocks.2.attn.to_q.weight",
    ] {
        let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(part), "{squeezed}");
    }
}

#[test]
fn a_weight_that_is_not_finite_is_named() {
    let case = copy("siglip_vision");
    let file = case.path().join("checkpoint/model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let header_length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header_length]).unwrap();
    let name = "vision_model.encoder.layers.1.mlp.fc1.bias";
    let start = 8 + header_length + header[name]["data_offsets"][0].as_u64().unwrap() as usize;
    bytes[start..start + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&file, bytes).unwrap();
    parity()
        .arg(case.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains(name));
}
