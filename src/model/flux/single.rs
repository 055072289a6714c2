//! Blocks over text and image as one sequence, with attention and feed-forward side by side.

use super::double::Projections;
use super::modulation::{Modulation, modulate};
use super::{FluxConfig, Rope};
use crate::model::nn::{Activation, Linear, linear};
use crate::model::{Result, Weights};
use candle_core::{D, Module, Tensor};
use unigauge_kernels::gated_sum;

/// `single_transformer_blocks.*`.
#[derive(Debug)]
pub struct SingleBlock {
    norm: Modulation,
    attn: Projections,
    proj_mlp: Linear,
    proj_out: Linear,
}

impl SingleBlock {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &FluxConfig, weights: &Weights) -> Result<Self> {
        let width = config.width();
        let names = ["to_q", "to_k", "to_v", "norm_q", "norm_k"];
        Ok(Self {
            norm: Modulation::new(&weights.at("norm"), width, 3)?,
            attn: Projections::new(config, &weights.at("attn"), names)?,
            proj_mlp: linear(&weights.at("proj_mlp"), width, 4 * width, true)?,
            proj_out: linear(&weights.at("proj_out"), 5 * width, width, true)?,
        })
    }

    /// [B, L, D] → [B, L, D] under `condition`, the SiLU of the embedding [B, D]; `rope` has L positions.
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub fn forward(
        &self,
        x: &Tensor,
        condition: &Tensor,
        rope: &Rope,
    ) -> candle_core::Result<Tensor> {
        let parts = self.norm.forward(condition)?;
        let normed = modulate(x, &parts[1], &parts[0])?;
        let seen = self.attn.forward(&normed)?.attend(rope)?;
        let inner = Activation::GeluTanh.apply(&self.proj_mlp.forward(&normed)?)?;
        let joined = Tensor::cat(&[seen, inner], D::Minus1)?;
        gated_sum(x, &parts[2], &self.proj_out.forward(&joined)?)
    }
}
