//! The steps of a sampling.

use super::config::{Kind, Prediction, wrong};
use super::plan::Plan;
use crate::model::{ModelError, Result};
use candle_core::{DType, Tensor};
use std::collections::VecDeque;

/// The number of earlier predictions that PLMS uses.
const HISTORY: usize = 4;

/// A sampling with its memory of earlier steps. Computes in f32.
#[derive(Debug)]
pub struct Sampler<'a> {
    plan: &'a Plan,
    /// The number of the next evaluation.
    next: usize,
    /// Earlier predictions of PLMS, or the last clean picture of DPM-Solver++. The newest is the last.
    earlier: VecDeque<Tensor>,
    /// The latents of the first evaluation of PLMS.
    start: Option<Tensor>,
}

impl<'a> Sampler<'a> {
    /// A sampling that has not begun.
    pub fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            next: 0,
            earlier: VecDeque::new(),
            start: None,
        }
    }

    /// The latents after the next evaluation, in f32, from the latents `x` and the network's `prediction`,
    /// which have the same shape. `noise` is needed if the plan adds noise.
    ///
    /// # Errors
    /// Fails if there is no further evaluation, if noise is missing, or if shapes differ.
    pub fn step(
        &mut self,
        x: &Tensor,
        prediction: &Tensor,
        noise: Option<&Tensor>,
    ) -> Result<Tensor> {
        let number = self.next;
        let Some(&time) = self.plan.timesteps.get(number) else {
            return Err(ModelError::Input("the sampling has ended".into()));
        };
        self.next += 1;
        let x = x.to_dtype(DType::F32)?;
        let prediction = prediction.to_dtype(DType::F32)?;
        match self.plan.kind {
            Kind::Pndm => self.plms(number, time as i64, x, prediction),
            Kind::Ddim => self.ddim(time as i64, &x, &prediction),
            Kind::Dpm => self.dpm(number, &x, &prediction),
            Kind::FlowMatch => {
                let (from, to) = self.levels(number);
                Ok((x + (prediction * (to - from))?)?)
            }
            Kind::Euler | Kind::EulerAncestral => self.euler(number, &x, &prediction, noise),
        }
    }

    /// The noise levels before and after a step.
    fn levels(&self, number: usize) -> (f64, f64) {
        let level = |i: usize| self.plan.sigmas.get(i).copied().map_or(0.0, f64::from);
        (level(number), level(number + 1))
    }

    /// What is left of the picture at a time, also before the first one.
    fn alpha(&self, time: i64) -> Result<f64> {
        // The default of DDIM is true, that of PNDM false.
        let clean = (self.plan.config.set_alpha_to_one).unwrap_or(self.plan.kind == Kind::Ddim);
        match (time < 0, clean) {
            (true, true) => Ok(1.0),
            (true, false) => self.plan.table.alpha(0),
            (false, _) => self.plan.table.alpha(time),
        }
    }

    /// The distance of two times, in times of the training.
    fn gap(&self) -> i64 {
        (self.plan.config.num_train_timesteps / self.plan.steps) as i64
    }

    fn plms(&mut self, number: usize, time: i64, x: Tensor, prediction: Tensor) -> Result<Tensor> {
        let gap = self.gap();
        let lost = || ModelError::Input("the first prediction of PLMS is lost".into());
        if number == 1 {
            // The second evaluation improves the first step, which is made again.
            let first = self.earlier.back().ok_or_else(lost)?;
            let mean = ((&prediction + first)? * 0.5)?;
            let start = self.start.take().ok_or_else(lost)?;
            return self.transfer(&start, &mean, time + gap, time);
        }
        self.earlier.push_back(prediction);
        if self.earlier.len() > HISTORY {
            self.earlier.pop_front();
        }
        let blended = self.blended()?;
        let y = self.transfer(&x, &blended, time, time - gap)?;
        if number == 0 {
            self.start = Some(x);
        }
        Ok(y)
    }

    /// The prediction for a step, extrapolated from the last ones.
    fn blended(&self) -> Result<Tensor> {
        let factors: &[f64] = match self.earlier.len() {
            0 | 1 => &[1.0],
            2 => &[3.0 / 2.0, -1.0 / 2.0],
            3 => &[23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0],
            _ => &[55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0],
        };
        let terms = self.earlier.iter().rev().zip(factors);
        let mut sum: Option<Tensor> = None;
        for (prediction, factor) in terms {
            let term = (prediction * *factor)?;
            sum = Some(match sum {
                Some(sum) => (sum + term)?,
                None => term,
            });
        }
        sum.ok_or_else(|| ModelError::Input("there is no prediction".into()))
    }

    /// x from one time to another, along the noise of a prediction.
    fn transfer(&self, x: &Tensor, prediction: &Tensor, from: i64, to: i64) -> Result<Tensor> {
        let (a, b) = (self.alpha(from)?, self.alpha(to)?);
        let noise = match self.plan.config.prediction_type {
            Prediction::Noise => prediction.clone(),
            Prediction::Velocity => ((prediction * a.sqrt())? + (x * (1.0 - a).sqrt())?)?,
        };
        let factor = (b - a) / (a * (1.0 - b).sqrt() + (a * (1.0 - a) * b).sqrt());
        Ok(((x * (b / a).sqrt())? - (noise * factor)?)?)
    }

    fn ddim(&self, time: i64, x: &Tensor, prediction: &Tensor) -> Result<Tensor> {
        let config = &self.plan.config;
        let (a, b) = (self.alpha(time)?, self.alpha(time - self.gap())?);
        let (picture, noise) = match config.prediction_type {
            Prediction::Noise => {
                let picture = ((x - (prediction * (1.0 - a).sqrt())?)? / a.sqrt())?;
                (picture, prediction.clone())
            }
            Prediction::Velocity => (
                ((x * a.sqrt())? - (prediction * (1.0 - a).sqrt())?)?,
                ((prediction * a.sqrt())? + (x * (1.0 - a).sqrt())?)?,
            ),
        };
        let picture = if config.clip_sample.unwrap_or(true) {
            let limit = config.clip_sample_range;
            picture.clamp(-limit, limit)?
        } else {
            picture
        };
        Ok(((picture * b.sqrt())? + (noise * (1.0 - b).sqrt())?)?)
    }

    fn euler(
        &self,
        number: usize,
        x: &Tensor,
        prediction: &Tensor,
        noise: Option<&Tensor>,
    ) -> Result<Tensor> {
        let (from, to) = self.levels(number);
        let direction = match self.plan.config.prediction_type {
            Prediction::Noise => prediction.clone(),
            Prediction::Velocity => {
                let square = from * from + 1.0;
                let picture = ((x / square)? - (prediction * (from / square.sqrt()))?)?;
                ((x - picture)? / from)?
            }
        };
        if self.plan.kind == Kind::Euler {
            return Ok((x + (direction * (to - from))?)?);
        }
        let up = (to * to * (from * from - to * to) / (from * from)).sqrt();
        let down = (to * to - up * up).max(0.0).sqrt();
        let noise = noise.ok_or_else(|| wrong("an ancestral step needs noise"))?;
        let moved = (x + (direction * (down - from))?)?;
        Ok((moved + (noise.to_dtype(DType::F32)? * up)?)?)
    }

    /// DPM-Solver++ (2M), in its midpoint form.
    fn dpm(&mut self, number: usize, x: &Tensor, prediction: &Tensor) -> Result<Tensor> {
        let (from, to) = self.levels(number);
        let (alpha, noise) = parts(from);
        let picture = match self.plan.config.prediction_type {
            Prediction::Noise => ((x - (prediction * noise)?)? / alpha)?,
            Prediction::Velocity => ((x * alpha)? - (prediction * noise)?)?,
        };
        // The last level is 0, so the last step has order 1.
        let last = number + 1 == self.plan.timesteps.len();
        let direction = match self.earlier.back() {
            Some(before) if !last && self.plan.config.solver_order == 2 => {
                let log = |level: f64| -level.ln();
                let (earlier, _) = self.levels(number - 1);
                let ratio = (log(from) - log(earlier)) / (log(to) - log(from));
                (&picture + ((&picture - before)? / (2.0 * ratio))?)?
            }
            _ => picture.clone(),
        };
        self.earlier.clear();
        self.earlier.push_back(picture);
        let (next_alpha, next_noise) = parts(to);
        let factor = next_alpha * (to / from - 1.0);
        Ok(((x * (next_noise / noise))? - (direction * factor)?)?)
    }
}

