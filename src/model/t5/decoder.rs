//! The decoder with its head, which predicts the token after each token of a known answer.

use super::T5Config;
use super::bias::RelativeBias;
use super::block::{Attention, FeedForward};
use crate::model::nn::{Embedding, Linear, Mask, RmsNorm, linear, rms_norm};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};

/// The decoder.
#[derive(Debug, Clone)]
pub(super) struct T5Decoder {
    shared: Embedding,
    blocks: Vec<Block>,
    final_layer_norm: RmsNorm,
    bias: RelativeBias,
    lm_head: Linear,
    /// The factor of states before the head, if the head is the table of tokens.
    scale: Option<f64>,
}

#[derive(Debug, Clone)]
struct Block {
    own: Attention,
    cross: Attention,
    feed_forward: FeedForward,
}

impl T5Decoder {
    pub(super) fn new(shared: Embedding, config: &T5Config, weights: &Weights) -> Result<Self> {
        let decoder = weights.at("decoder");
        let block = |number: usize| {
            let block = decoder.at("block").at(number);
            Ok(Block {
                own: Attention::new(config, &block.at("layer.0"), "SelfAttention")?,
                cross: Attention::new(config, &block.at("layer.1"), "EncDecAttention")?,
                feed_forward: FeedForward::new(config, &block.at("layer.2"))?,
            })
        };
        let layers = config.num_decoder_layers.unwrap_or(config.num_layers);
        let width = config.d_model;
        Ok(Self {
            blocks: (0..layers).map(block).collect::<Result<_>>()?,
            final_layer_norm: rms_norm(
                &decoder.at("final_layer_norm"),
                width,
                config.layer_norm_epsilon,
            )?,
            bias: RelativeBias::new(config, &decoder, true)?,
            lm_head: if config.tie_word_embeddings {
                Linear::new(shared.embeddings().clone(), None)
            } else {
                linear(&weights.at("lm_head"), width, config.vocab_size, false)?
            },
            scale: config
                .tie_word_embeddings
                .then(|| (width as f64).powf(-0.5)),
            shared,
        })
    }

    /// Ids [B, T] and states of the encoder [B, L, D] → scores [B, T, V] of the token after each of them.
    pub(super) fn forward(&self, ids: &Tensor, encoded: &Tensor) -> Result<Tensor> {
        let bias = self.bias.for_length(ids.dim(1)?)?;
        let mut x = self.shared.forward(ids)?;
        for block in &self.blocks {
            x = block.own.forward(&x, None, Mask::Add(&bias))?;
            x = block.cross.forward(&x, Some(encoded), Mask::None)?;
            x = block.feed_forward.forward(&x)?;
        }
        x = self.final_layer_norm.forward(&x)?;
        if let Some(scale) = self.scale {
            x = (x * scale)?;
        }
        Ok(self.lm_head.forward(&x)?)
    }
}
