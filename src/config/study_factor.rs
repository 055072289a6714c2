//! The part of a study that makes it an ablation: one factor, its levels, their costs, and curves.

use crate::config::settings::Settings;
use serde::{Deserialize, Serialize};

/// What is varied, such as the reference encoder.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// The name of the factor, such as "reference encoder".
    pub title: String,
    /// The name of the control level, with which the others are compared.
    pub control: String,
    /// The levels of the factor.
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
    /// Models to run, once with each of the study's seeds: names, or paths relative to this file.
    #[serde(default)]
    pub models: Vec<String>,
    /// A training, by name or by a path relative to this file. `unigauge train STUDY` runs it once with each
    /// of the study's `training_seeds`, and the models use its checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<String>,
    /// Options that override those of the models.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
    /// Run folders that were made in another way, relative to this file.
    #[serde(default)]
    pub runs: Vec<String>,
    /// The cost of the level, in the unit of `[cost]`.
    #[serde(default)]
    pub cost: Option<f64>,
}

impl Level {
    /// As printed.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// Whether the level changes the models.
    pub fn changes_models(&self) -> bool {
        self.training.is_some() || !self.settings.is_empty()
    }
}

/// The cost to which scores are compared.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// The meaning of the numbers, such as "parameters, billions" or "GPU hours". Default for measured costs:
    /// what was measured.
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
    /// The measured mean seconds for making an output.
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
    /// The level of the files.
    pub level: String,
    /// CSV files with a header or JSON Lines, relative to this file. Several files are repeats with different
    /// seeds: the line is their mean, and the band shows the lowest and the highest value.
    #[schemars(length(min = 1))]
    pub files: Vec<String>,
    /// The column of the steps.
    #[serde(default = "default_step")]
    pub step: String,
    /// The columns to draw, with one chart for each name.
    #[schemars(length(min = 1))]
    pub values: Vec<String>,
}

fn default_step() -> String {
    "step".to_owned()
}
