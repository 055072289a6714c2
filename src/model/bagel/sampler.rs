//! The drawing of pictures: Euler steps along the velocity, with guidance by contexts that lack the text or
//! the pictures.

use super::context::Branch;
use super::network::Bagel;
use super::special::SpecialTokens;
use super::table::Grid;
use crate::model::{ModelError, Result};
use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};

/// Avoids a division by zero, as in the authors' code.
const EPS: f64 = 1e-8;

/// How a guided velocity is brought back to the length of the plain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Renorm {
    /// By the length over all tokens and channels of a picture.
    Global,
    /// By the length of each token.
    Channel,
    /// By the length of each token, after the guidance by the text and before that by the pictures.
    TextChannel,
}

/// The settings of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sampler {
    /// Number of points in time. There is one step less.
    pub num_timesteps: usize,
    /// More than 1 spends more of the steps on high noise.
    pub timestep_shift: f64,
    /// Scale of the guidance by the difference to the context without the text. Up to 1 there is none, and
    /// none by the pictures either.
    pub cfg_text_scale: f64,
    /// Scale of the guidance by the difference to the context without pictures. Up to 1 there is none.
    pub cfg_img_scale: f64,
    /// The times with guidance: above the first, up to the second.
    pub cfg_interval: [f64; 2],
    /// How a guided velocity is shortened.
    pub cfg_renorm_type: Renorm,
    /// The smallest factor by which it is shortened. 1 leaves its length.
    pub cfg_renorm_min: f64,
}

/// The contexts of a drawing.
pub struct Branches {
    /// With everything.
    pub full: Branch,
    /// Without the latest text.
    pub without_text: Branch,
    /// Without pictures. `None` if it is the same as with everything.
    pub without_image: Option<Branch>,
}

/// What a step used, for those who look on.
pub struct SeenStep<'a> {
    /// The time, from 1 to 0.
    pub time: f64,
    /// The velocity [B, N, 4z] of the step.
    pub velocity: &'a Tensor,
    /// The velocity with everything.
    pub full: &'a Tensor,
    /// The velocity without the text, if there is guidance.
    pub without_text: Option<&'a Tensor>,
    /// The velocity without pictures, if it is used.
    pub without_image: Option<&'a Tensor>,
}

