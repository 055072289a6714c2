//! The velocity field that moves latents from noise to a picture.

use super::names::{POOLED, PROMPT, T5};
use super::size::Canvas;
use crate::generate::error::GenerateError;
use crate::generate::pipeline::{Named, Network, running};
use crate::model::flux::{FluxTransformer, latents};
use crate::model::{ModelError, Result};
use candle_core::{Device, Tensor};

/// Computes the velocity of packed latents [1, N, C] at sigma `[1]`.
pub(crate) type Velocity = dyn Fn(&Tensor, &Tensor) -> Result<Tensor>;

/// A denoiser.
pub(crate) trait Field: Send {
    /// The settings that determine its results, for the content hash.
    fn name(&self) -> &'static str;

    /// The velocity for a request, from the results of earlier stages.
    ///
    /// # Errors
    /// Fails if a result is missing or does not fit.
    fn velocity(
        &self,
        before: &Named,
        canvas: Canvas,
        guidance_scale: f32,
        device: &Device,
    ) -> Result<Box<Velocity>, GenerateError>;
}

/// FLUX with distilled guidance.
pub(crate) struct FluxField(pub Network<FluxTransformer>);

impl Field for FluxField {
    fn name(&self) -> &'static str {
        "flux"
    }

    fn velocity(
        &self,
        before: &Named,
        canvas: Canvas,
        guidance_scale: f32,
        device: &Device,
    ) -> Result<Box<Velocity>, GenerateError> {
        let transformer = self.0.get()?;
        let Canvas { h, w } = canvas;
        let conditioning = latents::image_ids(h, w, device)
            .and_then(|ids| condition(&transformer, before, guidance_scale, &ids, device))
            .map_err(running("denoise"))?;
        Ok(Box::new(move |x, sigma| {
            transformer.forward(x, &conditioning, sigma, None)
        }))
    }
}

/// The inputs of the transformer from the prompt: the language model's states, T5's states if they are used,
/// and CLIP's pooled vector. `image_ids` are the ids of all image tokens.
///
/// # Errors
/// Fails if the prompt was not encoded, or if shapes do not fit.
pub(crate) fn condition(
    transformer: &FluxTransformer,
    before: &Named,
    guidance_scale: f32,
    image_ids: &Tensor,
    device: &Device,
) -> Result<crate::model::flux::Conditioning> {
    let states: Vec<&Tensor> = [PROMPT, T5]
        .iter()
        .filter_map(|name| before.get(*name))
        .collect();
    let pooled = before.get(POOLED);
    let (Some(pooled), false) = (pooled, states.is_empty()) else {
        return Err(ModelError::Input("the prompt was not encoded".into()));
    };
    let states = Tensor::cat(&states, 1)?;
    transformer.prepare(
        &states,
        pooled,
        Some(&Tensor::new(&[guidance_scale], device)?),
        image_ids,
        &latents::text_ids(states.dim(1)?, device)?,
    )
}
