//! CLIP's text tower: keys and numbers of `CLIPTextModel` of transformers.
//!
//! Radford et al., arXiv 2103.00020.

use crate::model::nn::{
    Activation, Embedding, EncoderLayer, EncoderShape, LayerNorm, Linear, Mask, embedding,
    layer_norm, linear,
};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};
use serde::Deserialize;

/// The fields of a CLIP text `config.json` that the tower needs.
#[derive(Debug, Clone, Deserialize)]
pub struct ClipTextConfig {
    /// Number of tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Length of a prompt in tokens.
    pub max_position_embeddings: usize,
    /// Activation of the feed-forward.
    #[serde(default = "quick_gelu")]
    pub hidden_act: Activation,
    /// Epsilon of the layer norms.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f64,
    /// In old configurations, 2 means the largest id of a prompt.
    #[serde(default = "default_eos")]
    pub eos_token_id: u32,
}

fn quick_gelu() -> Activation {
    Activation::QuickGelu
}

fn default_eps() -> f64 {
    1e-5
}

fn default_eos() -> u32 {
    2
}

/// The fields of the `config.json` of a text tower with a projection of its own.
#[derive(Debug, Clone, Deserialize)]
pub struct ProjectedTextConfig {
    /// The tower.
    #[serde(flatten)]
    pub tower: ClipTextConfig,
    /// Width of the projected vector.
    #[serde(default = "default_projection")]
    pub projection_dim: usize,
}

fn default_projection() -> usize {
    512
}

/// The tower.
#[derive(Debug, Clone)]
pub struct ClipText {
    token_embedding: Embedding,
    position_embedding: Tensor,
    layers: Vec<EncoderLayer>,
    final_layer_norm: LayerNorm,
    eos_token_id: u32,
}

/// The states of prompts.
#[derive(Debug, Clone)]
pub struct ClipTextStates {
    /// [B, L, D], after the final norm.
    pub last_hidden_state: Tensor,
    /// [B, L, D], as the last layer gets it, without the final norm.
    pub penultimate: Tensor,
    /// [B, D], the state of the end token.
    pub pooled: Tensor,
}

impl ClipText {
    /// From keys with or without the prefix `text_model.`.
    ///
    /// # Errors
    /// Fails if the heads do not divide the width, and when [`Weights::get`] fails.
    pub fn new(config: &ClipTextConfig, weights: &Weights) -> Result<Self> {
        let width = config.hidden_size;
        let shape = EncoderShape {
            hidden_size: width,
            intermediate_size: config.intermediate_size,
            num_attention_heads: config.num_attention_heads,
            hidden_act: config.hidden_act,
            layer_norm_eps: config.layer_norm_eps,
        };
        let weights = if weights.has("embeddings.token_embedding.weight") {
            weights.clone()
        } else {
            weights.at("text_model")
        };
        let embeddings = weights.at("embeddings");
        Ok(Self {
            token_embedding: embedding(
                &embeddings.at("token_embedding"),
                config.vocab_size,
                width,
            )?,
            position_embedding: embeddings.get(
                "position_embedding.weight",
                (config.max_position_embeddings, width),
            )?,
            layers: (0..config.num_hidden_layers)
                .map(|i| EncoderLayer::new(&shape, &weights.at("encoder.layers").at(i)))
                .collect::<Result<_>>()?,
            final_layer_norm: layer_norm(
                &weights.at("final_layer_norm"),
                width,
                config.layer_norm_eps,
            )?,
            eos_token_id: config.eos_token_id,
        })
    }

    /// Ids [B, L] → states. L is at most the configuration's `max_position_embeddings`.
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary, or the prompt is too long.
    pub fn forward(&self, input_ids: &Tensor) -> Result<ClipTextStates> {
        let (_, length) = input_ids.dims2()?;
        let most = self.position_embedding.dim(0)?;
        if length > most {
            return Err(ModelError::Input(format!(
                "the prompt has {length} tokens, but CLIP accepts at most {most}"
            )));
        }
        let positions = self.position_embedding.narrow(0, 0, length)?;
        let mut x = self
            .token_embedding
            .forward(input_ids)?
            .broadcast_add(&positions)?;
        let mut penultimate = x.clone();
        for layer in &self.layers {
            penultimate = x;
            x = layer.forward(&penultimate, Mask::Causal)?;
        }
        let x = self.final_layer_norm.forward(&x)?;
        let ids: Vec<Vec<u32>> = input_ids.to_dtype(candle_core::DType::U32)?.to_vec2()?;
        let rows: Vec<Tensor> = ids
            .iter()
            .enumerate()
            .map(|(row, ids)| x.get(row)?.get(self.end(ids)))
            .collect::<candle_core::Result<_>>()?;
        Ok(ClipTextStates {
            last_hidden_state: x,
            penultimate,
            pooled: Tensor::stack(&rows, 0)?,
        })
    }

    /// The position of the end token. Without one, it is the first position, as the arg-max gives it.
    fn end(&self, ids: &[u32]) -> usize {
        let wanted = match self.eos_token_id {
            2 => ids.iter().max().copied(),
            id => Some(id),
        };
        ids.iter().position(|id| Some(*id) == wanted).unwrap_or(0)
    }
}

/// The tower with a projection: keys and numbers of `CLIPTextModelWithProjection` of transformers, such as
/// the second text encoder of SDXL.
#[derive(Debug, Clone)]
pub struct ProjectedText {
    tower: ClipText,
    text_projection: Linear,
}

impl ProjectedText {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if the heads do not divide the width, and when [`Weights::get`] fails.
    pub fn new(config: &ProjectedTextConfig, weights: &Weights) -> Result<Self> {
        let (width, projected) = (config.tower.hidden_size, config.projection_dim);
        Ok(Self {
            tower: ClipText::new(&config.tower, weights)?,
            text_projection: linear(&weights.at("text_projection"), width, projected, false)?,
        })
    }

    /// Ids [B, L] → states, of which `pooled` is projected, [B, E].
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary, or the prompt is too long.
    pub fn forward(&self, input_ids: &Tensor) -> Result<ClipTextStates> {
        let states = self.tower.forward(input_ids)?;
        let pooled = self.text_projection.forward(&states.pooled)?;
        Ok(ClipTextStates { pooled, ..states })
    }
}
