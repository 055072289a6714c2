//! Group norm.

use crate::model::{ModelError, Result, Weights};
use candle_core::Tensor;

/// Normalises groups of channels of [B, C, ...]; `weight` and `bias` `[C]`.
#[derive(Debug, Clone)]
pub struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    groups: usize,
    eps: f64,
}

impl GroupNorm {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if the groups do not divide the channels, and when [`Weights::get`] fails.
    pub fn new(weights: &Weights, groups: usize, channels: usize, eps: f64) -> Result<Self> {
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(ModelError::Input(format!(
                "{}: {groups} groups do not divide {channels} channels",
                weights.name("weight")
            )));
        }
        Ok(Self {
            weight: weights.get("weight", channels)?,
            bias: weights.get("bias", channels)?,
            groups,
            eps,
        })
    }

    /// Same shape as x. Statistics in f32 or better.
    ///
    /// # Errors
    /// Fails if the channels differ.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        unigauge_kernels::group_norm(x, &self.weight, &self.bias, self.groups, self.eps)
    }
}
