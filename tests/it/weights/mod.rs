//! Weights in the shapes that people have: quantised, wrapped, nested, cut, named by other paths.

mod places;
mod quantised;
mod reference;
mod wrapped;

use crate::support::{lines, unigauge};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Stored tensors: number format, shape, bytes.
type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// What the good checkpoint says of the scene, by the report that these inputs come from.
const WORDS: &str = " blue triangle row two column two";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The good checkpoint, of F16.
fn good() -> Tensors {
    let bytes = fs::read(root().join("shipped/mini-qwen-vl/model.safetensors")).unwrap();
    let stored = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = stored.tensors().into_iter().map(|(name, view)| {
        let own = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
        (name, own)
    });
    tensors.collect()
}

fn write(path: &Path, tensors: &Tensors) {
    let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
        let view = TensorView::new(*dtype, shape.clone(), bytes).unwrap();
        (name.as_str(), view)
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// The numbers of F16 bytes.
fn halves(bytes: &[u8]) -> Vec<f32> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| half::f16::from_le_bytes([pair[0], pair[1]]).to_f32())
        .collect()
}

/// F32 bytes.
fn floats(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// The bytes of a short text.
fn text(words: &str) -> (Dtype, Vec<usize>, Vec<u8>) {
    (Dtype::U8, vec![words.len()], words.as_bytes().to_vec())
}

/// A copy of the good checkpoint's folder without its weights, and a model file that names it.
fn folder(dir: &Path, name: &str, config: Value) -> PathBuf {
    let place = dir.join(name);
    fs::create_dir_all(&place).unwrap();
    for entry in fs::read_dir(root().join("shipped/mini-qwen-vl")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            fs::copy(&path, place.join(path.file_name().unwrap())).unwrap();
        }
    }
    let own = place.join("config.json");
    let mut whole: Value = serde_json::from_slice(&fs::read(&own).unwrap()).unwrap();
    let fields = whole.as_object_mut().unwrap();
    fields.extend(config.as_object().unwrap().clone());
    fs::write(&own, whole.to_string()).unwrap();
    model(dir, name, &place.to_string_lossy());
    place
}

/// A model file that names a checkpoint.
fn model(dir: &Path, name: &str, checkpoint: &str) {
    let text = format!(
        "name = {name:?}\ntitle = {name:?}\ngenerator = \"qwen-vl\"\n[settings]\ncheckpoint = {checkpoint:?}\n\
         max_new_tokens = 8\nmin_pixels = 784\nmax_pixels = 50176\n"
    );
    fs::write(dir.join(format!("{name}.toml")), text).unwrap();
}

/// The good checkpoint's folder with these weights.
fn stored(dir: &Path, name: &str, tensors: &Tensors, config: Value) -> PathBuf {
    let place = folder(dir, name, config);
    write(&place.join("model.safetensors"), tensors);
    place
}

fn check(dir: &Path, name: &str, more: &[&str]) -> Output {
    let mut command = unigauge(dir);
    command
        .args([
            "--offline",
            "check",
            &format!("{name}.toml"),
            "--device",
            "cpu",
        ])
        .env("UNIGAUGE_CACHE", dir.join("cache"));
    command.args(more).output().unwrap()
}

fn generate(dir: &Path, name: &str) -> Output {
    let suite = root().join("tests/golden/reports/scaled-fp8/suite.toml");
    unigauge(dir)
        .arg("generate")
        .arg(suite)
        .args([
            "--model",
            &format!("{name}.toml"),
            "--device",
            "cpu",
            "--out",
            "out",
        ])
        .output()
        .unwrap()
}

/// What a checkpoint says of the scene.
fn words(dir: &Path, name: &str) -> String {
    let output = generate(dir, name);
    assert!(output.status.success(), "{name}: {}", said(&output));
    let run = dir.join("out/scene").join(name).join("seed0");
    let outputs = lines(&run.join("outputs.jsonl"));
    outputs[0]["text"].as_str().unwrap().to_owned()
}

/// Both streams of a finished command, with wrapped lines joined again.
fn said(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&all).replace(['\n', '│'], " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `check` and `generate` both refuse a checkpoint, with these words.
fn refused(dir: &Path, name: &str, expected: &[&str]) {
    let (checked, generated) = (check(dir, name, &[]), generate(dir, name));
    for (command, output) in [("check", &checked), ("generate", &generated)] {
        let text = said(output);
        assert_eq!(output.status.code(), Some(6), "{name}: {command}: {text}");
        for expected in expected {
            assert!(
                text.contains(expected),
                "{name}: {command}: {expected}: {text}"
            );
        }
        let lines = text.matches("missing: ").count();
        assert!(lines <= 20, "{name}: {command}: {lines} lines: {text}");
    }
}

/// `check` is content, and says what it looked at.
fn fine(dir: &Path, name: &str) {
    let output = check(dir, name, &[]);
    let text = said(&output);
    assert!(output.status.success(), "{name}: {text}");
    let looked =
        "every tensor that the networks require exists with its shape, and its numbers are finite";
    assert!(text.contains(looked), "{name}: {text}");
}

fn nothing() -> Value {
    json!({})
}
