//! The decoder: from latents to pixels.

use super::VaeConfig;
use super::blocks::{Level, MidBlock, norm};
use crate::model::nn::{Activation, Conv2d, GroupNorm};
use crate::model::{Result, Weights};
use candle_core::Tensor;

/// The decoder.
#[derive(Debug, Clone)]
pub struct Decoder {
    conv_in: Conv2d,
    mid_block: MidBlock,
    up_blocks: Vec<Level>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    scaling_factor: f64,
    shift_factor: f64,
}

impl Decoder {
    /// Loads the decoder from the weights of a VAE, without those of the encoder.
    ///
    /// # Errors
    /// Fails if the configuration is not FLUX's kind, and when [`Weights::get`] fails.
    pub fn new(config: &VaeConfig, weights: &Weights) -> Result<Self> {
        let lowest = config.lowest()?;
        let weights = weights.at("decoder");
        let levels: Vec<usize> = config.block_out_channels.iter().rev().copied().collect();
        let highest = levels.last().copied().unwrap_or(lowest);
        let level = |i: usize| {
            let input = levels[i.saturating_sub(1)];
            let at = weights.at("up_blocks").at(i);
            Level::up(config, &at, (input, levels[i]), i + 1 < levels.len())
        };
        Ok(Self {
            conv_in: Conv2d::same(&weights.at("conv_in"), (config.latent_channels, lowest), 3)?,
            mid_block: MidBlock::new(config, &weights.at("mid_block"), lowest)?,
            up_blocks: (0..levels.len()).map(level).collect::<Result<_>>()?,
            conv_norm_out: norm(config, &weights.at("conv_norm_out"), highest)?,
            conv_out: Conv2d::same(&weights.at("conv_out"), (highest, config.out_channels), 3)?,
            scaling_factor: config.scaling_factor,
            shift_factor: config.shift(),
        })
    }

    /// Scaled latents [B, c, h, w] → pixels [B, 3, f·h, f·w], about −1 to 1, not clamped.
    ///
    /// # Errors
    /// Fails if the channels differ.
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        let x = ((latents / self.scaling_factor)? + self.shift_factor)?;
        let mut x = self.mid_block.forward(&self.conv_in.forward(&x)?)?;
        for level in &self.up_blocks {
            x = level.forward(&x)?;
        }
        let x = Activation::Silu.apply(&self.conv_norm_out.forward(&x)?)?;
        Ok(self.conv_out.forward(&x)?)
    }
}
