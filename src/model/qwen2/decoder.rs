//! The whole decoder: token table, layers, final norm.

use super::{Angles, DecoderLayer, LayerShape, Past};
use crate::model::nn::{Embedding, Mask, RmsNorm, embedding, rms_norm};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};

/// Number of positions by which the cache grows beyond the prompt.
const ROOM: usize = 256;

/// The keys and values of earlier positions in all layers.
#[derive(Default)]
pub struct Cache(Vec<Past>);

/// `embed_tokens`, `layers.*`, `norm`.
pub struct Decoder {
    /// The table of tokens.
    pub embed_tokens: Embedding,
    layers: Vec<DecoderLayer>,
    norm: RmsNorm,
}

impl Decoder {
    /// Loads the decoder with the given numbers of tokens and layers.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(shape: &LayerShape, words: usize, layers: usize, weights: &Weights) -> Result<Self> {
        let hidden = shape.hidden_size;
        let layer = |index| DecoderLayer::new(shape, &weights.at(format!("layers.{index}")));
        Ok(Self {
            embed_tokens: embedding(&weights.at("embed_tokens"), words, hidden)?,
            layers: (0..layers).map(layer).collect::<Result<_>>()?,
            norm: rms_norm(&weights.at("norm"), hidden, shape.rms_norm_eps)?,
        })
    }

    /// Token vectors [1, L, D], after those in `cache`, → hidden states [1, L, D] after the final norm.
    ///
    /// # Errors
    /// Fails if shapes do not fit, or the device has no room.
    pub fn forward(
        &self,
        embeds: &Tensor,
        angles: &Angles,
        mut cache: Option<&mut Cache>,
    ) -> Result<Tensor> {
        if let Some(cache) = cache.as_deref_mut()
            && cache.0.is_empty()
        {
            let room = embeds.dim(1)? + ROOM;
            cache.0 = self.layers.iter().map(|_| Past::with_room(room)).collect();
        }
        let mut x = embeds.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            let past = cache
                .as_deref_mut()
                .and_then(|cache| cache.0.get_mut(index));
            x = layer.forward(&x, angles, past, Mask::Causal)?;
        }
        Ok(self.norm.forward(&x)?)
    }
}
