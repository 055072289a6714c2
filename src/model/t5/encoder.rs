//! The encoder, which is FLUX's second text encoder, with the keys and the results of `T5EncoderModel` of
//! transformers.

use super::bias::RelativeBias;
use super::block::{Attention, FeedForward};
use super::{T5Config, tokens};
use crate::model::nn::{Embedding, Mask, RmsNorm, rms_norm};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};

/// The encoder.
#[derive(Debug, Clone)]
pub struct T5Encoder {
    shared: Embedding,
    blocks: Vec<Block>,
    final_layer_norm: RmsNorm,
    bias: RelativeBias,
}

#[derive(Debug, Clone)]
struct Block {
    attention: Attention,
    feed_forward: FeedForward,
}

impl T5Encoder {
    /// Loads the encoder from a T5 checkpoint, without its decoder.
    ///
    /// # Errors
    /// Fails if a size is zero or the feed-forward is unknown, and when [`Weights::get`] fails.
    pub fn new(config: &T5Config, weights: &Weights) -> Result<Self> {
        Self::with_table(tokens(config, weights)?, config, weights)
    }

    /// Loads the encoder with a table of tokens that was already loaded.
    pub(super) fn with_table(
        shared: Embedding,
        config: &T5Config,
        weights: &Weights,
    ) -> Result<Self> {
        if config.num_layers == 0 {
            return Err(ModelError::Input(
                "T5 config.json: `num_layers` must be 1 or more".into(),
            ));
        }
        let encoder = weights.at("encoder");
        let block = |number: usize| {
            let block = encoder.at("block").at(number);
            Ok(Block {
                attention: Attention::new(config, &block.at("layer.0"), "SelfAttention")?,
                feed_forward: FeedForward::new(config, &block.at("layer.1"))?,
            })
        };
        Ok(Self {
            shared,
            blocks: (0..config.num_layers).map(block).collect::<Result<_>>()?,
            final_layer_norm: rms_norm(
                &encoder.at("final_layer_norm"),
                config.d_model,
                config.layer_norm_epsilon,
            )?,
            bias: RelativeBias::new(config, &encoder, false)?,
        })
    }

    /// Ids [B, L] → states [B, L, D] after the final norm.
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary.
    pub fn forward(&self, input_ids: &Tensor) -> Result<Tensor> {
        self.forward_embeds(&self.embed(input_ids)?)
    }

    /// Ids [B, L] → [B, L, D].
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary.
    pub fn embed(&self, input_ids: &Tensor) -> Result<Tensor> {
        Ok(self.shared.forward(input_ids)?)
    }

    /// Embedded tokens, or vectors that replace them, [B, L, D] → states [B, L, D] after the final norm.
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn forward_embeds(&self, inputs_embeds: &Tensor) -> Result<Tensor> {
        let bias = self.bias.for_length(inputs_embeds.dim(1)?)?;
        let mut x = inputs_embeds.clone();
        for block in &self.blocks {
            x = block.attention.forward(&x, None, Mask::Add(&bias))?;
            x = block.feed_forward.forward(&x)?;
        }
        Ok(self.final_layer_norm.forward(&x)?)
    }
}
