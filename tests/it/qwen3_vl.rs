//! Qwen3-VL as a generator and as an observer, with the tiny checkpoint of the parity case and a made
//! tokenizer.

use crate::parity::copy_into;
use crate::support::{lines, stderr, unigauge};
use crate::uniworld::tokenizer;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The tiny checkpoint as a user has a released one, in the folder `tiny`.
pub(crate) fn checkpoint(dir: &Path) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    let folder = dir.join("tiny");
    copy_into(&golden.join("qwen3_vl/checkpoint"), &folder);
    let specials = [
        ("assistant", 178),
        ("<|im_start|>", 179),
        ("<|im_end|>", 180),
        ("<|vision_start|>", 181),
        ("<|vision_end|>", 182),
        ("<|image_pad|>", 184),
    ];
    tokenizer(&folder, 0, &specials);
    let processor = json!({"patch_size": 8, "temporal_patch_size": 2, "merge_size": 2,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]});
    fs::write(
        folder.join("preprocessor_config.json"),
        processor.to_string(),
    )
    .unwrap();
}

pub(crate) fn picture(path: &Path, shade: u8) {
    let picture = image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([shade, x as u8, y as u8]));
    picture.save(path).unwrap();
}

pub(crate) const LIMITS: &str = "min_pixels = 256\nmax_pixels = 2048\n";

#[test]
fn a_question_about_a_picture_is_answered_in_words() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    picture(&dir.path().join("a.png"), 40);
    let item = json!({"id": "q", "prompt": "what is it?", "images": ["a.png"], "answers": ["x"]});
    fs::write(dir.path().join("items.jsonl"), format!("{item}\n")).unwrap();
    let suite = "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"understand\"\n\n[items]\n\
                 file = \"items.jsonl\"\n\n[grade]\nrule = \"contains\"\n";
    fs::write(dir.path().join("own.toml"), suite).unwrap();
    let model = format!(
        "name = \"vl\"\ntitle = \"VL\"\ngenerator = \"qwen-vl\"\n\n[settings]\ncheckpoint = \"tiny\"\nmax_new_tokens = 5\n\
         {LIMITS}"
    );
    fs::write(dir.path().join("vl.toml"), model).unwrap();
    unigauge(dir.path())
        .args(["run", "own.toml", "--model", "vl.toml", "--device", "cpu"])
        .assert()
        .success();
    let run = dir.path().join("results/own/vl/seed0");
    let answer = &lines(&run.join("outputs.jsonl"))[0];
    assert_eq!(answer["kind"], "text");
    assert!(answer["text"].is_string(), "{answer}");
    // Neither a system turn nor the padding: the picture has 2 × 3 tokens at most.
    assert!(answer["input_tokens"].as_u64().unwrap() < 60, "{answer}");
}

#[test]
fn an_observer_names_the_model_that_it_asked() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    fs::create_dir(dir.path().join("images")).unwrap();
    picture(&dir.path().join("images/i0.png"), 40);
    let question = json!({"id": 1, "dependency": "0", "category_broad": "entity", "category_detailed": "whole",
        "tuple": "entity - whole (sign)", "question": "Is there a sign?"});
    let item = json!({"id": "i0", "prompt": "a sign", "propositions": [question]});
    fs::write(dir.path().join("items.jsonl"), format!("{item}\n")).unwrap();
    let suite = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [\"qwen-vqa\"]\n\n[items]\n\
         file = \"items.jsonl\"\n\n[items.map]\nexpect = [\"propositions\"]\n\n[grade]\nrule = \"dpg-bench\"\n\n\
         [observe.qwen-vqa]\ncheckpoint = \"tiny\"\nmax_new_tokens = 5\n{LIMITS}"
    );
    fs::write(dir.path().join("own.toml"), suite).unwrap();
    let output = unigauge(dir.path())
        .args(["observe", "--device", "cpu", "--suite", "own.toml"])
        .args(["--images", "images"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let run = dir.path().join("results/own/folder/seed0");
    let evidence = &lines(&run.join("evidence.jsonl"))[0]["evidence"];
    assert_eq!(evidence["engine"], "qwen3-vl");
}

#[test]
fn a_mixture_of_experts_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let file = dir.path().join("tiny/config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["model_type"] = json!("qwen3_vl_moe");
    fs::write(&file, config.to_string()).unwrap();
    let model = "name = \"vl\"\ntitle = \"VL\"\ngenerator = \"qwen-vl\"\n\n[settings]\ncheckpoint = \"tiny\"\n";
    fs::write(dir.path().join("vl.toml"), model).unwrap();
    let item = json!({"id": "q", "prompt": "what is it?", "answers": ["x"]});
    fs::write(dir.path().join("items.jsonl"), format!("{item}\n")).unwrap();
    let suite = "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"understand\"\n\n[items]\n\
                 file = \"items.jsonl\"\n\n[grade]\nrule = \"contains\"\n";
    fs::write(dir.path().join("own.toml"), suite).unwrap();
    let output = unigauge(dir.path())
        .args([
            "generate", "own.toml", "--model", "vl.toml", "--device", "cpu",
        ])
        .assert()
        .failure();
    let text = stderr(output.get_output());
    assert!(text.contains("mixture of experts"), "{text}");
}
