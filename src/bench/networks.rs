//! What is timed of each network.

use super::{Clock, Report, Seconds, memory, xomni};
use crate::model::clip::{Clip, ClipConfig};
use crate::model::conversation::Conversation;
use crate::model::flow_match::euler_step;
use crate::model::flux::{FluxConfig, FluxTransformer, latents};
use crate::model::flux_vae::{Decoder, Encoder, VaeConfig};
use crate::model::mask2former::{Mask2Former, Mask2FormerConfig};
use crate::model::qwen2_5_vl::{Config, Greedy, Qwen2_5Vl};
use crate::model::siglip::{SiglipConfig, SiglipVision};
use crate::model::weights::random;
use crate::model::{ModelError, Result};
use candle_core::{DType, Device, Tensor};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;
use std::time::Instant;

/// The networks that can be timed.
pub const NETWORKS: [&str; 8] = [
    "clip",
    "flux",
    "flux-vae",
    "mask2former",
    "qwen2.5-vl",
    "siglip",
    "xomni-ar",
    "xomni-decoder",
];

/// Sizes of the input.
#[derive(Debug, Clone, Copy)]
pub struct Shapes {
    /// Width and height of the picture in pixels.
    pub size: [usize; 2],
    /// Tokens of words before or beside the picture.
    pub text_tokens: usize,
    /// Tokens that are decoded.
    pub new_tokens: usize,
}

/// The configuration of a network for a size: `mid` runs in seconds on a CPU, `released` is the published
/// one.
pub fn preset(network: &str, released: bool) -> Option<&'static str> {
    Some(match (network, released) {
        ("flux", false) => include_str!("../../configs/bench/flux.json"),
        ("flux", true) => include_str!("../../configs/released/flux-1-dev/transformer.json"),
        // The released ones are small enough for both.
        ("clip", _) => include_str!("../../configs/released/clip-vit-l-14.json"),
        ("mask2former", _) => include_str!("../../configs/released/mask2former-swin-s.json"),
        ("flux-vae", _) => include_str!("../../configs/released/flux-1-dev/vae.json"),
        ("qwen2.5-vl", false) => include_str!("../../configs/bench/qwen2.5-vl.json"),
        ("qwen2.5-vl", true) => include_str!("../../configs/released/qwen2.5-vl-7b.json"),
        ("siglip", false) => include_str!("../../configs/bench/siglip.json"),
        ("siglip", true) => {
            include_str!("../../configs/released/siglip2-so400m-patch16-512.json")
        }
        ("xomni-ar", false) => include_str!("../../configs/bench/xomni-ar.json"),
        ("xomni-ar", true) => include_str!("../../configs/released/x-omni/config.json"),
        ("xomni-decoder", false) => include_str!("../../configs/bench/flux.json"),
        ("xomni-decoder", true) => include_str!("../../configs/released/x-omni/decoder-en.json"),
        _ => return None,
    })
}

/// Builds a network from a configuration (`file` is named in errors) and times it.
///
/// # Errors
/// Fails if the configuration or a size has a mistake, or the device has no room.
pub fn run(
    network: &str,
    config: &Value,
    file: &Path,
    shapes: Shapes,
    dtype: DType,
    clock: &Clock<'_>,
) -> Result<Report> {
    let device = format!("{:?}", clock.device.location()).to_lowercase();
    let mut report = Report::new(network, config.clone(), device, dtype.as_str());
    match network {
        "clip" => clip(&mut report, &read(config, file)?, dtype, clock)?,
        "mask2former" => mask2former(&mut report, &read(config, file)?, shapes, clock)?,
        "flux" => flux(&mut report, read(config, file)?, shapes, dtype, clock)?,
        "flux-vae" => flux_vae(&mut report, &read(config, file)?, shapes, dtype, clock)?,
        "qwen2.5-vl" => qwen(&mut report, &read(config, file)?, shapes, dtype, clock)?,
        "siglip" => siglip(&mut report, &read(config, file)?, dtype, clock)?,
        "xomni-ar" => xomni::ar(&mut report, &read(config, file)?, shapes, dtype, clock)?,
        "xomni-decoder" => xomni::decoder(&mut report, &read(config, file)?, shapes, dtype, clock)?,
        _ => {
            return Err(ModelError::Input(format!(
                "there is no network named `{network}` to time"
            )));
        }
    }
    report.peak_memory = memory::peak();
    Ok(report)
}

