//! Diffusion over the times of a scheduler (Ho et al., arXiv 2006.11239; Salimans and Ho, arXiv 2202.00512):
//! a denoiser learns the noise of a noisy picture, or the velocity between picture and noise.

use super::TrainError;
use crate::model::noise::{Generator, randn};
use crate::model::schedulers::{Kind, Levels, Prediction, Sampler, SchedulerConfig};
use candle_core::{DType, Tensor};
use serde::Deserialize;

/// Which times the samples of a training have: the sigmoid of a normal number is a place among them, 0 to 1.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogitNormal {
    /// The mean of the normal numbers. Above 0, more than half of the samples have much noise.
    mean: f64,
    /// Their standard deviation.
    deviation: f64,
}

/// The scheduler of a checkpoint, in training.
pub(super) struct Diffusion {
    scheduler: SchedulerConfig,
    /// What is left of the picture at each time.
    alphas: Vec<f32>,
    times: Option<LogitNormal>,
}

/// A noisy batch, and what the denoiser should predict for it.
pub(super) struct Noised {
    /// √alpha · x + √(1 − alpha) · noise, [B, c, h, w].
    pub noisy: Tensor,
    /// Times `[B]`, in f32.
    pub times: Tensor,
    /// The noise or the velocity, [B, c, h, w].
    target: Tensor,
}

impl Diffusion {
    /// The scheduler as the pipeline of Stable Diffusion runs it. Without `times`, all times come equally
    /// often.
    ///
    /// # Errors
    /// Fails if the scheduler's configuration or `times` has a mistake.
    pub(super) fn new(
        scheduler: SchedulerConfig,
        times: Option<LogitNormal>,
    ) -> Result<Self, TrainError> {
        let scheduler = scheduler.as_in_stable_diffusion();
        let kind = scheduler.kind().map_err(TrainError::definition)?;
        if matches!(kind, Kind::FlowMatch | Kind::EulerAncestral) {
            return Err(TrainError::Definition {
                message: format!(
                    "`network.scheduler`: `{}` is not a scheduler of this task; it needs one with betas that adds no \
                     noise while it draws, such as `DDIMScheduler`",
                    scheduler.class_name
                ),
            });
        }
        let positive = |x: f64| x > 0.0 && x.is_finite();
        if times.is_some_and(|times| !(times.mean.is_finite() && positive(times.deviation))) {
            return Err(TrainError::Definition {
                message:
                    "`settings.times`: `mean` must be a number, and `deviation` must be above 0"
                        .into(),
            });
        }
        // A plan reads all fields.
        let plan = scheduler.plan(1, None, Levels::Own);
        plan.map_err(TrainError::definition)?;
        Ok(Self {
            alphas: scheduler.alphas().map_err(TrainError::definition)?,
            scheduler,
            times,
        })
    }

    /// Makes a noisy batch of x [B, c, h, w].
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub(super) fn noised(
        &self,
        x: &Tensor,
        generator: &mut Generator,
    ) -> Result<Noised, TrainError> {
        let batch = x.dim(0)?;
        let times = self.draw_times(batch, generator);
        let noise = randn(generator, x.elem_count(), DType::F32);
        let noise = Tensor::from_vec(noise, x.shape(), x.device())?;
        let scale = |of: fn(f32) -> f32| -> candle_core::Result<Tensor> {
            let scales = times.iter().map(|&time| of(self.alphas[time]));
            Tensor::from_iter(scales, x.device())?.reshape((batch, 1, 1, 1))
        };
        let kept = scale(f32::sqrt)?;
        let added = scale(|alpha| (1.0 - alpha).sqrt())?;
        let noisy = (x.broadcast_mul(&kept)? + noise.broadcast_mul(&added)?)?;
        let target = match self.scheduler.prediction_type {
            Prediction::Noise => noise,
            Prediction::Velocity => (noise.broadcast_mul(&kept)? - x.broadcast_mul(&added)?)?,
        };
        let times = times.iter().map(|&time| time as f32);
        Ok(Noised {
            noisy,
            times: Tensor::from_iter(times, x.device())?,
            target,
        })
    }

    /// Times of the training, one for each sample.
    fn draw_times(&self, batch: usize, generator: &mut Generator) -> Vec<usize> {
        let count = self.alphas.len();
        let places: Vec<f64> = match self.times {
            None => (0..batch).map(|_| generator.uniform()).collect(),
            Some(LogitNormal { mean, deviation }) => {
                let normal = randn(generator, batch, DType::F32).into_iter();
                let logits = normal.map(|z| mean + deviation * f64::from(z));
                logits.map(|logit| 1.0 / (1.0 + (-logit).exp())).collect()
            }
        };
        let time = |place: f64| ((place * count as f64) as usize).min(count - 1);
        places.into_iter().map(time).collect()
    }

