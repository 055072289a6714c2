//! The phase beside the pipelines of diffusers, on the parity cases.

use super::*;
use crate::generate::pipeline::{AnyNetwork, CheckpointFolder};
use crate::generate::qwen_image::release::Release;
use crate::model::qwen_image::{QwenVaeConfig, QwenVaeEncoder};
use crate::model::read_config;
use crate::model::weights::{Files, load};
use std::path::{Path, PathBuf};
use std::sync::Arc;

type Tensors = std::collections::HashMap<String, Tensor>;

fn case(name: &str) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    golden.join(name)
}

fn tensors(case: &Path, name: &str) -> Tensors {
    candle_core::safetensors::load(case.join(name), &Device::Cpu).unwrap()
}

/// The phase of a case with its own scale of the guidance.
fn denoise(case: &Path, release: Release, scale: f64) -> Denoise {
    let folder = CheckpointFolder::new(&case.join("checkpoint"), DType::F32);
    let settings = json!({"checkpoint": "x", "num_inference_steps": 3, "true_cfg_scale": scale});
    let settings: QwenImageSettings = serde_json::from_value(settings).unwrap();
    let config: QwenImageConfig = folder.config("transformer/config.json").unwrap();
    let info = NetworkInfo::new("transformer", folder.location_of("transformer"), DType::F32);
    let channels = config.out_channels;
    let network = Network::new(info, move |weights| {
        QwenImageTransformer::new(&config, weights)
    });
    network.open(folder.shelf(), &Device::Cpu).unwrap();
    let (scheduler, written) = scheduler_of(&folder).unwrap();
    Denoise {
        network,
        scheduler,
        written,
        pictures: Pictures::new(&settings, release),
        settings,
        channels,
        cell: 4,
        device: Device::Cpu,
        dtype: DType::F32,
    }
}

/// The references of a case, as the phase before stores them.
fn references(case: &Path, inputs: &Tensors) -> Named {
    let folder = case.join("checkpoint/vae");
    let config: QwenVaeConfig = read_config(&folder.join("config.json")).unwrap();
    let files = Arc::new(Files::open(&folder).unwrap());
    let build = |weights: &_| QwenVaeEncoder::new(&config, weights);
    let encoder = load(&files, DType::F32, &Device::Cpu, build).unwrap();
    let (mut tokens, mut grids) = (Vec::new(), Vec::new());
    for number in 0..2 {
        let Some(image) = inputs.get(&format!("image.{number}")) else {
            break;
        };
        let encoded = encoder.encode(image).unwrap();
        let (_, _, height, width) = encoded.dims4().unwrap();
        grids.push((height / 2, width / 2));
        tokens.push(latents::pack(&encoded).unwrap());
    }
    let tokens = Tensor::cat(&tokens, 1).unwrap();
    References { tokens, grids }.named().unwrap()
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    let difference = (a - b).unwrap().abs().unwrap();
    let flat = difference.flatten_all().unwrap();
    flat.max(0).unwrap().to_scalar().unwrap()
}

#[test]
fn latents_equal_those_of_diffusers() {
    for (name, release) in [
        ("qwen_image", Release::Image),
        ("qwen_image_edit", Release::Edit),
        ("qwen_image_edit_2511", Release::EditPlus),
    ] {
        let case = case(name);
        let inputs = tensors(&case, "inputs.safetensors");
        let expected = tensors(&case, "expected.safetensors");
        let scale = inputs["true_cfg_scale"].flatten_all().unwrap();
        let scale: Vec<f32> = scale.to_dtype(DType::F32).unwrap().to_vec1().unwrap();
        let denoise = denoise(&case, release, f64::from(scale[0]));
        denoise.check().unwrap();
        let mut before = Named::new();
        if release.edits() {
            before = references(&case, &inputs);
        }
        for name in [PROMPT, NEGATIVE_PROMPT] {
            before.insert(name.to_owned(), inputs[name].clone());
        }
        let grid = inputs["latent_grid"].to_dtype(DType::I64).unwrap();
        let grid: Vec<i64> = grid.to_vec1().unwrap();
        let grid = (grid[0] as usize, grid[1] as usize);
        let noise = inputs["noise"].clone();
        let x = denoise.steps(noise.clone(), grid, &before, &Cancel::default());
        let x = x.unwrap();
        let off = largest_difference(&x, &expected["latents"]);
        assert!(off < 2e-4, "{name}: {off}");

        // Without guidance, the negative prompt is not needed, and the latents are others.
        before.remove(NEGATIVE_PROMPT);
        let plain = Denoise {
            settings: QwenImageSettings {
                true_cfg_scale: 1.0,
                ..denoise.settings.clone()
            },
            ..denoise
        };
        let other = plain.steps(noise, grid, &before, &Cancel::default());
        let off = largest_difference(&other.unwrap(), &expected["latents"]);
        assert!(off > 1e-3, "{name}: {off}");
    }
}

// 990.99 is between the bf16 numbers 988 and 992, and 0.992 between 0.98828125 and 0.9921875.
#[test]
fn a_time_is_rounded_twice_in_half_precision() {
    assert_eq!(as_seen(990.99, DType::BF16), 0.992_187_5);
    assert_eq!(as_seen(1000.0, DType::BF16), 1.0);
    assert_eq!(as_seen(20.0, DType::F32), 0.02);
}
