//! The settings of the `flux` generator.

use crate::generate::place::Precision;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `flux` generator; defaults are the example of FLUX.1-dev's model card.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FluxSettings {
    /// The published folder: `transformer`, `vae`, `text_encoder`, `text_encoder_2`, `tokenizer`,
    /// `tokenizer_2`, `scheduler`. `transformer` may hold the authors' own `flux1-dev.safetensors`, and `vae`
    /// their `ae.safetensors`, beside the published `config.json`.
    pub checkpoint: PathBuf,
    /// Euler steps.
    #[serde(default = "steps")]
    pub num_inference_steps: usize,
    /// Distilled guidance.
    #[serde(default = "guidance")]
    pub guidance_scale: f64,
    /// Tokens of T5, padded or cut to this.
    #[serde(default = "t5_length")]
    pub max_sequence_length: usize,
    /// `[width, height]` in pixels.
    #[serde(default = "size")]
    pub size: [u32; 2],
    /// `[width, height]` that a finished picture is resized to (bicubic).
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// The number format of weights and activations.
    #[serde(default)]
    pub precision: Precision,
}

fn steps() -> usize {
    50
}

fn guidance() -> f64 {
    3.5
}

fn t5_length() -> usize {
    512
}

fn size() -> [u32; 2] {
    [1024, 1024]
}
