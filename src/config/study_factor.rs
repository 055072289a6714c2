//! The part of a study that makes it an ablation: one factor, its levels, what they cost, curves beside them.

use crate::config::settings::Settings;
use serde::{Deserialize, Serialize};

/// What is varied, such as the reference encoder.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// What the levels are levels of, such as "reference encoder".
    pub title: String,
    /// The name of the level that the others are compared with.
    pub control: String,
    /// What it is set to.
    #[schemars(length(min = 1))]
    pub levels: Vec<Level>,
}

/// One setting of the factor.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Short name.
    pub name: String,
    /// As printed. Default: the name.
    #[serde(default)]
    pub title: Option<String>,
    /// Models that are run, once with each of the study's seeds: names, or paths relative to this file.
    #[serde(default)]
    pub models: Vec<String>,
    /// A training, by name or by a path relative to this file, that `unigauge train STUDY` does once with
    /// each of the study's `training_seeds`: the models take its checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<String>,
    /// Options that go over the models' own.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
    /// Run folders that were made otherwise, relative to this file.
    #[serde(default)]
    pub runs: Vec<String>,
    /// What the level costs, in the unit that `[cost]` names.
    #[serde(default)]
    pub cost: Option<f64>,
}

impl Level {
    /// As printed.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// Whether the models are run otherwise than their files say.
    pub fn changes_models(&self) -> bool {
        self.training.is_some() || !self.settings.is_empty()
    }
}

/// The cost that scores are held against.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// What the numbers are, such as "parameters, billions" or "GPU hours". Default for measured ones: what
    /// was measured.
    #[serde(default)]
    pub title: Option<String>,
    /// Where the numbers come from.
    #[serde(default)]
    pub of: CostOf,
}

/// Where the numbers of a cost come from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CostOf {
    /// Each level's `cost`.
    #[default]
    Given,
    /// Measured: mean seconds that an output took to be made.
    Seconds,
}

impl Cost {
    /// The heading of the column and the axis.
    pub fn title(&self) -> &str {
        match (&self.title, self.of) {
            (Some(title), _) => title,
            (None, CostOf::Seconds) => "seconds per output",
            (None, CostOf::Given) => "cost",
        }
    }
}

/// Series over steps, such as a training log.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    /// The level that the files belong to.
    pub level: String,
    /// CSV files with a header or JSON Lines, relative to this file. Several are repeats over seeds: the line
    /// is their mean, the band reaches from the lowest to the highest.
    #[schemars(length(min = 1))]
    pub files: Vec<String>,
    /// The column of the steps.
    #[serde(default = "step")]
    pub step: String,
    /// Columns that are drawn, one chart for each name.
    #[schemars(length(min = 1))]
    pub values: Vec<String>,
}

fn step() -> String {
    "step".to_owned()
}
