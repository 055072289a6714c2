//! X-Omni's decoder as the field that latents follow: codes and prompt against nothing.

use super::CODES;
use crate::generate::diffusion::{
    Canvas, Field, NEGATIVE_POOLED, NEGATIVE_T5, Named, Network, POOLED, T5, Velocity, running,
};
use crate::generate::error::GenerateError;
use crate::model::flux::latents;
use crate::model::weights::Checked;
use crate::model::xomni::{Condition, VqDecoder, XOmniDecoder};
use crate::model::{ModelError, Result};
use candle_core::{Device, Tensor};

/// What the pipeline tells the decoder's own guidance input.
const GUIDANCE: f32 = 1.0;

/// The decoder with the second half of the tokenizer.
pub struct XOmniField {
    pub decoder: Network<XOmniDecoder>,
    pub vq: Network<VqDecoder>,
    pub cfg_scale: f32,
}

impl Field for XOmniField {
    fn bytes(&self) -> u64 {
        self.decoder.bytes() + self.vq.bytes()
    }

    fn loaded(&self) -> bool {
        self.decoder.is_loaded()
    }

    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        self.vq.load(check)?;
        self.decoder.load(check)
    }

    fn unload(&mut self) {
        self.decoder.unload();
        self.vq.unload();
    }

    fn identity(&self) -> String {
        format!("x-omni {}", self.cfg_scale)
    }

    fn velocity<'a>(
        &'a mut self,
        before: &Named,
        canvas: Canvas,
        device: &Device,
    ) -> Result<Box<Velocity<'a>>, GenerateError> {
        let wrong = running("denoise");
        let features = features(self.vq.get()?, before, canvas).map_err(&wrong)?;
        let (decoder, scale) = (self.decoder.get()?, self.cfg_scale);
        let steady = |features: Option<&Tensor>, states: &str, pooled: &str| -> Result<_> {
            let text = before.get(states).zip(before.get(pooled));
            let guidance = Tensor::new(&[GUIDANCE], device)?;
            let ids = latents::image_ids(canvas.h, canvas.w, device)?;
            decoder.prepare(Condition { features, text }, &guidance, &ids)
        };
        let with = steady(Some(&features), T5, POOLED).map_err(&wrong)?;
        if scale == 1.0 {
            return Ok(Box::new(move |x, sigma| decoder.forward(x, &with, sigma)));
        }
        let without = steady(None, NEGATIVE_T5, NEGATIVE_POOLED).map_err(&wrong)?;
        Ok(Box::new(move |x, sigma| {
            let without = decoder.forward(x, &without, sigma)?;
            let with = decoder.forward(x, &with, sigma)?;
            Ok((&without + ((with - &without)? * f64::from(scale))?)?)
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
