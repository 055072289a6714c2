//! The times and the noise levels of a sampling.

use super::config::{Kind, SchedulerConfig, Spacing, wrong};
use super::table::Table;
use crate::model::{ModelError, Result};

/// Who makes the noise levels of flow matching before their shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Levels {
    /// The scheduler: both ends of the training are included, and the last level is shifted twice. SD3's
    /// pipeline does so.
    Own,
    /// The pipeline gives evenly spaced levels from 1 to 1 / steps, as those of FLUX and Qwen-Image.
    Even,
}

/// The times and the noise levels of the steps.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) kind: Kind,
    pub(super) config: SchedulerConfig,
    pub(super) table: Table,
    /// Number of steps that was asked for.
    pub(super) steps: usize,
    /// The time that the network gets in each evaluation. PNDM has one evaluation more than steps.
    pub timesteps: Vec<f32>,
    /// The noise level of each step, and 0. Empty for PNDM and DDIM.
    pub sigmas: Vec<f32>,
}

impl SchedulerConfig {
    /// The plan for a number of steps. `tokens` is the number of the picture's tokens, which matters for
    /// flow matching with a dynamic shift.
    ///
    /// # Errors
    /// Fails if the scheduler is unknown or a field asks for something that is not supported, and if there
    /// are no steps or more than in the training.
    pub fn plan(&self, steps: usize, tokens: Option<usize>, levels: Levels) -> Result<Plan> {
        let kind = self.check()?;
        if steps == 0 || steps >= self.num_train_timesteps {
            return Err(ModelError::Input(format!(
                "the number of sampling steps is {steps}; it must be 1 or more and less than {}",
                self.num_train_timesteps
            )));
        }
        let table = Table::new(self)?;
        let (timesteps, sigmas) = match kind {
            Kind::FlowMatch => {
                let sigmas = self.flow_levels(steps, tokens, levels)?;
                let scale = self.num_train_timesteps as f64;
                let times = sigmas.iter().map(|sigma| sigma * scale).collect();
                (times, with_zero(sigmas))
            }
            Kind::Pndm => (twice_second(self.times(kind, steps)), Vec::new()),
            Kind::Ddim => (self.times(kind, steps), Vec::new()),
            Kind::Euler | Kind::EulerAncestral | Kind::Dpm => {
                let times = self.times(kind, steps);
                let (times, sigmas) = self.levels(kind, steps, times, &table.sigmas());
                (times, with_zero(sigmas))
            }
        };
        let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
        Ok(Plan {
            kind,
            config: self.clone(),
            table,
            steps,
            timesteps: single(timesteps),
            sigmas: single(sigmas),
        })
    }

    /// The times from the noisy end.
    fn times(&self, kind: Kind, steps: usize) -> Vec<f64> {
        let (train, count) = (self.num_train_timesteps as f64, steps as f64);
        match (self.spacing(kind), kind) {
            (Spacing::Leading, _) => {
                // DPM-Solver++ leaves out the lowest of one more.
                let lowest = usize::from(kind == Kind::Dpm);
                let step = self.num_train_timesteps / (steps + lowest);
                let time = |i: usize| (i * step + self.steps_offset) as f64;
                (lowest..steps + lowest).rev().map(time).collect()
            }
            (Spacing::Trailing, _) => {
                let time = |i: usize| (train - i as f64 * train / count).round_ties_even() - 1.0;
                (0..steps).map(time).collect()
            }
            (Spacing::Linspace, Kind::Euler | Kind::EulerAncestral) => {
                linspace(0.0, train - 1.0, steps)
                    .into_iter()
                    .rev()
                    .collect()
            }
            (Spacing::Linspace, _) => {
                let lowest = usize::from(kind == Kind::Dpm);
                let times = linspace(0.0, train - 1.0, steps + lowest);
                let times = times.into_iter().skip(lowest).rev();
                times.map(f64::round_ties_even).collect()
            }
        }
    }

    /// The times and the levels of the schedulers that count in levels.
    fn levels(
        &self,
        kind: Kind,
        steps: usize,
        times: Vec<f64>,
        table: &[f64],
    ) -> (Vec<f64>, Vec<f64>) {
        let between: Vec<f64> = times.iter().map(|&time| interpolate(table, time)).collect();
        if !self.use_karras_sigmas {
            return (times, between);
        }
        // DPM-Solver++ takes the ends of the training, and Euler those of its own levels.
        let all = if kind == Kind::Dpm { table } else { &between };
        let lowest = all.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = all.iter().copied().fold(0.0, f64::max);
        let (low, high) = (lowest.powf(1.0 / RHO), highest.powf(1.0 / RHO));
        let ramp = linspace(0.0, 1.0, steps).into_iter();
        let sigmas: Vec<f64> = ramp
            .map(|part| (high + part * (low - high)).powf(RHO))
            .collect();
        let logs: Vec<f64> = table.iter().map(|level| level.ln()).collect();
        let times = sigmas.iter().map(|sigma| time_of(&logs, sigma.ln()));
        let times = if kind == Kind::Dpm {
            times.map(f64::round_ties_even).collect()
        } else {
            times.collect()
        };
        (times, sigmas)
    }

