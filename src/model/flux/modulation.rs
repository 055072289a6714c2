//! Norms without own weights that the embedding of time and prompt scales, shifts and gates.

use crate::model::nn::{Linear, linear};
use crate::model::{Result, Weights};
use candle_core::{D, Module, Tensor};

const EPS: f32 = 1e-6;

/// A linear layer whose output is cut into vectors of the stream's width.
#[derive(Debug)]
pub struct Modulation {
    linear: Linear,
    parts: usize,
}

impl Modulation {
    /// `parts` vectors from `linear`, weight [parts · D, D].
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn new(weights: &Weights, width: usize, parts: usize) -> Result<Self> {
        Ok(Self {
            linear: linear(&weights.at("linear"), width, parts * width, true)?,
            parts,
        })
    }

    /// SiLU of the embedding [B, D] → `parts` tensors [B, D].
    ///
    /// # Errors
    /// When the width is another.
    pub fn forward(&self, condition: &Tensor) -> candle_core::Result<Vec<Tensor>> {
        self.linear.forward(condition)?.chunk(self.parts, D::Minus1)
    }
}

/// norm(x) · (1 + scale) + shift for x [B, L, D], scale and shift [B, D].
///
/// # Errors
/// When shapes do not fit.
pub fn modulate(x: &Tensor, scale: &Tensor, shift: &Tensor) -> candle_core::Result<Tensor> {
    let scale = (scale + 1.0)?;
    // Scale and shift take the place of the norm's own weights: one pass over x.
    each(x, |x, row| {
        candle_nn::ops::layer_norm(&x.contiguous()?, &scale.get(row)?, &shift.get(row)?, EPS)
    })
}

/// x + gate · y for x and y [B, L, D], gate [B, D].
///
/// # Errors
/// When shapes do not fit.
pub fn gated(x: &Tensor, gate: &Tensor, y: &Tensor) -> candle_core::Result<Tensor> {
    each(x, |x, row| {
        x + y.narrow(0, row, 1)?.broadcast_mul(&gate.get(row)?)?
    })
}

/// Applies a function to each sample [1, L, D].
fn each(
    x: &Tensor,
    f: impl Fn(&Tensor, usize) -> candle_core::Result<Tensor>,
) -> candle_core::Result<Tensor> {
    match x.dim(0)? {
        1 => f(x, 0),
        batch => {
            let rows = (0..batch).map(|row| f(&x.narrow(0, row, 1)?, row));
            Tensor::cat(&rows.collect::<candle_core::Result<Vec<_>>>()?, 0)
        }
    }
}
