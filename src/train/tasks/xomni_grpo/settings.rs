//! `settings` of the task `xomni-grpo`.

use super::objective::{
    AdvantageSettings, Combine, Divergence, LossMean, Missing, PolicySettings, Ratio, Scale,
};
use crate::model::sampling::Sampling;
use crate::train::TrainError;
use crate::train::samples::Tasks;
use serde::Deserialize;

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrpoSettings {
    /// The reward: a name, or the path of its file.
    pub reward: String,
    /// Drawings of each prompt.
    pub group: usize,
    /// Which drawings the policy learns from.
    #[serde(default)]
    pub method: Method,
    #[serde(default)]
    advantage: AdvantageSection,
    /// Whose probability is compared with the one by the policy that drew a sequence.
    #[serde(default = "ratio")]
    ratio: Ratio,
    /// Which mean is the loss.
    #[serde(default = "loss")]
    loss: LossMean,
    /// How far the ratio counts below and above 1; it acts only from the second update of a drawing on.
    #[serde(default = "clip")]
    clip: [f64; 2],
    #[serde(default)]
    dual_clip: Option<f64>,
    /// Updates, and so steps, that use the same drawings.
    #[serde(default = "one")]
    pub inner: u64,
    #[serde(default)]
    kl: KlSection,
    /// The weight of the entropy.
    #[serde(default)]
    entropy: f64,
    /// How the policy draws. The defaults are the policy itself.
    #[serde(default)]
    pub sampling: SamplingSection,
    /// How codes become pictures.
    #[serde(default)]
    pub decode: DecodeSection,
    /// What is asked.
    #[serde(default)]
    pub prompts: PromptSection,
    /// What a check draws.
    #[serde(default)]
    pub check: CheckSection,
    /// The largest share of drawings without a reward in a step.
    #[serde(default = "max_missing")]
    pub max_missing: f64,
    /// Steps between two that leave their pictures in the folder `rollouts`; 0 for none.
    #[serde(default)]
    pub pictures_every: u64,
}

/// Which drawings the policy learns from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Method {
    /// All drawings, by their advantages.
    #[default]
    Grpo,
    /// The best drawing of each group: its likelihood rises.
    BestOfN,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvantageSection {
    #[serde(default = "scale")]
    scale: Scale,
    #[serde(default = "eps")]
    eps: f64,
    #[serde(default)]
    limit: Option<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct KlSection {
    estimator: Divergence,
    beta: f64,
}

/// How the policy draws.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SamplingSection {
    /// Scores are divided by it.
    pub temperature: f64,
    /// Only so many of the likeliest tokens are drawn; 0 for all.
    pub top_k: usize,
    /// Only the likeliest tokens that together reach this probability.
    pub top_p: f64,
    /// Only tokens at least so many times as likely as the likeliest.
    pub min_p: f64,
}

/// How codes become pictures.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DecodeSection {
    /// Euler steps.
    pub num_inference_steps: usize,
    /// Guidance by the difference to an empty condition; 1 for none.
    pub cfg_scale: f64,
    /// Tokens of T5.
    pub max_sequence_length: usize,
    /// Pictures that are decoded together.
    pub batch: usize,
}

/// What is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PromptSection {
    /// Whether combinations that are held out of training are asked, too.
    pub split: Asked,
    /// The share of signs.
    pub signs: f64,
    /// How often captions are of each of GenEval's tasks.
    pub tasks: Tasks,
}

/// Which captions and words are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Asked {
    /// Those that training sees.
    Seen,
    /// Those that are held out of training, too.
    All,
}

/// What a check draws.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CheckSection {
    /// Seen captions of each task, and held-out captions, seen and held-out words.
    pub prompts: usize,
    /// Drawings of each.
    pub drawings: usize,
}

fn ratio() -> Ratio {
    Ratio::Token
}

fn loss() -> LossMean {
    LossMean::TokenMean
}

fn clip() -> [f64; 2] {
    [0.2, 0.28]
}

fn one() -> u64 {
    1
}

fn max_missing() -> f64 {
    0.1
}

