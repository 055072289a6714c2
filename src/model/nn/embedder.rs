//! The embeddings of times and of vectors by which the blocks of a denoiser are changed, with the names of
//! diffusers.

use super::{Activation, Linear, linear};
use crate::model::{Result, Weights};
use candle_core::{D, DType, Device, Module, Tensor};

/// The slowest frequency of a sinusoid has this period over 2 π.
const PERIOD: f64 = 10_000.0;

/// The form of a sinusoid.
#[derive(Debug, Clone, Copy)]
pub struct Sinusoid {
    /// Whether the cosines come before the sines.
    pub cosines_first: bool,
    /// Shift of the number of frequencies.
    pub shift: f64,
}

impl Default for Sinusoid {
    fn default() -> Self {
        Self {
            cosines_first: true,
            shift: 0.0,
        }
    }
}

impl Sinusoid {
    /// Numbers `[N]` → [N, width], in f32 whatever the network's number format is: in 16 bits, times of
    /// several hundred have errors of radians.
    ///
    /// # Errors
    /// Fails if the numbers have more than one axis.
    pub fn of(&self, numbers: &Tensor, width: usize) -> candle_core::Result<Tensor> {
        let numbers = numbers.to_dtype(DType::F32)?;
        let waves = self.waves(width / 2, numbers.device())?;
        let angles = numbers.unsqueeze(1)?.broadcast_mul(&waves)?;
        let (sin, cos) = (angles.sin()?, angles.cos()?);
        let both = if self.cosines_first {
            [cos, sin]
        } else {
            [sin, cos]
        };
        let sinusoid = Tensor::cat(&both, D::Minus1)?;
        // An odd width ends with a zero.
        sinusoid.pad_with_zeros(D::Minus1, 0, width % 2)
    }

    /// [1, half]
    fn waves(&self, half: usize, device: &Device) -> candle_core::Result<Tensor> {
        let slope = PERIOD.ln() as f32;
        let wave = |i: usize| (-slope * i as f32 / (half as f64 - self.shift) as f32).exp();
        Tensor::from_vec((0..half).map(wave).collect::<Vec<f32>>(), (1, half), device)
    }
}

/// Two linear layers with SiLU between them: `linear_1`, `linear_2`.
#[derive(Debug, Clone)]
pub struct Embedder {
    linear_1: Linear,
    linear_2: Linear,
}

impl Embedder {
    /// `input` to `width` numbers.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(weights: &Weights, input: usize, width: usize) -> Result<Self> {
        Ok(Self {
            linear_1: linear(&weights.at("linear_1"), input, width, true)?,
            linear_2: linear(&weights.at("linear_2"), width, width, true)?,
        })
    }

    /// [B, input] → [B, width]
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.linear_2
            .forward(&Activation::Silu.apply(&self.linear_1.forward(x)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_come_first_and_the_first_wave_is_the_number_itself() {
        let sinusoid = Sinusoid::default();
        let numbers = Tensor::new(&[0f32, 981.0], &Device::Cpu).unwrap();
        let rows: Vec<Vec<f32>> = sinusoid.of(&numbers, 4).unwrap().to_vec2().unwrap();
        assert_eq!(rows[0], [1.0, 1.0, 0.0, 0.0]);
        let want = [981f32.cos(), 9.81f32.cos(), 981f32.sin(), 9.81f32.sin()];
        for (got, want) in rows[1].iter().zip(want) {
            assert!((got - want).abs() < 1e-4, "{got} {want}");
        }
    }
}
