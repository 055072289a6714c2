//! The settings of the `stable-diffusion-3` generator.

use crate::generate::place::Precision;
use crate::generate::stable_diffusion::NoiseKind;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `stable-diffusion-3` generator. The defaults are those of StableDiffusion3Pipeline in
/// diffusers.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StableDiffusion3Settings {
    /// The folder as diffusers publishes it, with `model_index.json`, `transformer`, `vae`, `scheduler`,
    /// three text encoders and three tokenizers.
    pub checkpoint: PathBuf,
    /// The variant of the weights' files, such as `fp16` for `model.fp16.safetensors`. A part that has no
    /// file of this variant uses its plain one. Default: the plain files.
    #[serde(default)]
    pub variant: Option<String>,
    /// Number of Euler steps.
    #[serde(default = "steps")]
    pub num_inference_steps: usize,
    /// Scale of the guidance. Up to 1, there is no guidance, and an evaluation takes half the time.
    #[serde(default = "guidance")]
    pub guidance_scale: f64,
    /// What the picture must not show.
    #[serde(default)]
    pub negative_prompt: String,
    /// Number of tokens for T5, to which the prompt is padded or cut.
    #[serde(default = "t5_length")]
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
    28
}

fn guidance() -> f64 {
    7.0
}

fn t5_length() -> usize {
    256
}

fn size() -> [u32; 2] {
    [1024, 1024]
}
