//! `scheduler_config.json`.

use crate::model::{ModelError, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The kinds of schedulers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `PNDMScheduler` with `skip_prk_steps`, which is PLMS.
    Pndm,
    /// `DDIMScheduler` without noise.
    Ddim,
    /// `EulerDiscreteScheduler`
    Euler,
    /// `EulerAncestralDiscreteScheduler`, which adds noise in every step.
    EulerAncestral,
    /// `DPMSolverMultistepScheduler` of order 1 or 2.
    Dpm,
    /// `FlowMatchEulerDiscreteScheduler`
    FlowMatch,
}

/// The kinds by their names in diffusers.
const KINDS: [(&str, Kind); 6] = [
    ("PNDMScheduler", Kind::Pndm),
    ("DDIMScheduler", Kind::Ddim),
    ("EulerDiscreteScheduler", Kind::Euler),
    ("EulerAncestralDiscreteScheduler", Kind::EulerAncestral),
    ("DPMSolverMultistepScheduler", Kind::Dpm),
    ("FlowMatchEulerDiscreteScheduler", Kind::FlowMatch),
];

/// How the times of the steps are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// Multiples of a whole step, from the clean end.
    Leading,
    /// Multiples of a step, from the noisy end.
    Trailing,
    /// Both ends are included.
    Linspace,
}

/// What a network predicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Prediction {
    /// The noise.
    #[default]
    #[serde(rename = "epsilon")]
    Noise,
    /// The velocity.
    #[serde(rename = "v_prediction")]
    Velocity,
}

/// The fields of `scheduler_config.json`. Missing fields have the values of diffusers, and keys of other
/// schedulers are ignored.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct SchedulerConfig {
    /// The name of the scheduler in diffusers.
    #[serde(rename = "_class_name")]
    pub class_name: String,
    /// Number of times of the training.
    pub num_train_timesteps: usize,
    /// The variance that the first time of the training adds.
    pub beta_start: f64,
    /// The variance that the last time of the training adds.
    pub beta_end: f64,
    /// How the variances between them are spaced.
    pub beta_schedule: String,
    /// The variances themselves. Then the three fields before this one have no meaning.
    pub trained_betas: Option<Vec<f32>>,
    /// What the network predicts.
    pub prediction_type: Prediction,
    /// How the times of the steps are spaced. The default depends on the kind.
    pub timestep_spacing: Option<Spacing>,
    /// Added to every time of `leading`.
    pub steps_offset: usize,
    /// Whether the last step of PNDM and DDIM goes to a clean picture. Otherwise it goes to the first time.
    /// The default depends on the kind.
    pub set_alpha_to_one: Option<bool>,
    /// Whether DDIM clips its clean pictures. The default is true.
    pub clip_sample: Option<bool>,
    /// The limit of `clip_sample`.
    pub clip_sample_range: f64,
    /// Whether PNDM begins with its linear steps.
    pub skip_prk_steps: bool,
    /// Whether the noise levels are spaced as by Karras et al.
    pub use_karras_sigmas: bool,
    /// The order of DPM-Solver++.
    pub solver_order: usize,
    /// Whether flow matching shifts its levels by the number of tokens.
    pub use_dynamic_shifting: bool,
    /// The fixed shift of flow matching.
    pub shift: f64,
    /// The exponent of the shift at `base_image_seq_len` tokens.
    pub base_shift: f64,
    /// The exponent of the shift at `max_image_seq_len` tokens.
    pub max_shift: f64,
    /// The smaller number of tokens for the line of the shift.
    pub base_image_seq_len: usize,
    /// The larger number of tokens for the line of the shift.
    pub max_image_seq_len: usize,
    /// The last level to which flow matching stretches its levels.
    pub shift_terminal: Option<f64>,
    /// The other fields.
    #[serde(flatten)]
    pub(super) other: Map<String, Value>,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            class_name: String::new(),
            num_train_timesteps: 1000,
            beta_start: 0.0001,
            beta_end: 0.02,
            beta_schedule: "linear".into(),
            trained_betas: None,
            prediction_type: Prediction::Noise,
            timestep_spacing: None,
            steps_offset: 0,
            set_alpha_to_one: None,
            clip_sample: None,
            clip_sample_range: 1.0,
            skip_prk_steps: false,
            use_karras_sigmas: false,
            solver_order: 2,
            use_dynamic_shifting: false,
            shift: 1.0,
            base_shift: 0.5,
            max_shift: 1.15,
            base_image_seq_len: 256,
            max_image_seq_len: 4096,
            shift_terminal: None,
            other: Map::new(),
        }
    }
}

