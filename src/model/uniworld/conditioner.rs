//! The language model with the projectors that turn its states and reference features into FLUX's text sequence.

use super::{Config, Projector, splice};
use crate::model::qwen2_5_vl::Qwen2_5Vl;
use crate::model::{Result, Weights};
use candle_core::Tensor;

/// What makes `encoder_hidden_states` of a prompt.
pub struct Conditioner {
    pub vlm: Qwen2_5Vl,
    denoise_projector: Projector,
    siglip_projector: Option<Projector>,
    vision_end: u32,
}

impl Conditioner {
    /// From the weights of a UniWorld checkpoint. `reference_width` is that of the reference encoder's features; none
    /// leaves `siglip_projector` out.
    ///
    /// # Errors
    /// When weights are missing or of another shape.
    pub fn new(config: &Config, weights: &Weights, reference_width: Option<usize>) -> Result<Self> {
        let tower = weights.at("denoise_tower");
        let output = config.denoise_tower.output_hidden_size;
        let projector = |name: &str, input| Projector::new(&tower.at(name), input, output);
        Ok(Self {
            vlm: Qwen2_5Vl::new(&config.vlm, weights)?,
            denoise_projector: projector("denoise_projector", config.vlm.text.hidden_size)?,
            siglip_projector: reference_width
                .map(|width| projector("siglip_projector", width))
                .transpose()?,
            vision_end: config.vision_end,
        })
    }

    /// States [1, L, D] of `input_ids` and features [n, N, R] of the references in their order → [1, L + n·N, J]. Every
    /// position goes through the projector.
    ///
    /// # Errors
    /// When there are not as many vision-end tokens as references, or widths do not fit.
    pub fn encoder_hidden_states(
        &self,
        input_ids: &[u32],
        states: &Tensor,
        references: Option<&Tensor>,
    ) -> Result<Tensor> {
        let projected = self.denoise_projector.forward(states)?;
        let references = match (&self.siglip_projector, references) {
            (Some(projector), Some(features)) => Some(projector.forward(features)?),
            _ => None,
        };
        splice(&projected, input_ids, self.vision_end, references.as_ref())
    }
}
