//! FLUX.1-Kontext: the transformer of FLUX.1-dev, which also sees the latents of a reference picture.
//!
//! Black Forest Labs, arXiv 2506.15742. The tokens of the reference follow those of the noise in every step.
//! They keep their values, and the first column of their ids is 1. Only the velocity of the noise's tokens
//! counts.

use super::{Conditioning, FluxTransformer, latents};
use crate::model::Result;
use crate::model::flux_vae::Encoder;
use candle_core::{Device, Tensor};

/// A reference picture as the transformer sees it.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Packed latents, [1, n, 4c].
    pub tokens: Tensor,
    /// The grid of the tokens: from top to bottom, from left to right.
    pub grid: (usize, usize),
}

impl Reference {
    /// From pixels [1, 3, H, W] in −1 to 1: the mean of the latents.
    ///
    /// # Errors
    /// Fails if the sides are not multiples of the side of a token.
    pub fn encode(encoder: &Encoder, pixels: &Tensor) -> Result<Self> {
        let cells = encoder.scaled(&encoder.mean(pixels)?)?;
        let (_, _, height, width) = cells.dims4()?;
        Ok(Self {
            tokens: latents::pack(&cells)?,
            grid: (height / 2, width / 2),
        })
    }

    /// The ids of the noise's tokens, a grid of `h` × `w`, and of the reference's, [h · w + n, 3].
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub fn image_ids(&self, (h, w): (usize, usize), device: &Device) -> Result<Tensor> {
        let (rows, columns) = self.grid;
        let own = latents::image_ids(rows, columns, device)?;
        let second = Tensor::new(&[[1f32, 0.0, 0.0]], device)?;
        let own = own.broadcast_add(&second)?;
        Ok(Tensor::cat(&[latents::image_ids(h, w, device)?, own], 0)?)
    }

    /// The velocity [1, N, C] of packed latents [1, N, C] at sigma `[1]`. `conditioning` was prepared with
    /// [`Self::image_ids`].
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub fn velocity(
        &self,
        transformer: &FluxTransformer,
        x: &Tensor,
        conditioning: &Conditioning,
        sigma: &Tensor,
    ) -> Result<Tensor> {
        let count = x.dim(1)?;
        let both = Tensor::cat(&[x, &self.tokens.to_dtype(x.dtype())?], 1)?;
        let velocity = transformer.forward(&both, conditioning, sigma, None)?;
        Ok(velocity.narrow(1, 0, count)?.contiguous()?)
    }
}
