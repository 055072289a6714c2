//! X-Omni's decoder as a velocity field, with guidance by the difference to a branch without codes and
//! prompt.

use super::layout::CODES;
use crate::generate::diffusion::{
    Canvas, Field, NEGATIVE_POOLED, NEGATIVE_T5, POOLED, T5, Velocity,
};
use crate::generate::error::GenerateError;
use crate::generate::pipeline::{Named, Network, running};
use crate::model::flux::latents;
use crate::model::xomni::{Condition, VqDecoder, XOmniDecoder};
use crate::model::{ModelError, Result};
use candle_core::{Device, Tensor};

/// The value of the decoder's own guidance input.
const GUIDANCE: f32 = 1.0;

/// The decoder with the second half of the tokenizer.
pub(super) struct XOmniField {
    /// The diffusion decoder.
    pub decoder: Network<XOmniDecoder>,
    /// The network from codes to the decoder's condition.
    pub vq: Network<VqDecoder>,
}

impl Field for XOmniField {
    fn name(&self) -> &'static str {
        "x-omni"
    }

    fn velocity(
        &self,
        before: &Named,
        canvas: Canvas,
        guidance_scale: f32,
        device: &Device,
    ) -> Result<Box<Velocity>, GenerateError> {
        let wrong = running("denoise");
        let (vq, decoder) = (self.vq.get()?, self.decoder.get()?);
        let features = features(&vq, before, canvas).map_err(&wrong)?;
        let steady = |features: Option<&Tensor>, states: &str, pooled: &str| -> Result<_> {
            let text = before.get(states).zip(before.get(pooled));
            let guidance = Tensor::new(&[GUIDANCE], device)?;
            let ids = latents::image_ids(canvas.h, canvas.w, device)?;
            decoder.prepare(Condition { features, text }, &guidance, &ids)
        };
        let with = steady(Some(&features), T5, POOLED).map_err(&wrong)?;
        if guidance_scale == 1.0 {
            return Ok(Box::new(move |x, sigma| decoder.forward(x, &with, sigma)));
        }
        let without = steady(None, NEGATIVE_T5, NEGATIVE_POOLED).map_err(&wrong)?;
        let scale = f64::from(guidance_scale);
        Ok(Box::new(move |x, sigma| {
            let without = decoder.forward(x, &without, sigma)?;
            let with = decoder.forward(x, &with, sigma)?;
            Ok((&without + ((with - &without)? * scale)?)?)
        }))
    }
}

/// The condition of the codes, [1, h · w, Z].
fn features(vq: &VqDecoder, before: &Named, Canvas { h, w }: Canvas) -> Result<Tensor> {
    let codes = before
        .get(CODES)
        .ok_or_else(|| ModelError::Input("there are no image tokens to decode".into()))?;
    vq.decode(&codes.to_vec1::<u32>()?, (h, w))
}