impl Sampler {
    /// Checks the settings.
    ///
    /// # Errors
    /// Fails if a setting is outside its range. The message names it.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String| Err(ModelError::Input(message));
        if self.num_timesteps < 2 {
            return wrong(format!(
                "`num_timesteps` is {}; it must be 2 or more, since it counts the points in time and not the steps",
                self.num_timesteps
            ));
        }
        if !(self.timestep_shift.is_finite() && self.timestep_shift > 0.0) {
            return wrong(format!(
                "`timestep_shift` is {}; it must be positive",
                self.timestep_shift
            ));
        }
        if !(self.cfg_text_scale.is_finite() && self.cfg_img_scale.is_finite()) {
            return wrong("`cfg_text_scale` and `cfg_img_scale` must be numbers".into());
        }
        if !(0.0..=1.0).contains(&self.cfg_renorm_min) {
            return wrong(format!(
                "`cfg_renorm_min` is {}; it must be 0 to 1",
                self.cfg_renorm_min
            ));
        }
        Ok(())
    }

    /// The points in time from 1 to 0. They are numbers of f32, as in the authors' code, which compares them
    /// with the ends of the interval.
    pub fn times(&self) -> Vec<f64> {
        let points = self.num_timesteps;
        let step = -1.0 / points.saturating_sub(1).max(1) as f32;
        let rest = (self.timestep_shift - 1.0) as f32;
        let shift = self.timestep_shift as f32;
        let time = |point: usize| {
            // `torch.linspace` counts each half from its own end, and rounds once.
            let even = if point < points / 2 {
                step.mul_add(point as f32, 1.0)
            } else {
                -step * (points - 1 - point) as f32
            };
            f64::from(shift * even / (1.0 + rest * even))
        };
        (0..points).map(time).collect()
    }

    fn guides_at(&self, time: f64) -> bool {
        let [low, high] = self.cfg_interval.map(|end| f64::from(end as f32));
        low < time && time <= high && self.cfg_text_scale > 1.0
    }

    /// Moves packed noise [B, h · w, 4z] in f32 to latents. It ends early when `on_step` returns false.
    ///
    /// # Errors
    /// Fails if the pictures are not those of the branches, or do not fit the table of positions.
    pub fn draw(
        &self,
        model: &Bagel,
        (noise, grid): (&Tensor, Grid),
        special: SpecialTokens,
        branches: &Branches,
        on_step: &mut dyn FnMut(&SeenStep<'_>) -> bool,
    ) -> Result<Tensor> {
        self.check()?;
        let mut x = noise.clone();
        for pair in self.times().windows(2) {
            let (time, next) = (pair[0], pair[1]);
            let velocity = |branch: &Branch| -> Result<Tensor> {
                model.velocity(&model.noise_states(&x, grid, &[time], special, branch)?)
            };
            let full = velocity(&branches.full)?;
            let (mut without_text, mut without_image) = (None, None);
            let mut used = full.clone();
            if self.guides_at(time) {
                let text = velocity(&branches.without_text)?;
                if self.cfg_img_scale > 1.0 {
                    without_image = Some(match &branches.without_image {
                        Some(branch) => velocity(branch)?,
                        None => full.clone(),
                    });
                }
                used = self.guided(&full, &text, without_image.as_ref())?;
                without_text = Some(text);
            }
            let step = SeenStep {
                time,
                velocity: &used,
                full: &full,
                without_text: without_text.as_ref(),
                without_image: without_image.as_ref(),
            };
            let go_on = on_step(&step);
            // A network that learns would keep the graphs of all steps.
            x = (&x + (&used * (next - time))?)?.detach();
            if !go_on {
                break;
            }
        }
        Ok(x)
    }

    /// The guided velocity [B, N, 4z] for the velocities with everything, without the text, and without
    /// pictures.
    fn guided(&self, full: &Tensor, text: &Tensor, image: Option<&Tensor>) -> Result<Tensor> {
        let by_text = (text + ((full - text)? * self.cfg_text_scale)?)?;
        let by_image = |guided: Tensor| -> Result<Tensor> {
            match image {
                Some(image) => Ok((image + ((guided - image)? * self.cfg_img_scale)?)?),
                None => Ok(guided),
            }
        };
        match self.cfg_renorm_type {
            Renorm::Global | Renorm::Channel => self.shortened(&by_image(by_text)?, full),
            Renorm::TextChannel => by_image(self.shortened(&by_text, full)?),
        }
    }

    /// The guided velocity, not longer than the plain one as far as `cfg_renorm_min` allows. Each picture is
    /// measured by itself.
    fn shortened(&self, guided: &Tensor, plain: &Tensor) -> Result<Tensor> {
        let length = |x: &Tensor| -> candle_core::Result<Tensor> {
            let squares = x.sqr()?;
            match self.cfg_renorm_type {
                Renorm::Global => squares.sum_keepdim((1, 2))?.sqrt(),
                Renorm::Channel | Renorm::TextChannel => squares.sum_keepdim(D::Minus1)?.sqrt(),
            }
        };
        let factor = (length(plain)? / (length(guided)? + EPS)?)?;
        let factor = factor.clamp(self.cfg_renorm_min, 1.0)?;
        Ok(guided.broadcast_mul(&factor)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    const PLAIN: Sampler = Sampler {
        num_timesteps: 5,
        timestep_shift: 3.0,
        cfg_text_scale: 3.0,
        cfg_img_scale: 1.0,
        cfg_interval: [0.0, 1.0],
        cfg_renorm_type: Renorm::Global,
        cfg_renorm_min: 0.0,
    };

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    // 49 evaluations for 50 points, of which 41 are above 0.4: the specification's numbers.
    #[test]
    fn fifty_points_are_forty_nine_steps() {
        let sampler = Sampler {
            num_timesteps: 50,
            cfg_interval: [0.4, 1.0],
            ..PLAIN
        };
        let times = sampler.times();
        assert_eq!((times.len(), times[0], times[49]), (50, 1.0, 0.0));
        let guided = times[..49].iter().filter(|time| sampler.guides_at(**time));
        assert_eq!(guided.count(), 41);
        let weak = Sampler {
            cfg_text_scale: 1.0,
            ..sampler
        };
        assert!(!weak.guides_at(0.9));
    }

    // Two pictures of one token of two channels. Plain (3, 4) and (0, 1), without text 0: guided (9, 12) and
    // (0, 3), shortened to the length of the plain ones, each by itself.
    #[test]
    fn guidance_keeps_the_length_of_each_picture() {
        let device = Device::Cpu;
        let full = Tensor::new(&[[[3f32, 4.]], [[0., 1.]]], &device).unwrap();
        let text = full.zeros_like().unwrap();
        for renorm in [Renorm::Global, Renorm::Channel, Renorm::TextChannel] {
            let sampler = Sampler {
                cfg_renorm_type: renorm,
                ..PLAIN
            };
            let guided = sampler.guided(&full, &text, None).unwrap();
            for (got, want) in values(&guided).iter().zip([3., 4., 0., 1.]) {
                assert!((got - want).abs() < 1e-5, "{renorm:?}");
            }
            let free = Sampler {
                cfg_renorm_min: 1.0,
                ..sampler
            };
            let guided = free.guided(&full, &text, None).unwrap();
            assert_eq!(values(&guided), [9., 12., 0., 3.]);
        }
        // Only `text_channel` leaves the step by the pictures as it is: 2 · (3, 4) and 2 · (0, 1) from zero.
        let both = Sampler {
            cfg_img_scale: 2.0,
            cfg_renorm_type: Renorm::TextChannel,
            ..PLAIN
        };
        let guided = both.guided(&full, &text, Some(&text)).unwrap();
        for (got, want) in values(&guided).iter().zip([6., 8., 0., 2.]) {
            assert!((got - want).abs() < 1e-5);
        }
    }

    #[test]
    fn settings_outside_their_range_are_refused_by_name() {
        for (sampler, name) in [
            (
                Sampler {
                    num_timesteps: 1,
                    ..PLAIN
                },
                "num_timesteps",
            ),
            (
                Sampler {
                    timestep_shift: 0.0,
                    ..PLAIN
                },
                "timestep_shift",
            ),
            (
                Sampler {
                    cfg_renorm_min: 2.0,
                    ..PLAIN
                },
                "cfg_renorm_min",
            ),
        ] {
            let error = sampler.check().unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
