//! The training of the miniature UNet, with a smaller network, and the generator over its result.

use crate::support::{self, lines, trained_until, unigauge};
use candle_core::{Device, Tensor};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use unigauge::train::{Outcome, TrainError};

/// The committed definition with about a twentieth of the parameters.
const SMALL: [&str; 12] = [
    "steps=8",
    "batch=4",
    "optimizer.warmup=2",
    "network.unet.block_out_channels=[8, 16, 16]",
    "network.unet.attention_head_dim=2",
    "network.unet.cross_attention_dim=16",
    "network.unet.norm_num_groups=4",
    "network.text_encoder.hidden_size=16",
    "network.text_encoder.intermediate_size=32",
    "network.text_encoder.num_attention_heads=2",
    "settings.samples=32",
    "save_every=100",
];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The key of `KEY=VALUE`.
fn key(set: &str) -> &str {
    set.split('=').next().unwrap()
}

const NAME: &str = "mini-unet";

/// The definition of the small network, changed by `more`.
fn small(more: &[&str]) -> Vec<String> {
    let vae = format!("from.vae={:?}", root("shipped/mini-vae"));
    // A key that stands twice is a mistake, so a change replaces the line of its key.
    let kept = SMALL
        .into_iter()
        .filter(|set| more.iter().all(|other| key(other) != key(set)));
    kept.chain(more.iter().copied())
        .chain([vae.as_str()])
        .map(str::to_owned)
        .collect()
}

fn complete(folder: &Path, more: &[&str]) -> Value {
    support::trained(NAME, folder, &small(more), None).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn tensors(path: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";
const TEXT: &str = "text_encoder/model.safetensors";

#[test]
fn a_miniature_learns_and_the_generator_draws_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("small-unet");
    let record = complete(
        &folder,
        &["steps=60", "batch=8", "optimizer.learning_rate=3e-3"],
    );
    for number in ["single_object", "color_attr", "overall"] {
        assert!(record["checked"][number].is_number(), "{number}: {record}");
    }
    // Summed by hand over the layers, by a sum that gives 859,520,964 and 123,060,480 for SD 1.5.
    assert_eq!(record["parameters"], 108_296);
    for (file, count) in [(UNET, 96_552), (TEXT, 11_744)] {
        let tensors = tensors(&folder.join(file));
        let numbers: usize = tensors.values().map(Tensor::elem_count).sum();
        assert_eq!(numbers, count, "{file}");
    }
    let curve = lines(&folder.join("curve.jsonl"));
    let losses: Vec<f64> = curve
        .iter()
        .filter_map(|line| line["loss"].as_f64())
        .collect();
    assert_eq!(losses.len(), 60);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    // The four batches come again in turn. The first velocities are nearly 0, so the loss begins near 1.
    assert!(
        mean(&losses[52..]) < 0.98 * mean(&losses[..8]),
        "{losses:?}"
    );

    // The layout of Stable Diffusion 1.5.
    let index = json(&folder.join("model_index.json"));
    assert_eq!(index["_class_name"], "StableDiffusionPipeline");
    assert_eq!(index["scheduler"][1], "DDIMScheduler");
    let scheduler = json(&folder.join("scheduler/scheduler_config.json"));
    assert_eq!(scheduler["prediction_type"], "v_prediction");
    // The autoencoder is the frozen one. Its file says that there are no quantisation convolutions.
    let (vae, frozen) = (folder.join("vae"), root("shipped/mini-vae"));
    let (mut config, before) = (
        json(&vae.join("config.json")),
        json(&frozen.join("config.json")),
    );
    for key in ["use_quant_conv", "use_post_quant_conv"] {
        assert_eq!(
            config.as_object_mut().unwrap().remove(key),
            Some(false.into())
        );
    }
    assert_eq!(config, before);
    let weights = |folder: &Path| fs::read(folder.join("diffusion_pytorch_model.safetensors"));
    assert_eq!(weights(&vae).unwrap(), weights(&frozen).unwrap());

    let drawn = |name: &str, guidance: &str| {
        let text = format!(
            "name = \"{name}\"\ntitle = \"Small\"\ngenerator = \"stable-diffusion\"\n\n[settings]\n\
             checkpoint = \"small-unet\"\nnum_inference_steps = 4\nguidance_scale = {guidance}\nsize = [32, 32]\n"
        );
        let file = format!("{name}.toml");
        fs::write(dir.path().join(&file), text).unwrap();
        let mut command = unigauge(dir.path());
        command.args(["generate", "mini-geneval", "--device", "cpu"]);
        command
            .args(["--model", &file, "--limit", "2", "--repeats", "1"])
            .assert()
            .success();
        let run = format!("results/mini-geneval/{name}/seed0-limit2");
        let run = dir.path().join(run);
        let outputs = lines(&run.join("outputs.jsonl"));
        assert_eq!(outputs.len(), 2);
        for output in &outputs {
            let size = [&output["width"], &output["height"]].map(Value::as_u64);
            assert_eq!(size, [Some(32), Some(32)], "{output}");
        }
        outputs[0]["sha256"].clone()
    };
    // The empty prompt of the guidance changes the picture.
    assert_ne!(drawn("plain", "1.0"), drawn("guided", "4.0"));
}

#[test]
fn a_training_that_was_stopped_goes_on_to_the_same_weights() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, stopped) = (dir.path().join("whole"), dir.path().join("stopped"));
    complete(&whole, &[]);
    let outcome = trained_until(NAME, &stopped, &small(&[]), 3).unwrap();
    assert_eq!(outcome, Outcome::Interrupted { step: 3 });
    assert!(!stopped.join(UNET).exists());
    complete(&stopped, &[]);
    for file in [UNET, TEXT, "curve.jsonl"] {
        let of = |folder: &Path| fs::read(folder.join(file)).unwrap();
        assert_eq!(of(&whole), of(&stopped), "{file}");
    }
    // Both networks learn: all tensors have moved since the second step. The bias of a text encoder's keys
    // adds the same to all scores of a query, so that it has no gradient.
    let shorter = dir.path().join("shorter");
    complete(&shorter, &["steps=2"]);
    for file in [UNET, TEXT] {
        let (long, short) = (tensors(&whole.join(file)), tensors(&shorter.join(file)));
        let flat = |x: &Tensor| -> Vec<f32> {
            let x = x.to_dtype(candle_core::DType::F32).unwrap();
            x.flatten_all().unwrap().to_vec1().unwrap()
        };
        let moving = long
            .iter()
            .filter(|(name, _)| !name.ends_with("k_proj.bias"));
        for (name, tensor) in moving {
            assert_ne!(flat(tensor), flat(&short[name]), "{name}");
        }
    }
}

