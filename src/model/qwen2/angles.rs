//! Rotary positions as tables of cosines and sines.

use crate::model::Result;
use candle_core::{Device, Tensor};
use unigauge_kernels::{Pairs, rotary};

/// Cosines and sines in f32, [L, half the head size], or [B, L, half] where the sequences of a batch differ.
#[derive(Debug, Clone)]
pub struct Angles {
    /// The cosines.
    pub cos: Tensor,
    /// The sines.
    pub sin: Tensor,
}

impl Angles {
    /// The tables for angles in rows, one row for each position.
    ///
    /// # Errors
    /// Fails if the numbers do not fill the shape.
    pub fn new(angles: Vec<f32>, (length, half): (usize, usize), device: &Device) -> Result<Self> {
        let angles = Tensor::from_vec(angles, (length, half), device)?;
        Ok(Self {
            cos: angles.cos()?,
            sin: angles.sin()?,
        })
    }

    /// The tables for one number per token.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub fn plain(
        positions: impl ExactSizeIterator<Item = usize>,
        theta: f64,
        half: usize,
        device: &Device,
    ) -> Result<Self> {
        let frequencies = frequencies(theta, half);
        let length = positions.len();
        let angles = positions.flat_map(|position| {
            let of = move |frequency: &f32| position as f32 * frequency;
            frequencies.iter().map(of)
        });
        Self::new(angles.collect(), (length, half), device)
    }

    /// Every row as a sequence of its own: [B, half] → [B, 1, half].
    ///
    /// # Errors
    /// Fails if there are more axes already.
    pub fn each_alone(&self) -> Result<Self> {
        Ok(Self {
            cos: self.cos.unsqueeze(1)?,
            sin: self.sin.unsqueeze(1)?,
        })
    }

    /// The positions from `start`.
    ///
    /// # Errors
    /// Fails if there are fewer.
    pub fn narrow(&self, start: usize, length: usize) -> candle_core::Result<Self> {
        Ok(Self {
            cos: self.cos.narrow(0, start, length)?,
            sin: self.sin.narrow(0, start, length)?,
        })
    }

    /// Rotates the halves of heads [B, L, heads, d] against each other, in f32.
    ///
    /// # Errors
    /// Fails if L or d is not that of the tables.
    pub fn apply(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        rotary(x, &self.cos, &self.sin, Pairs::Halves)
    }
}

/// theta^(-i / count) for i below `count`.
pub fn frequencies(theta: f64, count: usize) -> Vec<f32> {
    let power = |i: usize| theta.powf(i as f64 / count as f64).recip() as f32;
    (0..count).map(power).collect()
}
