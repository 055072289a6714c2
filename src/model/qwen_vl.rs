//! The vision-language models of Qwen that answer in this process: Qwen2.5-VL and Qwen3-VL. The configuration
//! says which one a checkpoint is.

use super::qwen2_5_vl::{Conversation, Greedy, Qwen2_5Vl, Qwen2_5VlConfig};
use super::qwen3_vl::{Qwen3Vl, Qwen3VlConfig};
use super::tokenizer::chat::Form;
use super::{Result, Weights};
use candle_core::{DType, Tensor};
use serde::Deserialize;
use serde_json::Value;

/// A model that answers conversations.
pub trait Answering {
    /// The most likely continuation of a conversation. It ends before an id of `eos`, or after an id for
    /// which `on_token` returns false.
    ///
    /// # Errors
    /// Fails if the conversation does not fit the model, or the device has no room.
    fn continue_greedily(
        &self,
        conversation: &Conversation,
        greedy: Greedy<'_>,
        on_token: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Vec<u32>>;
}

/// `config.json` of either model.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub enum QwenVlConfig {
    /// Qwen2.5-VL.
    V2_5(Box<Qwen2_5VlConfig>),
    /// Qwen3-VL.
    V3(Box<Qwen3VlConfig>),
}

impl TryFrom<Value> for QwenVlConfig {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let kind = value.get("model_type").and_then(Value::as_str);
        if kind.is_some_and(|kind| kind.starts_with("qwen3_vl")) {
            let config = serde_json::from_value(value).map_err(|error| error.to_string())?;
            return Ok(Self::V3(Box::new(config)));
        }
        let config = serde_json::from_value(value).map_err(|error| error.to_string())?;
        Ok(Self::V2_5(Box::new(config)))
    }
}

impl QwenVlConfig {
    /// The name of the model for people.
    pub fn title(&self) -> &'static str {
        match self {
            Self::V2_5(_) => "Qwen2.5-VL",
            Self::V3(_) => "Qwen3-VL",
        }
    }
}

/// Either model.
pub enum QwenVl {
    /// Qwen2.5-VL.
    V2_5(Box<Qwen2_5Vl>),
    /// Qwen3-VL.
    V3(Box<Qwen3Vl>),
}

impl QwenVl {
    /// The model of a configuration.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has another shape.
    pub fn new(config: &QwenVlConfig, weights: &Weights) -> Result<Self> {
        Ok(match config {
            QwenVlConfig::V2_5(config) => Self::V2_5(Box::new(Qwen2_5Vl::new(config, weights)?)),
            QwenVlConfig::V3(config) => Self::V3(Box::new(Qwen3Vl::new(config, weights)?)),
        })
    }

    /// The name of the model in evidence.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::V2_5(_) => "qwen2.5-vl",
            Self::V3(_) => "qwen3-vl",
        }
    }

    /// How a conversation without a system turn begins. The template of Qwen3-VL adds none.
    pub fn form(&self) -> Form {
        match self {
            Self::V2_5(_) => Form::Qwen,
            Self::V3(_) => Form::UniWorld,
        }
    }

    /// Scores of the token that follows a conversation, [1, V] in f32.
    ///
    /// # Errors
    /// Fails if the conversation does not fit the model, or the device has no room.
    pub fn next_scores(&self, conversation: &Conversation) -> Result<Tensor> {
        match self {
            Self::V2_5(model) => {
                let scores = model.logits(&conversation.states(model)?)?;
                Ok(scores.to_dtype(DType::F32)?)
            }
            Self::V3(model) => {
                let Conversation {
                    ids,
                    pixel_values,
                    grids,
                } = conversation;
                let pixels = pixel_values.as_ref();
                let images = pixels.map(|pixels| model.image_features(pixels, grids));
                let images = images.transpose()?;
                model.logits(&model.hidden_states(ids, images.as_ref(), grids)?)
            }
        }
    }
}

impl Answering for Qwen2_5Vl {
    fn continue_greedily(
        &self,
        conversation: &Conversation,
        greedy: Greedy<'_>,
        on_token: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Vec<u32>> {
        self.generate_greedy(conversation, greedy, on_token)
    }
}

impl Answering for QwenVl {
    fn continue_greedily(
        &self,
        conversation: &Conversation,
        greedy: Greedy<'_>,
        on_token: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Vec<u32>> {
        match self {
            Self::V2_5(model) => model.generate_greedy(conversation, greedy, on_token),
            Self::V3(model) => model.generate_greedy(conversation, greedy, on_token),
        }
    }
}
