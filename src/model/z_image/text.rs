//! The text encoder of Z-Image: Qwen3, up to what its last layer gets.
//!
//! It is `z_image::text_encoder` of candle-transformers, which agrees with transformers in f32: the case
//! `z_image` shows it (`cap_feats`). It loads the last layer and the final norm, and uses neither.

use crate::model::adapter::var_builder;
use crate::model::{Result, Weights};
use candle_core::Tensor;
use candle_transformers::models::z_image::text_encoder::{TextEncoderConfig, ZImageTextEncoder};
use serde::Deserialize;
use serde_json::Value;

/// The keys without which candle-transformers would take the sizes of Qwen3-4B, whatever the weights are.
const KEYS: [&str; 9] = [
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "rms_norm_eps",
    "rope_theta",
];

/// `text_encoder/config.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub struct ZImageTextConfig(TextEncoderConfig);

impl TryFrom<Value> for ZImageTextConfig {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let missing = |key: &&&str| value.get(**key).is_none_or(Value::is_null);
        if let Some(key) = KEYS.iter().find(missing) {
            return Err(format!("`{key}` is missing"));
        }
        let config = serde_json::from_value(value).map_err(|error| error.to_string())?;
        Ok(Self(config))
    }
}

/// The encoder.
pub struct ZImageText(ZImageTextEncoder);

impl ZImageText {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &ZImageTextConfig, weights: &Weights) -> Result<Self> {
        Ok(Self(ZImageTextEncoder::new(
            &config.0,
            var_builder(weights),
        )?))
    }

    /// Ids of one prompt without padding, [1, L] → what the last layer gets, [1, L, J].
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary.
    pub fn forward(&self, input_ids: &Tensor) -> Result<Tensor> {
        Ok(self.0.forward(input_ids)?)
    }
}
