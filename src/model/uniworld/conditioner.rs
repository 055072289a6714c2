//! The language model with the projectors that turn its states and reference features into FLUX's text
//! sequence.

use super::{Projector, UniWorldConfig, splice};
use crate::model::qwen2_5_vl::Qwen2_5Vl;
use crate::model::{Result, Weights};
use candle_core::Tensor;

/// Computes the `encoder_hidden_states` of a prompt.
pub struct Conditioner {
    /// The language model with its vision tower.
    pub vlm: Qwen2_5Vl,
    denoise_projector: Projector,
    vision_end: u32,
}

impl Conditioner {
    /// Loads the tensors from the weights of a UniWorld checkpoint.
    ///
    /// # Errors
    /// Fails if weights are missing or of another shape.
    pub fn new(config: &UniWorldConfig, weights: &Weights) -> Result<Self> {
        Ok(Self {
            vlm: Qwen2_5Vl::new(&config.vlm, weights)?,
            denoise_projector: Projector::new(
                &weights.at("denoise_tower.denoise_projector"),
                config.vlm.text.hidden_size,
                config.denoise_tower.output_hidden_size,
            )?,
            vision_end: config.vision_end,
        })
    }

    /// States [1, L, D] of `input_ids` and projected features [n, N, J] of the references in their order →
    /// [1, L + n·N, J]. The projector is applied to every position.
    ///
    /// # Errors
    /// Fails if there are not as many vision-end tokens as references, or widths do not fit.
    pub fn encoder_hidden_states(
        &self,
        input_ids: &[u32],
        states: &Tensor,
        references: Option<&Tensor>,
    ) -> Result<Tensor> {
        let projected = self.denoise_projector.forward(states)?;
        splice(&projected, input_ids, self.vision_end, references)
    }
}
