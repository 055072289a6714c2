//! The settings of the `xomni` generator.

use crate::generate::place::Precision;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `xomni` generator. The defaults are those of the authors' command line.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XOmniSettings {
    /// Folder with `xomni/` (a checkpoint as its authors publish it) and `flux/` (FLUX.1-dev's `vae` and
    /// `scheduler`; for an English checkpoint also `text_encoder`, `text_encoder_2`, `tokenizer`,
    /// `tokenizer_2`).
    pub checkpoint: PathBuf,
    /// Folder of another autoregressive model, with its weights, `config.json` and `tokenizer.json`, such as
    /// one after reinforcement learning. It must have been trained over the codes of the checkpoint's
    /// tokenizer. Default: `xomni/` in the checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_model: Option<PathBuf>,
    /// `[width, height]` in pixels. Each side is cut to whole tokens of 16 pixels.
    #[serde(default = "size")]
    pub size: [u32; 2],
    /// The scores of image tokens are divided by this number.
    #[serde(default = "neutral_factor")]
    pub temperature: f64,
    /// Number of the most likely image tokens from which one is drawn. 0 means all. Default: that in the
    /// checkpoint's `generation_config.json`, or else 50, as in the authors' library.
    #[serde(default)]
    pub top_k: Option<usize>,
    /// One of the most likely image tokens that together reach this probability is drawn. 1 means all.
    #[serde(default = "neutral_factor")]
    pub top_p: f64,
    /// Image tokens with less than this share of the probability of the most likely one are not drawn.
    #[serde(default = "min_p")]
    pub min_p: f64,
    /// Scale of the guidance of the image tokens by the difference to an empty prompt. 1 means no guidance.
    #[serde(default = "neutral_factor")]
    pub cfg_scale: f64,
    /// Number of pictures whose image tokens are drawn together. Apart from rounding, a picture does not
    /// depend on it.
    #[serde(default = "batch_size")]
    pub batch_size: usize,
    /// Number of Euler steps of the decoder. Default: `vision_config.decoder.num_inference_steps` of the
    /// checkpoint.
    #[serde(default)]
    pub num_inference_steps: Option<usize>,
    /// Scale of the guidance of the decoder by the difference to an empty condition. Default:
    /// `vision_config.decoder.cfg_scale` of the checkpoint.
    #[serde(default)]
    pub decoder_cfg_scale: Option<f64>,
    /// Number of tokens for T5, to which the prompt is padded or cut, if the decoder reads it.
    #[serde(default = "t5_length")]
    pub max_sequence_length: usize,
    /// `[width, height]` to which a finished picture is resized (bicubic). Default: no resizing.
    #[serde(default)]
    pub stored_size: Option<[u32; 2]>,
    /// Length of the longest answer in words, in tokens.
    #[serde(default = "t5_length")]
    pub max_new_tokens: usize,
    /// Whether input images of any size and shape are resized. Otherwise, images of sizes on which the
    /// tokenizer was not trained are refused.
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