/// Fields that change the sampling in a way that is not supported, with the only value that does not.
const PLAIN: [(&str, &str); 14] = [
    ("algorithm_type", "\"dpmsolver++\""),
    ("final_sigmas_type", "\"zero\""),
    ("interpolation_type", "\"linear\""),
    ("invert_sigmas", "false"),
    ("rescale_betas_zero_snr", "false"),
    ("solver_type", "\"midpoint\""),
    ("stochastic_sampling", "false"),
    ("thresholding", "false"),
    ("time_shift_type", "\"exponential\""),
    ("timestep_type", "\"discrete\""),
    ("use_beta_sigmas", "false"),
    ("use_exponential_sigmas", "false"),
    ("use_flow_sigmas", "false"),
    ("use_lu_lambdas", "false"),
];

pub(super) fn wrong(message: impl std::fmt::Display) -> ModelError {
    ModelError::Input(format!("scheduler_config.json: {message}"))
}

impl SchedulerConfig {
    /// The scheduler with this name in diffusers, with its defaults.
    pub fn named(class_name: &str) -> Self {
        Self {
            class_name: class_name.into(),
            ..Self::default()
        }
    }

    /// The settings with which StableDiffusionPipeline of diffusers runs every scheduler, whatever the file
    /// says. The pipelines of SDXL and SD3 have no such rule.
    #[must_use]
    pub fn as_in_stable_diffusion(self) -> Self {
        Self {
            steps_offset: 1,
            clip_sample: Some(false),
            ..self
        }
    }

    /// The kind of the scheduler.
    ///
    /// # Errors
    /// Fails if the scheduler is unknown, and names it.
    pub fn kind(&self) -> Result<Kind> {
        let known = KINDS.iter().find(|(name, _)| *name == self.class_name);
        known.map(|(_, kind)| *kind).ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
            wrong(format!(
                "the scheduler `{}` is not supported; known: {}",
                self.class_name,
                names.join(", ")
            ))
        })
    }

    /// Checks that the scheduler runs in a way that is supported.
    ///
    /// # Errors
    /// Fails if a field asks for something else, and names it.
    pub(super) fn check(&self) -> Result<Kind> {
        let kind = self.kind()?;
        for (name, plain) in PLAIN {
            let Some(value) = self.other.get(name).filter(|value| !value.is_null()) else {
                continue;
            };
            let written = value.to_string();
            if written != plain {
                return Err(wrong(format!(
                    "`{name}` = {written} is not supported; it must be {plain}"
                )));
            }
        }
        if kind == Kind::Pndm && !self.skip_prk_steps {
            return Err(wrong(
                "`skip_prk_steps` is false, but the Runge-Kutta steps of PNDM are not supported",
            ));
        }
        if kind == Kind::Dpm && !(1..=2).contains(&self.solver_order) {
            return Err(wrong(format!(
                "`solver_order` = {} is not supported; it must be 1 or 2",
                self.solver_order
            )));
        }
        if self.use_karras_sigmas && matches!(kind, Kind::EulerAncestral | Kind::FlowMatch) {
            return Err(wrong(
                "`use_karras_sigmas` is not supported by this scheduler",
            ));
        }
        if self.num_train_timesteps < 2 {
            return Err(wrong("`num_train_timesteps` must be 2 or more"));
        }
        Ok(kind)
    }

    /// How the times are spaced.
    pub(super) fn spacing(&self, kind: Kind) -> Spacing {
        let default = match kind {
            Kind::Pndm | Kind::Ddim => Spacing::Leading,
            _ => Spacing::Linspace,
        };
        self.timestep_spacing.unwrap_or(default)
    }
}
