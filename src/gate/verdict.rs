//! The outcome of a gate.

use crate::compare::Difference;
use crate::config::{Correction, Tier};
use serde::Serialize;

/// The result of a rule, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Pass,
    /// A drop without evidence, or too little data to decide.
    Inconclusive,
    Breach,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Breach => "breach",
        }
    }
}

/// The result of one rule for one run.
#[derive(Debug, Clone, Serialize)]
pub struct Ruled {
    pub suite: String,
    pub model: String,
    pub run: String,
    /// The metric as the policy names it, with one rule for each group of a tag.
    pub metric: String,
    pub tier: Tier,
    pub status: Status,
    pub reason: String,
    /// `None` if there was nothing to compare.
    pub difference: Option<Difference>,
    /// How far the number fell. A positive value is a deterioration.
    pub drop: Option<f64>,
    /// The largest allowed drop, in the unit of the score.
    pub allowed: Option<f64>,
    /// Probability of such a drop if nothing had changed: as tested, and corrected for the other rules.
    pub p: Option<f64>,
    pub p_corrected: Option<f64>,
    pub level: f64,
    /// The smallest drop that is detected with the policy's power, without correction.
    pub detectable: Option<f64>,
    /// Number of items that would show a drop as large as the allowed one.
    pub needed: Option<usize>,
}

/// The verdict for all runs.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    pub policy: String,
    pub title: String,
    pub status: Status,
    pub level: f64,
    pub power: f64,
    pub correction: Correction,
    pub rules: Vec<Ruled>,
    pub remarks: Vec<String>,
}

impl Verdict {
    /// The worst result of the rules that count.
    pub(super) fn worst(rules: &[Ruled]) -> Status {
        let counts = |rule: &&Ruled| match rule.tier {
            Tier::Critical => true,
            Tier::Supporting => rule.status == Status::Breach,
            Tier::Advisory => false,
        };
        let statuses = rules.iter().filter(counts).map(|rule| rule.status);
        statuses.max().unwrap_or(Status::Pass)
    }

    /// The verdict in one sentence.
    pub fn headline(&self) -> String {
        let of = |status| {
            let names: Vec<String> = self
                .rules
                .iter()
                .filter(|rule| rule.status == status && rule.tier != Tier::Advisory)
                .map(|rule| format!("{} of {}", rule.metric, rule.suite))
                .collect();
            names.join(", ")
        };
        match self.status {
            Status::Pass => format!(
                "{} rules of the policy {} hold",
                self.rules.len(),
                self.policy
            ),
            Status::Breach => format!("beyond what is allowed: {}", of(Status::Breach)),
            Status::Inconclusive => format!("not settled: {}", of(Status::Inconclusive)),
        }
    }

    /// How the significance level is meant.
    pub fn fine_print(&self) -> String {
        let over = match self.correction {
            Correction::Holm => "over all critical and supporting rules together (Holm)",
            Correction::None => "for each rule",
        };
        format!(
            "A breach is a drop beyond the allowed one, with evidence of a drop: false alarms in at most {} % {over}. \
             “Seen from” is the smallest drop that one such test finds with a probability of {} %.",
            self.level * 100.0,
            self.power * 100.0
        )
    }
}
