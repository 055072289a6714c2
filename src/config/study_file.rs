//! The definition of a study: models × suites, or the levels of a factor × suites.

use crate::config::metric::Metric;
use crate::config::study_factor::{Cost, Curves, Factor};
use serde::{Deserialize, Serialize};

/// Models and suites that are run and compared together (`configs/studies/NAME.toml`).
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudyFile {
    /// Short name, used in paths: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// The heading of the comparison.
    pub title: String,
    /// What the study asks, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// Names of models, or paths of their files relative to this file. Studies with a factor have them at its
    /// levels.
    #[serde(default)]
    pub models: Vec<String>,
    /// Names of suites, or paths of their files relative to this file.
    #[schemars(length(min = 1))]
    pub suites: Vec<String>,
    /// Further models with suites of their own, such as editors and the suites that edit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<StudyPart>,
    /// OCR engines: each suite is run once with each of these choices. `{}` means the suite's own engine.
    #[serde(default)]
    pub engines: Vec<StudyEngine>,
    /// Number of outputs per item, instead of each suite's own number.
    #[serde(default)]
    pub repeats: Option<u32>,
    /// Use only this number of items of each suite.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Whether the tables show the published results (`results/published/SUITE.toml`) below the measured
    /// rows.
    #[serde(default)]
    pub published: bool,
    /// Whether a table of its own puts each run beside the published row of the same model, with verdicts that
    /// are corrected for the number of compared numbers (Holm).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrected: bool,
    /// The run seed, from which the seed of each output is derived.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Run seeds, instead of `seed`: every model is run once with each.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// Seeds for the `training` of a level, which is run once with each. Default: the one in its definition.
    /// A level without a training is compared with every seed of the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub training_seeds: Vec<u64>,
    /// Columns of the trainings' `curve.jsonl` to draw next to the scores, such as `loss`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub training_curves: Vec<String>,
    /// The factor of an ablation study, whose levels are compared with a control.
    #[serde(default)]
    pub factor: Option<Factor>,
    /// The number by which levels are compared. Default: `overall`.
    #[serde(default)]
    pub primary: Option<Metric>,
    /// The cost to which scores are compared.
    #[serde(default)]
    pub cost: Option<Cost>,
    /// Series over steps to draw next to the scores.
    #[serde(default)]
    pub curves: Vec<Curves>,
}

/// Models × suites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudyPart {
    /// The same as the key of the study.
    #[schemars(length(min = 1))]
    pub models: Vec<String>,
    /// The same as the key of the study.
    #[schemars(length(min = 1))]
    pub suites: Vec<String>,
}

impl StudyFile {
    /// The run seeds of the file. Empty if it does not state any.
    pub fn run_seeds(&self) -> Vec<u64> {
        match self.seed {
            Some(seed) => vec![seed],
            None => self.seeds.clone(),
        }
    }
}

/// A choice of OCR engines, as with `--observer` and `--set` of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StudyEngine {
    /// OCR observers that replace the suite's own.
    pub observers: Vec<String>,
    /// Options of observers, such as `observe.ppocr.models = "v6"`.
    pub set: Vec<String>,
}
