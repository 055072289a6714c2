//! The settings of the `qwen-image` generator.

use crate::generate::place::Precision;
use crate::generate::stable_diffusion::NoiseKind;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `qwen-image` generator. The defaults are those of the example in Qwen-Image's model card.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QwenImageSettings {
    /// The folder as diffusers publishes it, with `model_index.json`, `transformer`, `vae`, `text_encoder`,
    /// `tokenizer` and `scheduler`, and for edits `processor`. `model_index.json` says whether it edits
    /// pictures.
    pub checkpoint: PathBuf,
    /// Number of Euler steps.
    #[serde(default = "steps")]
    pub num_inference_steps: usize,
    /// Scale of the guidance. Up to 1, there is no guidance, and an evaluation takes half the time.
    #[serde(default = "guidance")]
    pub true_cfg_scale: f64,
    /// What the picture must not show. The default is one space.
    #[serde(default = "space")]
    pub negative_prompt: String,
    /// Words that are added to the end of every prompt.
    #[serde(default)]
    pub prompt_suffix: String,
    /// The system turn before the prompt. Default: that with which the release was trained.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// Largest number of tokens of a prompt after its system turn, to which it is cut, from 1 to 1024.
    /// Default: 512. Instructions of edits are not cut.
    #[serde(default)]
    pub max_sequence_length: Option<usize>,
    /// `[width, height]` in pixels, multiples of 16. Default: `[1328, 1328]`, and for edits that of the last
    /// input image as the network reads it.
    #[serde(default)]
    pub size: Option<[u32; 2]>,
    /// `[width, height]` to which a finished picture is resized (bicubic). Default: no resizing.
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// The area, in pixels, to which an input image is resized in its own ratio, as far as sides of multiples
    /// of 32 allow.
    #[serde(default = "reference_pixels")]
    pub reference_pixels: u64,
    /// The same for the image that the language model sees. Default: 384 × 384 for Qwen-Image-Edit-2509 and
    /// -2511, and `reference_pixels` for Qwen-Image-Edit.
    #[serde(default)]
    pub vision_pixels: Option<u64>,
    /// The random numbers from which a picture starts.
    #[serde(default)]
    pub noise: NoiseKind,
    /// The number format of weights and activations. In `f16`, activations overflow.
    #[serde(default)]
    pub precision: Precision,
}

impl QwenImageSettings {
    /// Whether there is guidance.
    pub(super) fn is_guided(&self) -> bool {
        self.true_cfg_scale > 1.0
    }
}

fn steps() -> usize {
    50
}

fn guidance() -> f64 {
    4.0
}

fn space() -> String {
    " ".into()
}

fn reference_pixels() -> u64 {
    1024 * 1024
}
