//! The settings of the `flux` generator.

use crate::generate::place::Precision;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `flux` generator. The defaults are those of the example in FLUX.1-dev's model card.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FluxSettings {
    /// The folder as it is published, with `transformer`, `vae`, `text_encoder`, `text_encoder_2`,
    /// `tokenizer`, `tokenizer_2` and `scheduler`. Next to the published `config.json`, `transformer` may
    /// have the authors' own `flux1-dev.safetensors`, and `vae` may have their `ae.safetensors`.
    pub checkpoint: PathBuf,
    /// Number of Euler steps.
    #[serde(default = "steps")]
    pub num_inference_steps: usize,
    /// Scale of the distilled guidance.
    #[serde(default = "guidance")]
    pub guidance_scale: f64,
    /// Number of tokens for T5, to which the prompt is padded or cut.
    #[serde(default = "t5_length")]
    pub max_sequence_length: usize,
    /// `[width, height]` in pixels.
    #[serde(default = "size")]
    pub size: [u32; 2],
    /// `[width, height]` to which a finished picture is resized (bicubic). Default: no resizing.
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