    /// The levels of flow matching, from 1.
    fn flow_levels(&self, steps: usize, tokens: Option<usize>, levels: Levels) -> Result<Vec<f64>> {
        let shifted = |sigma: f64| self.shift * sigma / (1.0 + (self.shift - 1.0) * sigma);
        let last = match levels {
            Levels::Even => 1.0 / steps as f64,
            Levels::Own => {
                let last = 1.0 / self.num_train_timesteps as f64;
                if self.use_dynamic_shifting {
                    last
                } else {
                    shifted(last)
                }
            }
        };
        let even = linspace(1.0, last, steps).into_iter();
        let mut sigmas: Vec<f64> = if self.use_dynamic_shifting {
            // diffusers counts in f32 from here on. The network sees a thousand times the level, so the last
            // digit shows.
            let factor = self.mu(tokens)?.exp() as f32;
            let shifted = even.map(|sigma| factor / (factor + (1.0 / sigma as f32 - 1.0)));
            shifted.map(f64::from).collect()
        } else {
            even.map(shifted).collect()
        };
        if let (Some(terminal), Some(&end)) = (self.shift_terminal, sigmas.last())
            && end < 1.0
        {
            let scale = (1.0 - end as f32) / (1.0 - terminal) as f32;
            for sigma in &mut sigmas {
                *sigma = f64::from(1.0 - (1.0 - *sigma as f32) / scale);
            }
        }
        Ok(sigmas)
    }

    /// The exponent of the shift: a line through both given lengths, also beyond them.
    fn mu(&self, tokens: Option<usize>) -> Result<f64> {
        let (base, max) = (
            self.base_image_seq_len as f64,
            self.max_image_seq_len as f64,
        );
        let Some(tokens) = tokens else {
            return Err(wrong(
                "`use_dynamic_shifting` needs a pipeline that counts tokens",
            ));
        };
        if base == max {
            return Err(wrong(
                "`base_image_seq_len` and `max_image_seq_len` are the same",
            ));
        }
        let slope = (self.max_shift - self.base_shift) / (max - base);
        Ok(self.base_shift + slope * (tokens as f64 - base))
    }
}

/// The exponent of Karras et al.
const RHO: f64 = 7.0;

impl Plan {
    /// The deviation of the noise from which the sampling starts.
    pub fn init_noise_sigma(&self) -> f64 {
        let highest = self.sigmas.iter().copied().fold(0.0, f32::max);
        let highest = f64::from(highest);
        match self.kind {
            Kind::Pndm | Kind::Ddim | Kind::Dpm | Kind::FlowMatch => 1.0,
            Kind::Euler | Kind::EulerAncestral => match self.config.spacing(self.kind) {
                Spacing::Leading => highest.hypot(1.0),
                Spacing::Trailing | Spacing::Linspace => highest,
            },
        }
    }

    /// The factor of the network's input in an evaluation.
    pub fn input_scale(&self, evaluation: usize) -> f64 {
        match (self.kind, self.sigmas.get(evaluation)) {
            (Kind::Euler | Kind::EulerAncestral, Some(&sigma)) => 1.0 / f64::from(sigma).hypot(1.0),
            _ => 1.0,
        }
    }

    /// Whether every step adds noise, the last one with the factor 0.
    pub fn adds_noise(&self) -> bool {
        self.kind == Kind::EulerAncestral
    }
}

fn with_zero(mut sigmas: Vec<f64>) -> Vec<f64> {
    sigmas.push(0.0);
    sigmas
}

/// PLMS evaluates its second time twice.
fn twice_second(times: Vec<f64>) -> Vec<f64> {
    let second = times.get(1).copied();
    let (first, rest) = times.split_at(times.len().min(2));
    first
        .iter()
        .copied()
        .chain(second)
        .chain(rest.iter().copied())
        .collect()
}

/// Evenly spaced numbers with both ends. One number is the start.
fn linspace(start: f64, end: f64, count: usize) -> Vec<f64> {
    let step = (end - start) / count.saturating_sub(1).max(1) as f64;
    (0..count).map(|i| start + step * i as f64).collect()
}

