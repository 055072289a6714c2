//! The definition of a gate's policy: how far a run may fall behind its baseline.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::{Kind, Loaded, Origin, check_name, find};
use crate::config::metric::Metric;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How a gate decides (`configs/policies/NAME.toml`).
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Short name: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// The heading of the verdict.
    pub title: String,
    /// What the policy is for, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// The largest probability of a false alarm; with `correction` "holm", over all rules together.
    #[serde(default = "default_level")]
    pub level: f64,
    /// The statistical power for which the smallest detectable drop and the needed items are printed.
    #[serde(default = "default_power")]
    pub power: f64,
    /// The correction for several rules that are tested at once.
    #[serde(default)]
    pub correction: Correction,
    /// The test that gives evidence of a drop.
    #[serde(default)]
    pub test: TestChoice,
    /// The smallest number of items in both runs for a verdict.
    #[serde(default = "min_pairs")]
    pub min_pairs: usize,
    /// Compare runs whose judges differ, are mixed, or are not the requested ones.
    #[serde(default)]
    pub allow_judges: bool,
    /// How a run with missing, failed or unscored outputs is judged.
    #[serde(default)]
    pub partial: PartialRuns,
    /// Number of random exchanges of the permutation test, and of resamples of the interval.
    #[serde(default = "default_resamples")]
    pub resamples: usize,
    /// What is checked.
    #[schemars(length(min = 1))]
    pub rules: Vec<PolicyRule>,
}

/// One number that is watched.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// The number that is checked.
    pub metric: Metric,
    /// The suite's name. Default: every suite.
    #[serde(default)]
    pub suite: Option<String>,
    /// What a violation means.
    pub tier: Tier,
    /// Allowed drop in units of the score. Where both kinds are given, the smaller one counts. Default: none
    /// is allowed.
    #[serde(default)]
    pub max_drop: Option<f64>,
    /// Allowed drop as a share of the baseline's value: 0.02 allows 2 % of it.
    #[serde(default)]
    pub max_relative_drop: Option<f64>,
    /// False if a higher number is worse.
    #[serde(default = "is_true")]
    pub higher_is_better: bool,
    /// Replaces the policy's own value.
    #[serde(default)]
    pub level: Option<f64>,
    /// Replaces the policy's own value.
    #[serde(default)]
    pub test: Option<TestChoice>,
    /// Replaces the policy's own value.
    #[serde(default)]
    pub min_pairs: Option<usize>,
    /// Replaces the policy's own value.
    #[serde(default)]
    pub partial: Option<PartialRuns>,
}

/// What a rule's result does to the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// A breach breaches the gate; without enough evidence the gate is inconclusive.
    Critical,
    /// A breach breaches the gate; too little evidence is only noted.
    Supporting,
    /// The rule is only shown.
    Advisory,
}

/// How several tests are corrected.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Correction {
    /// Holm's correction: the level holds for all critical and supporting rules together.
    #[default]
    Holm,
    /// The level holds for each rule.
    None,
}

/// Which test.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum TestChoice {
    /// McNemar's exact test where every item has one output, right or wrong, and the number is their mean;
    /// else the paired permutation test.
    #[default]
    Auto,
    /// McNemar's exact test.
    Mcnemar,
    /// The paired permutation test.
    Permutation,
}

/// What becomes of a partial run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PartialRuns {
    /// It cannot pass. A breach on the existing items stays a breach.
    #[default]
    Inconclusive,
    /// It is a breach.
    Breach,
    /// The existing items decide.
    Compare,
}

fn default_level() -> f64 {
    0.05
}

fn default_power() -> f64 {
    0.8
}

fn min_pairs() -> usize {
    10
}

fn default_resamples() -> usize {
    10_000
}

fn is_true() -> bool {
    true
}

/// Loads a policy by name or by the path of its file; a relative path starts from `from`.
///
/// # Errors
/// Fails if there is no such policy or its definition has a mistake.
pub fn policy(name: &str, from: &Path) -> Result<Loaded<PolicyFile>, ConfigError> {
    let (document, origin) = find(Kind::Policy, name, from)?;
    checked(document, origin)
}

/// The checks that go beyond types.
pub(super) fn checked(
    document: Document,
    origin: Origin,
) -> Result<Loaded<PolicyFile>, ConfigError> {
    let policy: PolicyFile = document.typed()?;
    check_name(&document, &policy.name)?;
    let mistake = |path: &[&str], message: String| Err(document.mistake(path, message, None));
    for (key, value) in [("level", policy.level), ("power", policy.power)] {
        if !(value > 0.0 && value < 1.0) {
            return mistake(&[key], format!("`{key}` must be between 0 and 1"));
        }
    }
    if !(100..=1_000_000).contains(&policy.resamples) {
        return mistake(
            &["resamples"],
            "`resamples` must be from 100 to 1000000".into(),
        );
    }
    if policy.rules.is_empty() {
        return mistake(&["rules"], "a policy needs at least one rule".into());
    }
    for (index, rule) in policy.rules.iter().enumerate() {
        let index = index.to_string();
        if rule
            .level
            .is_some_and(|level| !(level > 0.0 && level < 1.0))
        {
            return mistake(
                &["rules", &index, "level"],
                "`level` must be between 0 and 1".into(),
            );
        }
        for (key, drop) in [
            ("max_drop", rule.max_drop),
            ("max_relative_drop", rule.max_relative_drop),
        ] {
            if drop.is_some_and(|drop| !(drop >= 0.0 && drop.is_finite())) {
                return mistake(
                    &["rules", &index, key],
                    format!("`{key}` must be 0 or more"),
                );
            }
        }
    }
    Ok(Loaded {
        definition: policy,
        document,
        origin,
    })
}
