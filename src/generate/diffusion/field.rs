//! The network that latents follow from noise to a picture.

use super::networks::{Network, running};
use super::scratch::Named;
use super::size::Canvas;
use super::{POOLED, PROMPT, T5};
use crate::generate::error::GenerateError;
use crate::model::flux::{FluxTransformer, latents};
use crate::model::weights::Checked;
use crate::model::{ModelError, Result};
use candle_core::{Device, Tensor};

/// The velocity of packed latents [1, N, C] at sigma `[1]`.
pub type Velocity<'a> = dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + 'a;

/// A denoiser with what the settings tell it.
pub trait Field: Send {
    /// Device memory that its weights take, in bytes.
    fn bytes(&self) -> u64;

    fn loaded(&self) -> bool;

    /// Loads the networks. With `check` their files are only looked at, and nothing is loaded.
    ///
    /// # Errors
    /// When the weights are wrong or do not fit.
    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError>;

    fn unload(&mut self);

    /// Everything of the settings that shapes the velocity.
    fn identity(&self) -> String;

    /// The velocity under what the stages before left of a request.
    ///
    /// # Errors
    /// When something is missing or does not fit.
    fn velocity<'a>(
        &'a mut self,
        before: &Named,
        canvas: Canvas,
        device: &Device,
    ) -> Result<Box<Velocity<'a>>, GenerateError>;
}

/// FLUX with distilled guidance.
pub struct FluxField {
    pub transformer: Network<FluxTransformer>,
    pub guidance_scale: f32,
}

impl Field for FluxField {
    fn bytes(&self) -> u64 {
        self.transformer.bytes()
    }

    fn loaded(&self) -> bool {
        self.transformer.is_loaded()
    }

    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        self.transformer.load(check)
    }

    fn unload(&mut self) {
        self.transformer.unload();
    }

    fn identity(&self) -> String {
        self.guidance_scale.to_string()
    }

    fn velocity<'a>(
        &'a mut self,
        before: &Named,
        canvas: Canvas,
        device: &Device,
    ) -> Result<Box<Velocity<'a>>, GenerateError> {
        let guidance_scale = self.guidance_scale;
        let transformer = self.transformer.get()?;
        let conditioning = condition(transformer, before, guidance_scale, canvas, device)
            .map_err(running("denoise"))?;
        Ok(Box::new(move |x, sigma| {
            transformer.forward(x, &conditioning, sigma, None)
        }))
    }
}

/// The prompt's states, T5's where they join, and CLIP's pooled vector, as the transformer takes them.
fn condition(
    transformer: &FluxTransformer,
    before: &Named,
    guidance_scale: f32,
    Canvas { h, w }: Canvas,
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
        &latents::image_ids(h, w, device)?,
        &latents::text_ids(states.dim(1)?, device)?,
    )
}