fn read<C: DeserializeOwned>(config: &Value, file: &Path) -> Result<C> {
    serde_json::from_value(config.clone())
        .map_err(|error| ModelError::config(file, error.to_string()))
}

pub(super) fn noise(shape: &[usize], dtype: DType, device: &Device) -> Result<Tensor> {
    Ok(Tensor::randn(0f32, 1.0, shape, device)?.to_dtype(dtype)?)
}

/// A side in tokens that span `pixels` each.
pub(super) fn tokens(side: usize, pixels: usize) -> Result<usize> {
    match side.checked_div(pixels) {
        Some(count) if count > 0 && side.is_multiple_of(pixels) => Ok(count),
        _ => Err(ModelError::Input(format!(
            "a side of {side} pixels is not a multiple of {pixels}, the side of one token"
        ))),
    }
}

pub(super) fn picture(report: &mut Report, shapes: Shapes) {
    report.shapes.insert("width", shapes.size[0]);
    report.shapes.insert("height", shapes.size[1]);
}

pub(super) fn note(report: &mut Report, phase: &'static str, seconds: Option<Seconds>) {
    if let Some(seconds) = seconds {
        report.phases.insert(phase, seconds);
    }
}

/// One Euler step: the transformer's forward and the update, with everything that stays the same prepared.
fn flux(
    report: &mut Report,
    config: FluxConfig,
    shapes: Shapes,
    dtype: DType,
    clock: &Clock<'_>,
) -> Result<()> {
    let device = clock.device;
    let (w, h) = (tokens(shapes.size[0], 16)?, tokens(shapes.size[1], 16)?);
    let (network, parameters) = random(dtype, device, |weights| {
        FluxTransformer::new(&config, weights)
    })?;
    report.parameters = parameters;
    picture(report, shapes);
    report.shapes.insert("image_tokens", h * w);
    report.shapes.insert("text_tokens", shapes.text_tokens);
    let x = noise(&[1, h * w, config.in_channels], dtype, device)?;
    let text = noise(
        &[1, shapes.text_tokens, config.joint_attention_dim],
        dtype,
        device,
    )?;
    let pooled = noise(&[1, config.pooled_projection_dim], dtype, device)?;
    let guidance = Tensor::new(&[3.5f32], device)?;
    let (image_ids, text_ids) = (
        latents::image_ids(h, w, device)?,
        latents::text_ids(shapes.text_tokens, device)?,
    );
    let guidance = config.guidance_embeds.then_some(&guidance);
    let conditioning = network.prepare(&text, &pooled, guidance, &image_ids, &text_ids)?;
    let sigma = Tensor::new(&[0.9f32], device)?;
    let seconds = clock.time("step", || {
        let velocity = network.forward(&x, &conditioning, &sigma, None)?;
        euler_step(&x, &velocity, 0.9, 0.85)
    })?;
    note(report, "step", seconds);
    Ok(())
}

fn flux_vae(
    report: &mut Report,
    config: &VaeConfig,
    shapes: Shapes,
    dtype: DType,
    clock: &Clock<'_>,
) -> Result<()> {
    let scale = config.scale_factor();
    let (w, h) = (
        tokens(shapes.size[0], scale)?,
        tokens(shapes.size[1], scale)?,
    );
    report.shapes.insert("latent_height", h);
    report.shapes.insert("latent_width", w);
    let (decoder, decoding) = random(dtype, clock.device, |weights| Decoder::new(config, weights))?;
    let latents = noise(&[1, config.latent_channels, h, w], dtype, clock.device)?;
    note(
        report,
        "decode",
        clock.time("decode", || decoder.decode(&latents))?,
    );
    drop(decoder);
    let (encoder, encoding) = random(dtype, clock.device, |weights| Encoder::new(config, weights))?;
    let pixels = noise(
        &[1, config.in_channels, scale * h, scale * w],
        dtype,
        clock.device,
    )?;
    note(
        report,
        "encode",
        clock.time("encode", || encoder.mean(&pixels))?,
    );
    report.parameters = decoding + encoding;
    Ok(())
}

