//! The flow-matching Euler scheduler of FLUX.1, with a shift that grows with the number of image tokens.
//!
//! Esser et al., arXiv 2403.03206, section 5.3.2. Follows `FlowMatchEulerDiscreteScheduler` of diffusers.

use super::{ModelError, Result};
use candle_core::{DType, Tensor};
use serde::Deserialize;

/// The fields of `scheduler_config.json`. Missing fields have the values of FLUX.1-dev.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct FlowMatchConfig {
    /// Whether the shift depends on the number of tokens. Otherwise it is `shift`.
    pub use_dynamic_shifting: bool,
    /// The fixed shift.
    pub shift: f64,
    /// The exponent of the shift at `base_image_seq_len` tokens.
    pub base_shift: f64,
    /// The exponent of the shift at `max_image_seq_len` tokens.
    pub max_shift: f64,
    /// The smaller number of image tokens for the line of the shift.
    pub base_image_seq_len: usize,
    /// The larger number of image tokens for the line of the shift.
    pub max_image_seq_len: usize,
}

impl Default for FlowMatchConfig {
    fn default() -> Self {
        Self {
            use_dynamic_shifting: true,
            shift: 3.0,
            base_shift: 0.5,
            max_shift: 1.15,
            base_image_seq_len: 256,
            max_image_seq_len: 4096,
        }
    }
}

impl FlowMatchConfig {
    /// The exponent of the shift: a line through both given lengths, also beyond them.
    ///
    /// # Errors
    /// Fails if the two lengths are the same.
    pub fn mu(&self, image_seq_len: usize) -> Result<f64> {
        let (base, max) = (
            self.base_image_seq_len as f64,
            self.max_image_seq_len as f64,
        );
        if base == max {
            return Err(ModelError::Input(
                "scheduler_config.json: `base_image_seq_len` and `max_image_seq_len` are the same"
                    .into(),
            ));
        }
        let slope = (self.max_shift - self.base_shift) / (max - base);
        Ok(self.base_shift + slope * (image_seq_len as f64 - base))
    }

    /// The factor that shifts the noise levels: sigma becomes factor · sigma / (1 + (factor − 1) · sigma).
    ///
    /// # Errors
    /// Fails when [`Self::mu`] fails.
    pub fn factor(&self, image_seq_len: usize) -> Result<f64> {
        if self.use_dynamic_shifting {
            Ok(self.mu(image_seq_len)?.exp())
        } else {
            Ok(self.shift)
        }
    }

    /// The `steps + 1` noise levels of a sampling, from 1 to 0.
    ///
    /// # Errors
    /// Fails when [`Self::mu`] fails, and if there are no steps.
    pub fn sigmas(&self, steps: usize, image_seq_len: usize) -> Result<Vec<f32>> {
        if steps == 0 {
            return Err(ModelError::Input(
                "the number of sampling steps must be 1 or more".into(),
            ));
        }
        let factor = self.factor(image_seq_len)?;
        // Evenly spaced from 1 to 1 / steps, then shifted.
        let levels = (0..steps).map(|step| {
            let level = (steps - step) as f64 / steps as f64;
            (factor / (factor + 1.0 / level - 1.0)) as f32
        });
        Ok(levels.chain([0.0]).collect())
    }
}

/// x + (next − sigma) · velocity, computed in f32. The result has the dtype of x.
///
/// # Errors
/// Fails if shapes differ.
pub fn euler_step(x: &Tensor, velocity: &Tensor, sigma: f32, next: f32) -> Result<Tensor> {
    let step = (velocity.to_dtype(DType::F32)? * f64::from(next - sigma))?;
    Ok((x.to_dtype(DType::F32)? + step)?.to_dtype(x.dtype())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shift_extends_beyond_both_lengths() {
        let config = FlowMatchConfig::default();
        for (length, want) in [(256, 0.5), (4096, 1.15), (5184, 1.334_167)] {
            assert!((config.mu(length).unwrap() - want).abs() < 1e-6);
        }
        let sigmas = config.sigmas(28, 4096).unwrap();
        assert_eq!((sigmas.len(), sigmas[0], sigmas[28]), (29, 1.0, 0.0));
        assert!((sigmas[1] - 0.988_409).abs() < 1e-6);
        assert!(config.sigmas(0, 4096).is_err());
    }

    #[test]
    fn a_step_to_zero_takes_the_whole_velocity() {
        let x = Tensor::new(&[1f32, 2.], &candle_core::Device::Cpu).unwrap();
        let end = euler_step(&x, &x, 1.0, 0.0).unwrap();
        assert_eq!(end.to_vec1::<f32>().unwrap(), [0., 0.]);
    }
}
