//! T5: keys and numbers of `T5EncoderModel` and `T5ForConditionalGeneration` of transformers.
//!
//! Raffel et al., arXiv 1910.10683; gated feed-forward of arXiv 2002.05202. Position enters only as a bias on the scores of
//! attention within a stack, from its first block's table; scores are not scaled. The encoder attends to all that it is
//! given, as FLUX attends to padding: there is no mask.

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
    pub encoder: T5Encoder,
    decoder: T5Decoder,
    start: u32,
}

impl T5 {
    /// # Errors
    /// When a size is zero or the feed-forward is unknown; as [`Weights::get`].
    pub fn new(config: &T5Config, weights: &Weights) -> Result<Self> {
        let shared = tokens(config, weights)?;
        Ok(Self {
            encoder: T5Encoder::over(shared.clone(), config, weights)?,
            decoder: T5Decoder::new(shared, config, weights)?,
            start: config.decoder_start_token_id,
        })
    }

    /// What the encoder made, [B, L, D], and the decoder's ids [B, T] → scores [B, T, V] of what comes after each of them.
    ///
    /// # Errors
    /// When an id is beyond the vocabulary.
    pub fn decode(&self, encoded: &Tensor, decoder_input_ids: &Tensor) -> Result<Tensor> {
        self.decoder.forward(decoder_input_ids, encoded)
    }

    /// What the encoder made, [1, L, D], and an answer → scores [1, T, V] that each of its tokens is chosen by.
    ///
    /// # Errors
    /// When an id is beyond the vocabulary, or there is no answer.
    pub fn answer_logits(&self, encoded: &Tensor, answer: &[u32]) -> Result<Tensor> {
        let known = answer.iter().take(answer.len().saturating_sub(1));
        let ids: Vec<u32> = std::iter::once(self.start).chain(known.copied()).collect();
        let ids = Tensor::new(ids, encoded.device())?.unsqueeze(0)?;
        self.decode(encoded, &ids)
    }
}

/// The table of tokens of both stacks.
fn tokens(config: &T5Config, weights: &Weights) -> Result<Embedding> {
    let table = match weights.has("encoder.embed_tokens.weight") && !weights.has("shared.weight") {
        true => weights.at("encoder.embed_tokens"),
        false => weights.at("shared"),
    };
    embedding(&table, config.vocab_size, config.d_model)
}
