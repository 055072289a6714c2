//! The embeddings of time, guidance and pooled prompt, which modulate every block.

use super::FluxConfig;
use crate::model::nn::{Activation, Linear, linear};
use crate::model::{Result, Weights};
use candle_core::{D, DType, Module, Tensor};

/// Width of the sinusoid of a time.
const SINUSOID: usize = 256;
/// Sigma and the guidance scale are counted in thousandths.
const SCALE: f64 = 1000.0;

/// Two linear layers with SiLU between them.
#[derive(Debug)]
struct Embedder {
    linear_1: Linear,
    linear_2: Linear,
}

impl Embedder {
    fn new(weights: &Weights, input: usize, width: usize) -> Result<Self> {
        Ok(Self {
            linear_1: linear(&weights.at("linear_1"), input, width, true)?,
            linear_2: linear(&weights.at("linear_2"), width, width, true)?,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.linear_2
            .forward(&Activation::Silu.apply(&self.linear_1.forward(x)?)?)
    }
}

/// `time_text_embed`.
#[derive(Debug)]
pub struct TimeTextEmbed {
    timestep_embedder: Embedder,
    guidance_embedder: Option<Embedder>,
    text_embedder: Embedder,
    dtype: DType,
}

impl TimeTextEmbed {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &FluxConfig, weights: &Weights) -> Result<Self> {
        let embedder = |name: &str, input| Embedder::new(&weights.at(name), input, config.width());
        let guided = config.guidance_embeds;
        Ok(Self {
            timestep_embedder: embedder("timestep_embedder", SINUSOID)?,
            guidance_embedder: guided
                .then(|| embedder("guidance_embedder", SINUSOID))
                .transpose()?,
            text_embedder: embedder("text_embedder", config.pooled_projection_dim)?,
            dtype: weights.dtype(),
        })
    }

    /// Whether the network requires a guidance scale.
    pub fn guided(&self) -> bool {
        self.guidance_embedder.is_some()
    }

    /// Sigma `[B]` → [B, D].
    ///
    /// # Errors
    /// Fails if the shape is another.
    pub fn time(&self, sigma: &Tensor) -> candle_core::Result<Tensor> {
        self.timestep_embedder.forward(&self.sinusoid(sigma)?)
    }

    /// The part that stays the same over all steps: pooled prompt [B, Q] and guidance scale `[B]` → [B, D]. A
    /// network without guidance ignores the scale.
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub fn constant(
        &self,
        pooled: &Tensor,
        guidance: Option<&Tensor>,
    ) -> candle_core::Result<Tensor> {
        let text = self.text_embedder.forward(&pooled.to_dtype(self.dtype)?)?;
        match (&self.guidance_embedder, guidance) {
            (Some(embedder), Some(scale)) => text + embedder.forward(&self.sinusoid(scale)?)?,
            _ => Ok(text),
        }
    }

    /// [B] → [B, 256], with cosines first, in f32 until the last cast.
    fn sinusoid(&self, values: &Tensor) -> candle_core::Result<Tensor> {
        const HALF: usize = SINUSOID / 2;
        let slope = -(10_000f64.ln()) as f32;
        let frequencies: Vec<f32> = (0..HALF)
            .map(|i| (slope * i as f32 / HALF as f32).exp())
            .collect();
        let frequencies = Tensor::from_vec(frequencies, (1, HALF), values.device())?;
        let values = (values.to_dtype(DType::F32)? * SCALE)?;
        let angles = values.unsqueeze(1)?.broadcast_mul(&frequencies)?;
        Tensor::cat(&[angles.cos()?, angles.sin()?], D::Minus1)?.to_dtype(self.dtype)
    }
}