fn scale() -> Scale {
    Scale::Group
}

fn eps() -> f64 {
    1e-4
}

impl Default for AdvantageSection {
    fn default() -> Self {
        Self {
            scale: scale(),
            eps: eps(),
            limit: None,
        }
    }
}

impl Default for KlSection {
    fn default() -> Self {
        Self {
            estimator: Divergence::K3Plus,
            beta: 0.02,
        }
    }
}

impl Default for SamplingSection {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
        }
    }
}

impl Default for DecodeSection {
    fn default() -> Self {
        Self {
            num_inference_steps: 4,
            cfg_scale: 1.0,
            max_sequence_length: 12,
            batch: 128,
        }
    }
}

impl Default for PromptSection {
    fn default() -> Self {
        Self {
            split: Asked::Seen,
            signs: 0.2,
            tasks: Tasks::default(),
        }
    }
}

impl Default for CheckSection {
    fn default() -> Self {
        Self {
            prompts: 24,
            drawings: 2,
        }
    }
}

impl GrpoSettings {
    /// The checks that go beyond types.
    ///
    /// # Errors
    /// Fails with the first key that is out of its range.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let share = 0.0..=1.0;
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let kinds = [
            ("group", self.group >= 2, "at least 2"),
            ("inner", self.inner >= 1, "at least 1"),
            (
                "clip",
                self.clip.iter().all(|bound| *bound >= 0.0),
                "two numbers of 0 or more",
            ),
            (
                "dual_clip",
                self.dual_clip.is_none_or(|bound| bound > 1.0),
                "above 1",
            ),
            ("advantage.eps", self.advantage.eps > 0.0, "above 0"),
            (
                "advantage.limit",
                self.advantage.limit.is_none_or(positive),
                "above 0",
            ),
            ("kl.beta", self.kl.beta >= 0.0, "0 or more"),
            ("entropy", self.entropy.is_finite(), "a number"),
            (
                "decode.num_inference_steps",
                self.decode.num_inference_steps >= 1,
                "at least 1",
            ),
            (
                "decode.cfg_scale",
                self.decode.cfg_scale.is_finite(),
                "a number",
            ),
            ("decode.batch", self.decode.batch >= 1, "at least 1"),
            (
                "prompts.signs",
                share.contains(&self.prompts.signs),
                "0 to 1",
            ),
            ("check.prompts", self.check.prompts >= 1, "at least 1"),
            ("check.drawings", self.check.drawings >= 1, "at least 1"),
            ("max_missing", share.contains(&self.max_missing), "0 to 1"),
        ];
        if let Some((key, _, expected)) = kinds.iter().find(|(_, holds, _)| !holds) {
            return Err(TrainError::Definition {
                message: format!("`settings.{key}` must be {expected}"),
            });
        }
        Ok(self.sampling().check()?)
    }

    /// How tokens are drawn.
    pub(super) fn sampling(&self) -> Sampling {
        Sampling {
            temperature: self.sampling.temperature as f32,
            top_k: self.sampling.top_k,
            top_p: self.sampling.top_p as f32,
            min_p: self.sampling.min_p as f32,
        }
    }

    /// How rewards become advantages. Rewards that are relative to their group already are divided by the
    /// deviation of the batch, as in GDPO.
    pub(super) fn advantage(&self, relative: bool) -> AdvantageSettings {
        AdvantageSettings {
            weights: vec![1.0],
            combine: Combine::Sum,
            scale: if relative {
                Scale::Batch
            } else {
                self.advantage.scale
            },
            ddof: 1,
            eps: self.advantage.eps,
            limit: self.advantage.limit,
            missing: Missing::Drop,
        }
    }

    /// How advantages and probabilities become a loss.
    pub(super) fn policy(&self) -> PolicySettings {
        PolicySettings {
            ratio: self.ratio,
            clip: self.clip,
            dual_clip: self.dual_clip,
            loss: self.loss,
            kl: (self.kl.beta > 0.0).then_some(self.kl.estimator),
            beta: self.kl.beta,
            entropy: self.entropy,
        }
    }
}
