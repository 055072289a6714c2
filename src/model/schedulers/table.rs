//! The noise of the times of the training.

use super::config::{SchedulerConfig, wrong};
use crate::model::Result;

impl SchedulerConfig {
    /// What is left of the picture at each time of the training: the square of its scale. The square of the
    /// scale of the noise is 1 less this.
    ///
    /// # Errors
    /// Fails if the spacing of the variances is unknown, or a variance is not between 0 and 1.
    pub fn alphas(&self) -> Result<Vec<f32>> {
        Ok(Table::new(self)?.alphas)
    }
}

/// What is left of the picture at each time of the training.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// The product of 1 − beta up to each time, rounded to f32 as in PyTorch.
    pub alphas: Vec<f32>,
}

impl Table {
    /// # Errors
    /// Fails if the spacing of the variances is unknown, or a variance is not between 0 and 1.
    pub(super) fn new(config: &SchedulerConfig) -> Result<Self> {
        let mut product = 1.0;
        let alphas = betas(config)?.into_iter().map(|beta| {
            product *= f64::from(1.0 - beta);
            product as f32
        });
        let alphas: Vec<f32> = alphas.collect();
        if alphas.iter().any(|alpha| !(*alpha > 0.0 && *alpha <= 1.0)) {
            return Err(wrong("`beta_start` and `beta_end` must be between 0 and 1"));
        }
        Ok(Self { alphas })
    }

    /// What is left of the picture at a time.
    ///
    /// # Errors
    /// Fails if the time is beyond those of the training.
    pub(super) fn alpha(&self, time: i64) -> Result<f64> {
        let alpha = usize::try_from(time)
            .ok()
            .and_then(|time| self.alphas.get(time));
        alpha
            .map(|alpha| f64::from(*alpha))
            .ok_or_else(|| wrong(format!("the time {time} does not exist in the training")))
    }

    /// The noise level of each time: the deviation of the noise over the scale of the picture.
    pub(super) fn sigmas(&self) -> Vec<f64> {
        let level = |alpha: &f32| f64::from(((1.0 - alpha) / alpha).sqrt());
        self.alphas.iter().map(level).collect()
    }
}

/// The variances, in f32 as PyTorch computes them.
fn betas(config: &SchedulerConfig) -> Result<Vec<f32>> {
    if let Some(betas) = &config.trained_betas {
        return Ok(betas.clone());
    }
    let count = config.num_train_timesteps;
    let (start, end) = (config.beta_start, config.beta_end);
    match config.beta_schedule.as_str() {
        "linear" => Ok(linspace(start as f32, end as f32, count)),
        "scaled_linear" => {
            let roots = linspace(start.sqrt() as f32, end.sqrt() as f32, count);
            Ok(roots.into_iter().map(|root| root * root).collect())
        }
        other => Err(wrong(format!(
            "`beta_schedule` = `{other}` is not supported; it must be `scaled_linear` or `linear`"
        ))),
    }
}

/// `torch.linspace` in f32: each half is counted from its end.
fn linspace(start: f32, end: f32, count: usize) -> Vec<f32> {
    let step = (end - start) / (count - 1) as f32;
    let value = |i: usize| {
        if i < count / 2 {
            start + step * i as f32
        } else {
            end - step * (count - 1 - i) as f32
        }
    };
    (0..count).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The numbers of Stable Diffusion's training.
    #[test]
    fn the_levels_of_stable_diffusion() {
        let config = SchedulerConfig {
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: "scaled_linear".into(),
            ..SchedulerConfig::default()
        };
        let table = Table::new(&config).unwrap();
        assert!((table.alpha(0).unwrap() - 0.999_149_98).abs() < 1e-7);
        assert!((table.alpha(999).unwrap() - 0.004_660_10).abs() < 1e-8);
        let sigmas = table.sigmas();
        assert!((sigmas[999] - 14.6146).abs() < 1e-4);
        assert!((sigmas[981] - 13.120_416).abs() < 1e-5);
        assert!(table.alpha(-1).is_err() && table.alpha(1000).is_err());
    }
}
