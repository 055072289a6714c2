//! The encoder: from pixels to latents.

use super::VaeConfig;
use super::blocks::{Level, MidBlock, norm};
use crate::model::nn::{Activation, Conv2d, GroupNorm};
use crate::model::{Result, Weights};
use candle_core::Tensor;

/// The encoder.
#[derive(Debug, Clone)]
pub struct Encoder {
    conv_in: Conv2d,
    down_blocks: Vec<Level>,
    mid_block: MidBlock,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    latent_channels: usize,
    scaling_factor: f64,
    shift_factor: f64,
}

impl Encoder {
    /// Loads the encoder from the weights of a VAE, without those of the decoder.
    ///
    /// # Errors
    /// Fails if the configuration is not FLUX's kind, and when [`Weights::get`] fails.
    pub fn new(config: &VaeConfig, weights: &Weights) -> Result<Self> {
        let lowest = config.lowest()?;
        let weights = weights.at("encoder");
        let levels = &config.block_out_channels;
        let stem = config.stem_channels.unwrap_or(levels[0]);
        let level = |i: usize| {
            let input = if i == 0 { stem } else { levels[i - 1] };
            let at = weights.at("down_blocks").at(i);
            Level::down(config, &at, (input, levels[i]), i + 1 < levels.len())
        };
        let latent = config.latent_channels;
        Ok(Self {
            conv_in: Conv2d::same(&weights.at("conv_in"), (config.in_channels, stem), 3)?,
            down_blocks: (0..levels.len()).map(level).collect::<Result<_>>()?,
            mid_block: MidBlock::new(config, &weights.at("mid_block"), lowest)?,
            conv_norm_out: norm(config, &weights.at("conv_norm_out"), lowest)?,
            // The mean and the logarithm of the variance.
            conv_out: Conv2d::same(&weights.at("conv_out"), (lowest, 2 * latent), 3)?,
            latent_channels: latent,
            scaling_factor: config.scaling_factor,
            shift_factor: config.shift(),
        })
    }

    /// Pixels [B, 3, H, W] in −1 to 1 → the mean of the latents [B, c, H / f, W / f].
    ///
    /// # Errors
    /// Fails if the channels differ.
    pub fn mean(&self, pixels: &Tensor) -> Result<Tensor> {
        let moments = self.moments(pixels)?;
        Ok(moments.narrow(1, 0, self.latent_channels)?.contiguous()?)
    }

    /// The means, followed by the logarithms of the variances, [B, 2 · latent channels, H / f, W / f].
    ///
    /// # Errors
    /// Fails if the picture is too small or its sides are not multiples of f.
    pub fn moments(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut x = self.conv_in.forward(pixels)?;
        for level in &self.down_blocks {
            x = level.forward(&x)?;
        }
        let x = self.mid_block.forward(&x)?;
        let x = Activation::Silu.apply(&self.conv_norm_out.forward(&x)?)?;
        Ok(self.conv_out.forward(&x)?)
    }

    /// The latents in the scale of the denoiser: (mean − shift) · scale.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub fn scaled(&self, mean: &Tensor) -> Result<Tensor> {
        Ok(((mean - self.shift_factor)? * self.scaling_factor)?)
    }
}
