//! Flow matching (Esser et al., arXiv 2403.03206; UniWorld-V1's training script): a denoiser learns the
//! velocity from picture to noise.

use super::TrainError;
use crate::model::flow_match::{FlowMatchConfig, euler_step};
use crate::model::noise::{Generator, randn};
use candle_core::{DType, Tensor};

/// A noisy batch, and what the denoiser should predict for it.
pub(super) struct Noised {
    /// (1 − sigma) x + sigma · noise, [B, N, C].
    pub noisy: Tensor,
    /// Noise levels `[B]`.
    pub sigma: Tensor,
    /// noise − x.
    velocity: Tensor,
}

impl Noised {
    /// Makes a noisy batch. The noise levels are the sigmoid of a unit normal, one for each sample, shifted
    /// as the scheduler shifts them.
    ///
    /// # Errors
    /// Fails if the scheduler's configuration is wrong.
    pub(super) fn new(
        x: &Tensor,
        scheduler: &FlowMatchConfig,
        generator: &mut Generator,
    ) -> Result<Self, TrainError> {
        let (batch, length, _) = x.dims3()?;
        let factor = scheduler.factor(length)?;
        let levels = randn(generator, batch, DType::F32).into_iter().map(|z| {
            let level = 1.0 / (1.0 + (-f64::from(z)).exp());
            (factor * level / (1.0 + (factor - 1.0) * level)) as f32
        });
        let sigma = Tensor::from_iter(levels, x.device())?;
        let noise = randn(generator, x.elem_count(), DType::F32);
        let noise = Tensor::from_vec(noise, x.shape(), x.device())?;
        let velocity = (noise - x)?;
        let spread = sigma.reshape((batch, 1, 1))?;
        Ok(Self {
            noisy: (x + velocity.broadcast_mul(&spread)?)?,
            sigma,
            velocity,
        })
    }

    /// The mean over all numbers of weight · (predicted − velocity)². The weights broadcast to [B, N, C].
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub(super) fn loss(
        &self,
        predicted: &Tensor,
        weights: Option<&Tensor>,
    ) -> Result<Tensor, TrainError> {
        let squares = (predicted - &self.velocity)?.sqr()?;
        Ok(match weights {
            Some(weights) => squares.broadcast_mul(weights)?.mean_all()?,
            None => squares.mean_all()?,
        })
    }
}

/// Euler steps from noise [B, N, C] to a picture; `velocity` gets the tokens and the noise levels `[B]`.
///
/// # Errors
/// Fails when `velocity` fails.
pub(super) fn sample(
    noise: &Tensor,
    scheduler: &FlowMatchConfig,
    steps: usize,
    velocity: impl Fn(&Tensor, &Tensor) -> Result<Tensor, TrainError>,
) -> Result<Tensor, TrainError> {
    let (batch, length, _) = noise.dims3()?;
    let sigmas = scheduler.sigmas(steps, length)?;
    let mut x = noise.clone();
    for pair in sigmas.windows(2) {
        let sigma = Tensor::full(pair[0], batch, x.device())?;
        let step = velocity(&x, &sigma)?;
        x = euler_step(&x, &step, pair[0], pair[1])?.detach();
    }
    Ok(x)
}