/// The scales of picture and noise at a level, of which the squares have the sum 1.
fn parts(level: f64) -> (f64, f64) {
    let alpha = 1.0 / level.hypot(1.0);
    (alpha, level * alpha)
}

#[cfg(test)]
mod tests {
    use super::super::{Levels, SchedulerConfig, Spacing};
    use super::*;
    use candle_core::Device;

    /// A network that knows the clean picture: every scheduler must arrive at it.
    fn ends_at(class_name: &str, prediction_type: Prediction) -> f32 {
        let config = SchedulerConfig {
            class_name: class_name.into(),
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: "scaled_linear".into(),
            skip_prk_steps: true,
            steps_offset: 1,
            set_alpha_to_one: Some(true),
            clip_sample: Some(false),
            timestep_spacing: Some(Spacing::Leading),
            prediction_type,
            ..SchedulerConfig::default()
        };
        let plan = config.plan(10, None, Levels::Own).unwrap();
        let mut sampler = Sampler::new(&plan);
        let picture = 0.4;
        let mut x = Tensor::new(&[1.3f32], &Device::Cpu).unwrap();
        x = (x * plan.init_noise_sigma()).unwrap();
        let still = Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap();
        for (i, &time) in plan.timesteps.iter().enumerate() {
            let value = f64::from(x.to_vec1::<f32>().unwrap()[0]);
            let (alpha, sigma, seen) = match plan.kind {
                Kind::Euler | Kind::EulerAncestral => {
                    let (alpha, sigma) = parts(f64::from(plan.sigmas[i]));
                    (alpha, sigma, value * plan.input_scale(i))
                }
                _ => {
                    let alpha = plan.table.alpha(time as i64).unwrap();
                    (alpha.sqrt(), (1.0 - alpha).sqrt(), value)
                }
            };
            let noise = (seen - alpha * picture) / sigma;
            let guess = match prediction_type {
                Prediction::Noise => noise,
                Prediction::Velocity => alpha * noise - sigma * picture,
            };
            let guess = Tensor::new(&[guess as f32], &Device::Cpu).unwrap();
            x = sampler.step(&x, &guess, Some(&still)).unwrap();
        }
        assert!(sampler.step(&x, &x, Some(&still)).is_err());
        x.to_vec1::<f32>().unwrap()[0]
    }

    #[test]
    fn a_network_that_knows_the_picture_leads_to_it() {
        for name in [
            "DDIMScheduler",
            "EulerDiscreteScheduler",
            "EulerAncestralDiscreteScheduler",
            "DPMSolverMultistepScheduler",
        ] {
            for prediction in [Prediction::Noise, Prediction::Velocity] {
                let end = ends_at(name, prediction);
                assert!((end - 0.4).abs() < 1e-4, "{name} {prediction:?}: {end}");
            }
        }
        // PLMS extrapolates noise that the steps themselves change, so it is only near.
        let end = ends_at("PNDMScheduler", Prediction::Noise);
        assert!((end - 0.4).abs() < 0.2, "{end}");
    }
}
