//! What a comparison needs of a graded run, and what a baseline keeps of it.

use super::{JudgedBy, Tags};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How the scores of outputs become one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overall {
    /// Mean over outputs, or ratio of sums where outputs have denominators of their own.
    Micro,
    /// Unweighted mean of the values of the groups of this tag.
    MacroBy(String),
    /// Unweighted mean of the items' means.
    Items,
}

/// A run as far as its scores and their comparability go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    pub suite: String,
    pub suite_title: String,
    pub suite_version: String,
    pub model: String,
    pub model_title: String,
    pub run: String,
    /// Outputs asked per item.
    pub repeats: u32,
    /// The rule and its options.
    pub grading: Value,
    /// What looked at the outputs, by observer.
    pub observers: BTreeMap<String, Value>,
    pub overall: Overall,
    /// Tags that the suite groups by.
    pub group_by: Vec<String>,
    /// Outputs.
    pub expected: usize,
    pub scored: usize,
    pub failed: usize,
    pub unscored: usize,
    /// The official number.
    pub value: Option<f64>,
    /// The judges behind the scores; none where there are none, and in baselines of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<JudgedBy>,
}

impl RunFacts {
    /// Whether outputs lack a score.
    pub fn partial(&self) -> bool {
        self.scored < self.expected
    }
}

/// A run with the scores of its items.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcomes {
    pub facts: RunFacts,
    pub items: Vec<ItemOutcome>,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemOutcome {
    pub item: String,
    /// Hash of what was asked.
    pub asked: String,
    pub tags: Tags,
    /// By repeat.
    pub outputs: Vec<OutputOutcome>,
}

/// What became of one output.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputOutcome {
    /// Numerator and denominator that it adds to every average; None without a score.
    pub sums: Option<(f64, f64)>,
    pub score: Option<f64>,
    /// Right or wrong, where the rule says so.
    pub correct: Option<bool>,
    /// Parts of the score.
    pub parts: BTreeMap<String, f64>,
}
