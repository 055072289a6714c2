//! The gated feed-forward layer.

use crate::model::nn::{Activation, Linear, linear};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};

/// down(act(gate(x)) · up(x)).
pub struct Mlp {
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
    act: Activation,
}

impl Mlp {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(
        weights: &Weights,
        size: usize,
        inner: usize,
        act: Activation,
        bias: bool,
    ) -> Result<Self> {
        Ok(Self {
            gate_proj: linear(&weights.at("gate_proj"), size, inner, bias)?,
            up_proj: linear(&weights.at("up_proj"), size, inner, bias)?,
            down_proj: linear(&weights.at("down_proj"), inner, size, bias)?,
            act,
        })
    }

    /// [.., size] → the same.
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let gate = self.act.apply(&self.gate_proj.forward(x)?)?;
        self.down_proj.forward(&(gate * self.up_proj.forward(x)?)?)
    }
}
