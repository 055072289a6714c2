//! The settings of the `z-image` generator.

use crate::generate::place::Precision;
use crate::generate::stable_diffusion::NoiseKind;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `z-image` generator. The defaults are those of the example in Z-Image-Turbo's model card.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZImageSettings {
    /// The folder as diffusers publishes it, with `transformer`, `vae`, `text_encoder`, `tokenizer` and
    /// `scheduler`.
    pub checkpoint: PathBuf,
    /// Number of Euler steps.
    #[serde(default = "steps")]
    pub num_inference_steps: usize,
    /// Scale of the guidance: the difference that the prompt makes is added this many times. 0 means no
    /// guidance, and 4 is what other models call 5.
    #[serde(default)]
    pub guidance_scale: f64,
    /// What the picture must not show.
    #[serde(default)]
    pub negative_prompt: String,
    /// Largest number of tokens of a prompt with its template, to which it is cut.
    #[serde(default = "length")]
    pub max_sequence_length: usize,
    /// `[width, height]` in pixels, multiples of 16.
    #[serde(default = "size")]
    pub size: [u32; 2],
    /// `[width, height]` to which a finished picture is resized (bicubic). Default: no resizing.
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// The random numbers from which a picture starts.
    #[serde(default)]
    pub noise: NoiseKind,
    /// The number format of weights and activations.
    #[serde(default)]
    pub precision: Precision,
}

fn steps() -> usize {
    8
}

fn length() -> usize {
    512
}

fn size() -> [u32; 2] {
    [1024, 1024]
}
