//! The fields of a T5 `config.json`.

use crate::model::nn::Activation;
use crate::model::{ModelError, Result};
use serde::Deserialize;

/// The fields of a T5 `config.json` that the networks need.
#[derive(Debug, Clone, Deserialize)]
pub struct T5Config {
    /// Width of the token stream.
    pub d_model: usize,
    /// Width of an attention head.
    pub d_kv: usize,
    /// Width of the feed-forward.
    pub d_ff: usize,
    /// Number of layers of the encoder.
    pub num_layers: usize,
    /// Number of layers of the decoder. By default, it is that of the encoder.
    pub num_decoder_layers: Option<usize>,
    /// Number of attention heads.
    pub num_heads: usize,
    /// Number of tokens of the vocabulary.
    pub vocab_size: usize,
    /// Number of buckets of relative positions.
    #[serde(default = "default_buckets")]
    pub relative_attention_num_buckets: usize,
    /// Distance from which all positions share a bucket.
    #[serde(default = "default_distance")]
    pub relative_attention_max_distance: usize,
    /// Epsilon of the norms.
    #[serde(default = "default_eps")]
    pub layer_norm_epsilon: f64,
    /// `relu`, or `gated-` and the name of an activation.
    #[serde(default = "default_feed_forward")]
    pub feed_forward_proj: String,
    /// Whether the table of tokens is also the decoder's head.
    #[serde(default = "tied")]
    pub tie_word_embeddings: bool,
    /// The decoder's input before the first token.
    #[serde(default)]
    pub decoder_start_token_id: u32,
}

fn default_buckets() -> usize {
    32
}

fn default_distance() -> usize {
    128
}

fn default_eps() -> f64 {
    1e-6
}

fn default_feed_forward() -> String {
    "relu".into()
}

fn tied() -> bool {
    true
}

impl T5Config {
    /// The activation, and whether the feed-forward is gated.
    pub(super) fn feed_forward(&self) -> Result<(Activation, bool)> {
        let (name, gated) = match self.feed_forward_proj.strip_prefix("gated-") {
            Some(name) => (name, true),
            None => (self.feed_forward_proj.as_str(), false),
        };
        match name {
            // transformers uses the tanh form for the gated model, regardless of its name.
            "gelu" if gated => Ok((Activation::GeluTanh, true)),
            "gelu" => Ok((Activation::Gelu, false)),
            "gelu_new" => Ok((Activation::GeluTanh, gated)),
            "silu" => Ok((Activation::Silu, gated)),
            "relu" => Ok((Activation::Relu, gated)),
            _ => Err(ModelError::Input(format!(
                "T5 config.json: `feed_forward_proj` = \"{}\" is not known",
                self.feed_forward_proj
            ))),
        }
    }
}
