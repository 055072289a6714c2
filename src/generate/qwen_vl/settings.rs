//! The settings of the `qwen-vl` generator.

use crate::generate::place::Precision;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `qwen-vl` generator.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QwenVlSettings {
    /// The folder of Qwen2.5-VL or Qwen3-VL (dense, 2B to 32B) as it is published, with `config.json`, the
    /// weights, the tokenizer and `preprocessor_config.json`.
    pub checkpoint: PathBuf,
    /// Length of the longest answer, in tokens. An answer that reaches it is marked `answer_truncated`.
    #[serde(default = "new_tokens")]
    pub max_new_tokens: usize,
    /// Smallest area of an input image, in pixels. A smaller image is scaled up.
    #[serde(default = "min_pixels")]
    pub min_pixels: u64,
    /// Largest area of an input image, in pixels. A larger image is scaled down.
    #[serde(default = "max_pixels")]
    pub max_pixels: u64,
    /// The system turn, in place of that of the template.
    #[serde(default)]
    pub system: Option<String>,
    /// Makes tokens less likely that are already in the conversation. 1 is plain greedy decoding. The
    /// published `generation_config.json` has 1.05.
    #[serde(default = "neutral_factor")]
    pub repetition_penalty: f64,
    /// The number format of weights and activations.
    #[serde(default)]
    pub precision: Precision,
}

fn new_tokens() -> usize {
    1024
}

fn min_pixels() -> u64 {
    4 * 28 * 28
}

fn max_pixels() -> u64 {
    16384 * 28 * 28
}

fn neutral_factor() -> f64 {
    1.0
}
