//! A conversation as the network reads it.

use super::Qwen2_5Vl;
use crate::model::Result;
use candle_core::Tensor;

/// A conversation up to the point where the assistant begins.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The ids of the tokens.
    pub ids: Vec<u32>,
    /// All patches of all pictures, `[P, C·T·p·p]`. `None` without pictures.
    pub pixel_values: Option<Tensor>,
    /// (t, h, w) of every picture, in patches.
    pub grids: Vec<[usize; 3]>,
}

impl Conversation {
    /// The language model's final states of all positions, `[1, L, D]`.
    ///
    /// # Errors
    /// Fails when [`Qwen2_5Vl::hidden_states`] fails.
    pub fn states(&self, model: &Qwen2_5Vl) -> Result<Tensor> {
        let pixels = self.pixel_values.as_ref();
        let images = pixels
            .map(|pixels| model.image_embeds(pixels, &self.grids))
            .transpose()?;
        model.hidden_states(&self.ids, images.as_ref(), &self.grids)
    }
}