    /// The scheduler's steps from noise [B, c, h, w] to a picture; `predict` gets what the denoiser sees and
    /// the times `[B]`.
    ///
    /// # Errors
    /// Fails when `predict` fails, or if there are more steps than times.
    pub(super) fn sample(
        &self,
        noise: &Tensor,
        steps: usize,
        predict: impl Fn(&Tensor, &Tensor) -> Result<Tensor, TrainError>,
    ) -> Result<Tensor, TrainError> {
        let plan = self.scheduler.plan(steps, None, Levels::Own)?;
        let mut sampler = Sampler::new(&plan);
        let mut x = (noise * plan.init_noise_sigma())?;
        for (number, &time) in plan.timesteps.iter().enumerate() {
            let times = Tensor::full(time, x.dim(0)?, x.device())?;
            let seen = (&x * plan.input_scale(number))?;
            let predicted = predict(&seen, &times)?.detach();
            x = sampler.step(&x, &predicted, None)?;
        }
        Ok(x)
    }
}

impl Noised {
    /// The mean over all numbers of (predicted − target)².
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub(super) fn loss(&self, predicted: &Tensor) -> Result<Tensor, TrainError> {
        Ok((predicted - &self.target)?.sqr()?.mean_all()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn diffusion(prediction_type: Prediction, times: Option<LogitNormal>) -> Diffusion {
        let mut scheduler = SchedulerConfig::named("DDIMScheduler");
        scheduler.prediction_type = prediction_type;
        Diffusion::new(scheduler, times).unwrap()
    }

    /// A denoiser that knows the clean picture predicts the target, and its steps lead to the picture.
    #[test]
    fn the_target_is_what_the_sampler_takes_from_a_network_that_knows_the_picture() {
        let picture = Tensor::new(&[0.4f32, -1.2], &Device::Cpu).unwrap();
        let picture = picture.reshape((2, 1, 1, 1)).unwrap();
        for prediction in [Prediction::Noise, Prediction::Velocity] {
            let diffusion = diffusion(prediction, None);
            let knows = |x: &Tensor, times: &Tensor| -> Result<Tensor, TrainError> {
                let time = times.to_vec1::<f32>()?[0] as usize;
                let alpha = f64::from(diffusion.alphas[time]);
                let (kept, added) = (alpha.sqrt(), (1.0 - alpha).sqrt());
                let noise = ((x - (&picture * kept)?)? / added)?;
                Ok(match prediction {
                    Prediction::Noise => noise,
                    Prediction::Velocity => ((noise * kept)? - (&picture * added)?)?,
                })
            };
            let mut generator = Generator::new(7);
            let noised = diffusion.noised(&picture, &mut generator).unwrap();
            for row in 0..2 {
                let one = |x: &Tensor| x.narrow(0, row, 1).unwrap();
                let alone = (one(&noised.noisy), one(&noised.times));
                let twice = Tensor::cat(&[&alone.0, &alone.0], 0).unwrap();
                let guess = knows(&twice, &alone.1).unwrap();
                let off = (one(&guess) - one(&noised.target)).unwrap();
                let off: f32 = off.abs().unwrap().max_all().unwrap().to_scalar().unwrap();
                assert!(off < 1e-3, "{prediction:?}: {off}");
            }
            let noise = Tensor::new(&[1f32, 0.3], &Device::Cpu).unwrap();
            let noise = noise.reshape((2, 1, 1, 1)).unwrap();
            let made = diffusion.sample(&noise, 10, knows).unwrap();
            let off = (made - &picture).unwrap().abs().unwrap();
            let off: f32 = off.max_all().unwrap().to_scalar().unwrap();
            assert!(off < 1e-3, "{prediction:?}: {off}");
        }
    }

    #[test]
    fn times_are_drawn_from_all_or_around_a_place() {
        let mut generator = Generator::new(3);
        let mut share_late = |times| {
            let drawn = diffusion(Prediction::Noise, times).draw_times(4000, &mut generator);
            assert!(drawn.iter().all(|time| *time < 1000));
            drawn.iter().filter(|time| **time >= 500).count() as f64 / 4000.0
        };
        assert!((share_late(None) - 0.5).abs() < 0.04);
        // The share of normal numbers above −0.5 is 0.6915.
        let around = LogitNormal {
            mean: 0.5,
            deviation: 1.0,
        };
        assert!((share_late(Some(around)) - 0.6915).abs() < 0.04);
    }
}
