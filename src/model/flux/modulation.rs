//! Norms without weights of their own. The embedding of time and prompt scales, shifts and gates them.

use crate::model::nn::{Linear, linear, normed_rows};
use crate::model::{Result, Weights};
use candle_core::{D, Module, Tensor};

const EPS: f64 = 1e-6;

/// A linear layer whose output is split into vectors with the width of the stream.
#[derive(Debug)]
pub struct Modulation {
    linear: Linear,
    parts: usize,
}

impl Modulation {
    /// `parts` vectors from `linear`, weight [parts · D, D].
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(weights: &Weights, width: usize, parts: usize) -> Result<Self> {
        Ok(Self {
            linear: linear(&weights.at("linear"), width, parts * width, true)?,
            parts,
        })
    }

    /// SiLU of the embedding [B, D] → `parts` tensors [B, D].
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn forward(&self, condition: &Tensor) -> candle_core::Result<Vec<Tensor>> {
        self.linear.forward(condition)?.chunk(self.parts, D::Minus1)
    }
}

/// norm(x) · (1 + scale) + shift for x [B, L, D], scale and shift [B, D].
///
/// # Errors
/// Fails if shapes do not fit.
pub fn modulate(x: &Tensor, scale: &Tensor, shift: &Tensor) -> candle_core::Result<Tensor> {
    let scale = (scale + 1.0)?;
    // Scale and shift replace the weights of the norm, so that one pass over x is enough.
    normed_rows(x, &scale, shift, EPS)
}