/// Both towers, one picture or one text at a time.
fn clip(report: &mut Report, config: &ClipConfig, dtype: DType, clock: &Clock<'_>) -> Result<()> {
    let (network, parameters) = random(dtype, clock.device, |weights| Clip::new(config, weights))?;
    report.parameters = parameters;
    let (side, context) = (network.image_size(), network.context());
    let pixels = noise(&[1, 3, side, side], dtype, clock.device)?;
    let ids = Tensor::ones((1, context), DType::U32, clock.device)?;
    let seconds = clock.time("image", || network.image_features(&pixels))?;
    note(report, "image", seconds);
    let seconds = clock.time("text", || network.text_features(&ids))?;
    note(report, "text", seconds);
    Ok(())
}

/// One picture, at the size that the network sees; always in f32.
fn mask2former(
    report: &mut Report,
    config: &Mask2FormerConfig,
    shapes: Shapes,
    clock: &Clock<'_>,
) -> Result<()> {
    picture(report, shapes);
    report.dtype = DType::F32.as_str();
    let (network, parameters) = random(DType::F32, clock.device, |weights| {
        Mask2Former::new(config, weights)
    })?;
    report.parameters = parameters;
    let [width, height] = shapes.size;
    let pixels = noise(&[1, 3, height, width], DType::F32, clock.device)?;
    let seconds = clock.time("forward", || network.forward(&pixels))?;
    note(report, "forward", seconds);
    Ok(())
}

fn siglip(
    report: &mut Report,
    config: &SiglipConfig,
    dtype: DType,
    clock: &Clock<'_>,
) -> Result<()> {
    let config = config.vision();
    let side = config.image_size;
    let patches = tokens(side, config.patch_size)?.pow(2);
    report.shapes.insert("patches", patches);
    let (network, parameters) = random(dtype, clock.device, |weights| {
        SiglipVision::new(config, weights)
    })?;
    report.parameters = parameters;
    let pixels = noise(&[1, config.num_channels, side, side], dtype, clock.device)?;
    note(
        report,
        "forward",
        clock.time("forward", || network.forward(&pixels))?,
    );
    report.rate("forward", patches);
    Ok(())
}

/// The vision tower; the prompt up to its first new token, picture included; every further token.
fn qwen(
    report: &mut Report,
    config: &Config,
    shapes: Shapes,
    dtype: DType,
    clock: &Clock<'_>,
) -> Result<()> {
    let vision = &config.vision;
    let span = vision.patch_size * vision.spatial_merge_size;
    let merged = tokens(shapes.size[0], span)? * tokens(shapes.size[1], span)?;
    let grid = [
        1,
        shapes.size[1] / vision.patch_size,
        shapes.size[0] / vision.patch_size,
    ];
    let (network, parameters) = random(dtype, clock.device, |weights| {
        Qwen2_5Vl::new(config, weights)
    })?;
    report.parameters = parameters;
    let patches = grid[1] * grid[2];
    let pixels = noise(&[patches, vision.patch_values()], dtype, clock.device)?;
    let words = (0..shapes.text_tokens).map(|number| (number % 100) as u32);
    let pads = std::iter::repeat_n(config.image_token_id, merged);
    let conversation = Conversation {
        ids: pads.chain(words).collect(),
        pixel_values: Some(pixels.clone()),
        grids: vec![grid],
    };
    let prompt = conversation.ids.len();
    picture(report, shapes);
    report.shapes.insert("image_patches", patches);
    report.shapes.insert("prompt_tokens", prompt);
    report.shapes.insert("new_tokens", shapes.new_tokens);
    let seconds = clock.time("vision", || network.image_embeds(&pixels, &[grid]))?;
    note(report, "vision", seconds);
    let mut later = Vec::new();
    let answer = |most: usize, later: &mut Vec<f64>| {
        let greedy = Greedy {
            max_new_tokens: most,
            eos: &[],
            repetition_penalty: 1.0,
        };
        let mut last: Option<Instant> = None;
        network.generate_greedy(&conversation, greedy, &mut |_| {
            let now = Instant::now();
            later.extend(last.replace(now).map(|last| (now - last).as_secs_f64()));
            !clock.cancel.is_raised()
        })
    };
    let seconds = clock.time("prefill", || answer(1, &mut Vec::new()))?;
    note(report, "prefill", seconds);
    report.rate("prefill", prompt);
    answer(shapes.new_tokens, &mut later)?;
    note(report, "decode", Seconds::summarize(later));
    report.rate("decode", 1);
    Ok(())
}