#[test]
fn mistakes_of_the_definition_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (set, message) in [
        (
            "network.unet.in_channels=4",
            "`network.unet.in_channels` is 4; it must be 8",
        ),
        (
            "network.unet.cross_attention_dim=24",
            "`network.unet.cross_attention_dim` is 24; it must be 16",
        ),
        (
            "network.text_encoder.vocab_size=90",
            "`network.text_encoder.vocab_size` is 90",
        ),
        ("network.unet.norm_num_groups=3", "3 groups do not divide"),
        (
            "network.scheduler._class_name=\"FlowMatchEulerDiscreteScheduler\"",
            "`FlowMatchEulerDiscreteScheduler` is not a scheduler of this task",
        ),
        (
            "network.scheduler.rescale_betas_zero_snr=true",
            "`rescale_betas_zero_snr` = true is not supported",
        ),
        (
            "settings.drop_text=1.5",
            "`settings.drop_text` is 1.5; it must be 0 to 1",
        ),
        (
            "settings.times.deviation=0.0",
            "`deviation` must be above 0",
        ),
        ("settings.drop_pooled=0.5", "drop_pooled"),
    ] {
        let wrong = dir.path().join("wrong");
        let error = support::trained(NAME, &wrong, &small(&[set]), None).unwrap_err();
        assert!(matches!(error, TrainError::Definition { .. }), "{error:?}");
        let error = error.to_string();
        assert!(error.contains(message), "{set}: {error}");
    }
}
