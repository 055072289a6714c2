//! What a comparison needs of a graded run, and what a baseline keeps of it.

use super::judged::JudgedBy;
use super::pairs::Tags;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How the scores of outputs become one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overall {
    /// Mean over outputs, or ratio of sums if outputs have denominators of their own.
    Micro,
    /// Unweighted mean of the values of the groups of this tag.
    MacroBy(String),
    /// Unweighted mean of the items' means.
    Items,
}

/// The facts of a run that decide with which runs it can be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// The suite's name.
    pub suite: String,
    /// The suite's name for people.
    pub suite_title: String,
    /// The suite's version.
    pub suite_version: String,
    /// The model's name.
    pub model: String,
    /// The model's name for people.
    pub model_title: String,
    /// The run's name.
    pub run: String,
    /// Outputs asked per item.
    pub repeats: u32,
    /// The rule and its options.
    pub grading: Value,
    /// What looked at the outputs, by observer.
    pub observers: BTreeMap<String, Value>,
    /// How the scores become the official number.
    pub overall: Overall,
    /// Tags that the suite groups by.
    pub group_by: Vec<String>,
    /// Outputs asked for.
    pub expected: usize,
    /// Outputs with a score.
    pub scored: usize,
    /// Outputs that could not be made.
    pub failed: usize,
    /// Outputs without a score.
    pub unscored: usize,
    /// The official number.
    pub value: Option<f64>,
    /// The judges that gave the scores; empty without judges, and in baselines of earlier versions.
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
    /// What was run.
    pub facts: RunFacts,
    /// What became of its items, in the suite's order.
    pub items: Vec<ItemOutcome>,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemOutcome {
    /// The item's id.
    pub item: String,
    /// Hash of what was asked.
    pub asked: String,
    /// The item's tags.
    pub tags: Tags,
    /// By repeat.
    pub outputs: Vec<OutputOutcome>,
}

/// What became of one output.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputOutcome {
    /// The numerator and the denominator that it adds to every average. `None` without a score.
    pub sums: Option<(f64, f64)>,
    /// `None` if the output could not be scored.
    pub score: Option<f64>,
    /// Right or wrong, if the rule says so.
    pub correct: Option<bool>,
    /// Parts of the score.
    pub parts: BTreeMap<String, f64>,
}