/// The value of a table at a time between its entries.
fn interpolate(table: &[f64], time: f64) -> f64 {
    let last = table.len().saturating_sub(1);
    let low = (time.max(0.0) as usize).min(last);
    let high = (low + 1).min(last);
    let part = (time - low as f64).clamp(0.0, 1.0);
    let value = |i: usize| table.get(i).copied().unwrap_or(0.0);
    value(low) + part * (value(high) - value(low))
}

/// The time between those of the training at which the logarithm of the level is `log`.
fn time_of(logs: &[f64], log: f64) -> f64 {
    let above = logs.partition_point(|level| *level <= log);
    let low = above.saturating_sub(1).min(logs.len().saturating_sub(2));
    match logs.get(low..low + 2) {
        Some(&[below, above]) => {
            let part = ((below - log) / (below - above)).clamp(0.0, 1.0);
            low as f64 + part
        }
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stable_diffusion(class_name: &str) -> SchedulerConfig {
        SchedulerConfig {
            class_name: class_name.into(),
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: "scaled_linear".into(),
            skip_prk_steps: true,
            steps_offset: 1,
            timestep_spacing: Some(Spacing::Leading),
            ..SchedulerConfig::default()
        }
    }

    fn plan(config: &SchedulerConfig, steps: usize) -> Plan {
        config.plan(steps, None, Levels::Own).unwrap()
    }

    #[test]
    fn plms_evaluates_its_second_time_twice() {
        let times = plan(&stable_diffusion("PNDMScheduler"), 50).timesteps;
        assert_eq!(times.len(), 51);
        assert_eq!(times[..4], [981.0, 961.0, 961.0, 941.0]);
        assert_eq!(times[50], 1.0);
        let one = plan(&stable_diffusion("PNDMScheduler"), 1).timesteps;
        assert_eq!(one, [1.0]);
    }

    #[test]
    fn euler_starts_above_its_highest_level_when_it_leads() {
        let mut config = stable_diffusion("EulerDiscreteScheduler");
        let leading = plan(&config, 50);
        assert!((leading.sigmas[0] - 13.120_416).abs() < 1e-5);
        assert!((leading.init_noise_sigma() - 13.158_469).abs() < 1e-5);
        config.timestep_spacing = Some(Spacing::Trailing);
        let trailing = plan(&config, 4);
        assert_eq!(trailing.timesteps, [999.0, 749.0, 499.0, 249.0]);
        assert!((trailing.init_noise_sigma() - 14.6146).abs() < 1e-4);
        // Three steps stay three.
        assert_eq!(plan(&config, 3).timesteps, [999.0, 666.0, 332.0]);
    }

    #[test]
    fn dpm_leaves_out_the_lowest_of_one_more() {
        let times = plan(&stable_diffusion("DPMSolverMultistepScheduler"), 20).timesteps;
        assert_eq!((times.len(), times[0], times[1]), (20, 941.0, 894.0));
    }

    #[test]
    fn sd3_shifts_its_last_level_twice() {
        let flow = |shift| SchedulerConfig {
            class_name: "FlowMatchEulerDiscreteScheduler".into(),
            shift,
            ..SchedulerConfig::default()
        };
        let sigmas = plan(&flow(3.0), 4).sigmas;
        for (got, want) in sigmas
            .iter()
            .zip([1.0, 0.857_692, 0.602_151, 0.008_928_6, 0.0])
        {
            assert!((got - want).abs() < 2e-6, "{got} {want}");
        }
        // FLUX.1-schnell
        let even = flow(1.0).plan(4, None, Levels::Even).unwrap().sigmas;
        assert_eq!(even, [1.0, 0.75, 0.5, 0.25, 0.0]);
        let qwen = SchedulerConfig {
            use_dynamic_shifting: true,
            max_shift: 0.9,
            max_image_seq_len: 8192,
            shift_terminal: Some(0.02),
            ..flow(1.0)
        };
        let sigmas = qwen.plan(50, Some(6889), Levels::Even).unwrap().sigmas;
        assert!((sigmas[1] - 0.990_988_3).abs() < 1e-6);
        assert!((sigmas[49] - 0.02).abs() < 1e-6);
    }

    #[test]
    fn unknown_schedulers_and_fields_are_named() {
        let unknown = stable_diffusion("HeunDiscreteScheduler");
        let error = unknown.plan(4, None, Levels::Own).unwrap_err().to_string();
        assert!(error.contains("`HeunDiscreteScheduler`"), "{error}");
        let json = r#"{"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}"#;
        let config: SchedulerConfig = serde_json::from_str(json).unwrap();
        let error = config.plan(4, None, Levels::Own).unwrap_err().to_string();
        assert!(error.contains("`algorithm_type`"), "{error}");
        let config = stable_diffusion("EulerDiscreteScheduler");
        assert!(config.plan(0, None, Levels::Own).is_err());
        assert!(config.plan(1000, None, Levels::Own).is_err());
    }
}
