//! T5, with the keys and the results of `T5EncoderModel` and `T5ForConditionalGeneration` of transformers.
//!
//! Raffel et al., arXiv 1910.10683; gated feed-forward of arXiv 2002.05202. Positions enter only as a bias of
//! the attention scores within a stack, from the table of its first block. The scores are not scaled. There
//! is no mask: the encoder attends to its whole input, as FLUX attends to padding.

mod bias;
mod block;
mod config;
mod decoder;
mod encoder;

pub use config::T5Config;
pub use encoder::T5Encoder;

use super::nn::{Embedding, embedding};
use super::{Result, Weights};
use candle_core::Tensor;
use decoder::T5Decoder;

/// Encoder, decoder and head.
#[derive(Debug, Clone)]
pub struct T5 {
    /// The encoder.
    pub encoder: T5Encoder,
    decoder: T5Decoder,
    start: u32,
}

impl T5 {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if a size is zero or the feed-forward is unknown, and when [`Weights::get`] fails.
    pub fn new(config: &T5Config, weights: &Weights) -> Result<Self> {
        let shared = tokens(config, weights)?;
        Ok(Self {
            encoder: T5Encoder::with_table(shared.clone(), config, weights)?,
            decoder: T5Decoder::new(shared, config, weights)?,
            start: config.decoder_start_token_id,
        })
    }

    /// The encoder's states [B, L, D] and the decoder's ids [B, T] → scores [B, T, V] of the token after each
    /// of them.
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary.
    pub fn decode(&self, encoded: &Tensor, decoder_input_ids: &Tensor) -> Result<Tensor> {
        self.decoder.forward(decoder_input_ids, encoded)
    }

    /// The encoder's states [1, L, D] and an answer → the scores [1, T, V] by which each of its tokens is
    /// chosen.
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary, or there is no answer.
    pub fn answer_logits(&self, encoded: &Tensor, answer: &[u32]) -> Result<Tensor> {
        let known = answer.iter().take(answer.len().saturating_sub(1));
        let ids: Vec<u32> = std::iter::once(self.start).chain(known.copied()).collect();
        let ids = Tensor::new(ids, encoded.device())?.unsqueeze(0)?;
        self.decode(encoded, &ids)
    }
}

/// The table of tokens of both stacks.
fn tokens(config: &T5Config, weights: &Weights) -> Result<Embedding> {
    let table = if weights.has("encoder.embed_tokens.weight") && !weights.has("shared.weight") {
        weights.at("encoder.embed_tokens")
    } else {
        weights.at("shared")
    };
    embedding(&table, config.vocab_size, config.d_model)
}
