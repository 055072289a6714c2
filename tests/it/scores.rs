//! The observers `clip-score` and `hpsv2` beside the Python references; `pickscore` and `aesthetic` on the same
//! pictures.

use crate::support::{lines, stderr, unigauge};
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use unigauge::model::clip::{Clip, normalise};
use unigauge::model::processor::CroppedProcessor;

/// tests/golden/detector/scores.py says where the numbers come from.
#[test]
fn similarities_of_pictures_and_prompts_are_those_of_the_python_references() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/detector");
    let expected: Value =
        serde_json::from_slice(&fs::read(golden.join("scores.json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let items = expected["items"].as_array().unwrap();
    let text: String = items
        .iter()
        .map(|item| {
            format!(
                "{}\n",
                serde_json::json!({"id": item["id"], "prompt": item["prompt"]})
            )
        })
        .collect();
    fs::write(dir.path().join("own.jsonl"), text).unwrap();
    for (observer, key, options) in [
        (
            "clip-score",
            "clip_t",
            format!("clip = {:?}", golden.join("clip")),
        ),
        (
            "hpsv2",
            "hpsv2",
            format!("checkpoint = {:?}", golden.join("hpsv2")),
        ),
        (
            "hpsv2",
            "hpsv2_plain",
            format!("checkpoint = {:?}\nantialias = false", golden.join("hpsv2")),
        ),
    ] {
        let written = key.trim_end_matches("_plain");
        let suite = format!(
            "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [\"{observer}\"]\n\n\
             [items]\nfile = \"own.jsonl\"\n\n[grade]\nrule = \"measure\"\noptions = {{ key = \"{written}\", scale = 100 }}\n\n\
             [observe.{observer}]\n{options}\n"
        );
        fs::write(dir.path().join("own.toml"), suite).unwrap();
        let output = unigauge(dir.path())
            .args([
                "observe", "--device", "cpu", "--suite", "own.toml", "--name", key, "--images",
            ])
            .arg(golden.join("images"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let grades = lines(
            &dir.path()
                .join(format!("results/own/{key}/seed0/grades.jsonl")),
        );
        assert_eq!(grades.len(), items.len());
        for (grade, item) in grades.iter().zip(items) {
            let (got, want) = (
                grade["score"].as_f64().unwrap(),
                100.0 * item[key].as_f64().unwrap(),
            );
            assert!((got - want).abs() < 1e-3, "{observer} {key}: {got} {want}");
        }
    }
}

fn detector() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/detector")
}

fn clip() -> Clip {
    let folder = detector().join("clip");
    Clip::open(
        &folder.join("config.json"),
        &folder,
        DType::F32,
        &Device::Cpu,
    )
    .unwrap()
}

/// The pictures and prompts of scores.json, looked at by `observer`, whose evidence has `key`.
fn observed(dir: &Path, observer: &str, key: &str, options: &str) -> Output {
    let expected: Value =
        serde_json::from_slice(&fs::read(detector().join("scores.json")).unwrap()).unwrap();
    let items = expected["items"].as_array().unwrap().iter();
    let text: String = items
        .map(|item| format!("{}\n", json!({"id": item["id"], "prompt": item["prompt"]})))
        .collect();
    fs::write(dir.join("own.jsonl"), text).unwrap();
    let suite = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [\"{observer}\"]\n\n\
         [items]\nfile = \"own.jsonl\"\n\n[grade]\nrule = \"measure\"\noptions = {{ key = \"{key}\" }}\n\n\
         [observe.{observer}]\n{options}\n"
    );
    fs::write(dir.join("own.toml"), suite).unwrap();
    unigauge(dir)
        .args([
            "observe", "--device", "cpu", "--suite", "own.toml", "--name", key, "--images",
        ])
        .arg(detector().join("images"))
        .output()
        .unwrap()
}

/// The evidence of each item.
fn evidence(dir: &Path, key: &str) -> HashMap<String, Value> {
    let lines = lines(&dir.join(format!("results/own/{key}/seed0/evidence.jsonl")));
    let each = lines.into_iter().map(|mut line| {
        let item = line["item"].as_str().unwrap().to_owned();
        (item, line["evidence"].take())
    });
    each.collect()
}

#[test]
fn pickscore_is_the_scaled_cosine() {
    let dir = tempfile::tempdir().unwrap();
    let options = format!("checkpoint = {:?}", detector().join("clip"));
    let output = observed(dir.path(), "pickscore", "pickscore", &options);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let scale = clip().scale().unwrap();
    let expected: Value =
        serde_json::from_slice(&fs::read(detector().join("scores.json")).unwrap()).unwrap();
    let seen = evidence(dir.path(), "pickscore");
    for item in expected["items"].as_array().unwrap() {
        let got = seen[item["id"].as_str().unwrap()]["pickscore"]
            .as_f64()
            .unwrap();
        let want = scale * item["clip_t"].as_f64().unwrap();
        assert!((got - want).abs() < 1e-5 * scale, "{got} {want}");
    }
}

/// A linear head with the weights `1, 2, …` and the bias 5.
fn head(path: &Path, width: usize) {
    let weight: Vec<f32> = (1..=width).map(|at| at as f32).collect();
    let weight = Tensor::from_vec(weight, (1, width), &Device::Cpu).unwrap();
    let bias = Tensor::new(&[5f32], &Device::Cpu).unwrap();
    let tensors = HashMap::from([("weight", weight), ("bias", bias)]);
    candle_core::safetensors::save(&tensors, path).unwrap();
}

#[test]
fn the_aesthetic_head_sees_the_picture_s_unit_vector() {
    let dir = tempfile::tempdir().unwrap();
    head(&dir.path().join("head.safetensors"), 12);
    let options = format!(
        "clip = {:?}\nhead = \"head.safetensors\"",
        detector().join("clip")
    );
    let output = observed(dir.path(), "aesthetic", "aesthetic", &options);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (clip, processor) = (clip(), CroppedProcessor::clip(42));
    for (item, seen) in evidence(dir.path(), "aesthetic") {
        assert_eq!(seen["head"], "own");
        let file = detector().join(format!("images/{item}.png"));
        let picture = image::open(file).unwrap().to_rgb8();
        let pixels = processor.prepare(&picture).unwrap().unsqueeze(0).unwrap();
        let vector = normalise(&clip.image_features(&pixels).unwrap()).unwrap();
        let vector: Vec<f32> = vector.squeeze(0).unwrap().to_vec1().unwrap();
        let want: f32 = (vector.iter().zip(1..))
            .map(|(value, weight)| value * weight as f32)
            .sum();
        let got = seen["aesthetic"].as_f64().unwrap();
        assert!((got - 5.0 - f64::from(want)).abs() < 1e-4, "{got} {want}");
    }
}

#[test]
fn heads_with_activations_and_other_versions_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    head(&dir.path().join("ava+logos-l14-reluMSE.pth"), 12);
    let clip = format!("clip = {:?}\n", detector().join("clip"));
    for (more, words) in [
        ("head = \"ava+logos-l14-reluMSE.pth\"", "activations"),
        ("version = \"v3\"", "write v2 or v1"),
    ] {
        let output = observed(
            dir.path(),
            "aesthetic",
            "aesthetic",
            &format!("{clip}{more}"),
        );
        assert!(!output.status.success(), "{more}");
        let said = stderr(&output);
        assert!(said.contains(words), "{said}");
    }
}
