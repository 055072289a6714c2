//! Patches of a picture as tokens: a convolution whose stride is its size, computed as one linear layer.

use crate::model::{Result, Weights};
use candle_core::Tensor;

/// The layer; `weight` [D, C, p, p].
#[derive(Debug, Clone)]
pub struct PatchEmbedding {
    weight: Tensor,
    bias: Option<Tensor>,
    patch: usize,
}

impl PatchEmbedding {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(
        weights: &Weights,
        channels: usize,
        width: usize,
        patch: usize,
        bias: bool,
    ) -> Result<Self> {
        Ok(Self {
            weight: weights.get("weight", (width, channels, patch, patch))?,
            bias: bias.then(|| weights.get("bias", width)).transpose()?,
            patch,
        })
    }

    /// [B, C, H, W] → [B, (H / p) · (W / p), D] in raster order; as in the convolution, incomplete patches at
    /// the right and the bottom are ignored.
    ///
    /// # Errors
    /// Fails if the channels differ.
    pub fn forward(&self, pixel_values: &Tensor) -> candle_core::Result<Tensor> {
        let (batch, channels, height, width) = pixel_values.dims4()?;
        let p = self.patch;
        let (rows, columns) = (height / p, width / p);
        let x = pixel_values
            .narrow(2, 0, rows * p)?
            .narrow(3, 0, columns * p)?
            .reshape(vec![batch, channels, rows, p, columns, p])?
            .permute(vec![0, 2, 4, 1, 3, 5])?
            .reshape((batch * rows * columns, channels * p * p))?;
        let x = x.to_dtype(self.weight.dtype())?;
        let tokens = x.matmul(&self.weight.flatten_from(1)?.t()?)?;
        let tokens = match &self.bias {
            Some(bias) => tokens.broadcast_add(bias)?,
            None => tokens,
        };
        tokens.reshape((batch, rows * columns, ()))
    }
}
