//! The settings of the `xomni` generator.

use crate::generate::place::Precision;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `xomni` generator; defaults are the authors' command line's.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XOmniSettings {
    /// Folder that holds `xomni/` (a checkpoint as its authors publish it) and `flux/` (FLUX.1-dev's `vae`
    /// and `scheduler`; for an English checkpoint also `text_encoder`, `text_encoder_2`, `tokenizer`,
    /// `tokenizer_2`).
    pub checkpoint: PathBuf,
    /// `[width, height]` in pixels; each side is cut to whole tokens of 16 pixels.
    #[serde(default = "size")]
    pub size: [u32; 2],
    /// Scores of image tokens are divided by it.
    #[serde(default = "neutral_factor")]
    pub temperature: f64,
    /// Only so many of the likeliest image tokens are codes_step, 0 for all. Default: the checkpoint's
    /// `generation_config.json`, else 50, which the authors' library applies unasked.
    #[serde(default)]
    pub top_k: Option<usize>,
    /// Only the likeliest image tokens that together reach this probability.
    #[serde(default = "neutral_factor")]
    pub top_p: f64,
    /// Only image tokens at least so many times as likely as the likeliest.
    #[serde(default = "min_p")]
    pub min_p: f64,
    /// Guidance of the image tokens by the difference to an empty prompt; 1 for none.
    #[serde(default = "neutral_factor")]
    pub cfg_scale: f64,
    /// Pictures whose image tokens are codes_step together. What a picture looks like does not depend on it,
    /// but for rounding.
    #[serde(default = "batch_size")]
    pub batch_size: usize,
    /// Euler steps of the decoder. Default: `vision_config.decoder.num_inference_steps` of the checkpoint.
    #[serde(default)]
    pub num_inference_steps: Option<usize>,
    /// Guidance of the decoder by the difference to an empty condition. Default:
    /// `vision_config.decoder.cfg_scale` of the checkpoint.
    #[serde(default)]
    pub decoder_cfg_scale: Option<f64>,
    /// Tokens of T5 where the decoder reads the prompt, padded or cut to this.
    #[serde(default = "t5_length")]
    pub max_sequence_length: usize,
    /// `[width, height]` that a finished picture is resized to (bicubic).
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// Longest answer in words, in tokens.
    #[serde(default = "t5_length")]
    pub max_new_tokens: usize,
    /// Resizes input images of any size and shape, instead of refusing those that the tokenizer was not
    /// trained on.
    #[serde(default)]
    pub any_image_size: bool,
    /// The number format of weights and activations.
    #[serde(default)]
    pub precision: Precision,
}

fn size() -> [u32; 2] {
    [1152, 1152]
}

fn neutral_factor() -> f64 {
    1.0
}

fn min_p() -> f64 {
    0.03
}

fn batch_size() -> usize {
    8
}

fn t5_length() -> usize {
    512
}
