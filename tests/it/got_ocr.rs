//! The observer `got-ocr`: tests/golden/got_ocr/make.py says where the expected readings come from.

use crate::support::{lines, stderr, unigauge};
use candle_core::{Device, safetensors};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const PICTURES: [&str; 3] = ["page", "strip", "square"];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/got_ocr")
}

/// What the observer wrote down for each picture, by name.
fn read(dir: &Path, checkpoint: &Path, settings: &str) -> Vec<(&'static str, Value)> {
    let items = PICTURES.map(|name| {
        let item = json!({"id": name, "prompt": "a page", "texts": ["S d"], "language": "en"});
        format!("{item}\n")
    });
    fs::write(dir.join("own.jsonl"), items.concat()).unwrap();
    let suite = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [\"got-ocr\"]\n\n\
         [items]\nfile = \"own.jsonl\"\n\n[items.map]\nexpect = [\"texts\", \"language\"]\n\n\
         [grade]\nrule = \"longtext\"\n\n[observe.got-ocr]\ncheckpoint = {checkpoint:?}\n\
         max_new_tokens = 24\nno_repeat_ngram_size = 4\n{settings}\n"
    );
    fs::write(dir.join("own.toml"), suite).unwrap();
    let out = tempfile::tempdir_in(dir).unwrap();
    let output = unigauge(dir)
        .args(["observe", "--device", "cpu", "--suite", "own.toml", "--out"])
        .arg(out.path())
        .arg("--images")
        .arg(golden().join("images"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let evidence = lines(&out.path().join("own/folder/seed0/evidence.jsonl"));
    let of = |name: &'static str| {
        let record = evidence.iter().find(|line| line["item"] == name).unwrap();
        (name, record["evidence"].clone())
    };
    PICTURES.map(of).into()
}

#[test]
fn readings_are_those_of_transformers() {
    let expected = fs::read(golden().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (kind, settings) in [
        ("plain", ""),
        (
            "format, as the authors ask",
            "format = true\nleading_blank = false",
        ),
        ("tiles", "tiles = true\nmax_tiles = 6"),
    ] {
        for (name, evidence) in read(dir.path(), &golden().join("checkpoint"), settings) {
            let want = &expected["readings"][name][kind];
            for key in ["text", "tiles", "truncated"] {
                assert_eq!(evidence[key], want[key], "{name}, {kind}: {key}");
            }
            assert_eq!(evidence["engine"], "GOT-OCR2.0");
        }
    }
}

/// The same weights under the names of the authors' checkpoint.
#[test]
fn the_layout_of_the_authors_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let other = dir.path().join("authors");
    fs::create_dir(&other).unwrap();
    let checkpoint = golden().join("checkpoint");
    for file in ["config.json", "tokenizer.json"] {
        fs::copy(checkpoint.join(file), other.join(file)).unwrap();
    }
    let tensors = safetensors::load(checkpoint.join("model.safetensors"), &Device::Cpu).unwrap();
    let tower = "model.vision_tower_high";
    let renamed: HashMap<String, _> = tensors
        .into_iter()
        .map(|(name, tensor)| {
            let name = name
                .replace("language_model.model.", "model.")
                .replace(
                    "multi_modal_projector.conv_upsampler1",
                    &format!("{tower}.net_2"),
                )
                .replace(
                    "multi_modal_projector.conv_upsampler2",
                    &format!("{tower}.net_3"),
                )
                .replace(
                    "multi_modal_projector.multimodal_projector",
                    "model.mm_projector_vary",
                )
                .replace("vision_tower.neck.conv1", &format!("{tower}.neck.0"))
                .replace("vision_tower.neck.layer_norm1", &format!("{tower}.neck.1"))
                .replace("vision_tower.neck.conv2", &format!("{tower}.neck.2"))
                .replace("vision_tower.neck.layer_norm2", &format!("{tower}.neck.3"))
                .replace("vision_tower.layers", &format!("{tower}.blocks"))
                .replace(
                    "vision_tower.patch_embed.projection",
                    &format!("{tower}.patch_embed.proj"),
                )
                .replace("vision_tower.pos_embed", &format!("{tower}.pos_embed"))
                .replace(".layer_norm1.", ".norm1.")
                .replace(".layer_norm2.", ".norm2.");
            (name, tensor)
        })
        .collect();
    safetensors::save(&renamed, other.join("model.safetensors")).unwrap();
    assert_eq!(
        read(dir.path(), &other, ""),
        read(dir.path(), &checkpoint, "")
    );
}

#[test]
fn a_checkpoint_that_does_not_fit_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("broken");
    fs::create_dir(&broken).unwrap();
    for file in ["tokenizer.json", "model.safetensors"] {
        fs::copy(golden().join("checkpoint").join(file), broken.join(file)).unwrap();
    }
    let config = fs::read_to_string(golden().join("checkpoint/config.json")).unwrap();
    fs::write(
        broken.join("config.json"),
        config.replace("\"image_seq_length\": 4", "\"image_seq_length\": 5"),
    )
    .unwrap();
    fs::write(
        dir.path().join("own.jsonl"),
        "{\"id\": \"page\", \"prompt\": \"p\", \"texts\": [\"S\"], \"language\": \"en\"}\n",
    )
    .unwrap();
    fs::write(
        dir.path().join("own.toml"),
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [\"got-ocr\"]\n\n\
         [items]\nfile = \"own.jsonl\"\n\n[items.map]\nexpect = [\"texts\", \"language\"]\n\n[grade]\nrule = \"longtext\"\n\n\
         [observe.got-ocr]\ncheckpoint = \"broken\"\n",
    )
    .unwrap();
    let output = unigauge(dir.path())
        .args([
            "observe", "--device", "cpu", "--suite", "own.toml", "--images",
        ])
        .arg(golden().join("images"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    let told = stderr(&output);
    assert!(
        told.contains("image_seq_length") && told.contains("config.json"),
        "{told}"
    );
}
