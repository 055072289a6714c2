//! The outcome of a gate.

use crate::compare::Difference;
use crate::config::{Correction, Tier};
use crate::text::count::counted;
use serde::Serialize;

/// The result of a rule, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The number did not fall by more than the allowed drop.
    Pass,
    /// A drop without evidence, or too little data to decide.
    Inconclusive,
    /// The number fell by more than the allowed drop, with evidence.
    Breach,
}

impl Status {
    /// The name of the result.
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
    /// The name of the suite.
    pub suite: String,
    /// The name of the model.
    pub model: String,
    /// The name of the run.
    pub run: String,
    /// The metric as the policy names it, with one rule for each group of a tag.
    pub metric: String,
    /// How much the rule counts.
    pub tier: Tier,
    /// The result.
    pub status: Status,
    /// Why, in a sentence.
    pub reason: String,
    /// `None` if there was nothing to compare.
    pub difference: Option<Difference>,
    /// How far the number fell. A positive value is a deterioration.
    pub drop: Option<f64>,
    /// The largest allowed drop, in the unit of the score.
    pub allowed: Option<f64>,
    /// The probability of such a drop if nothing had changed.
    pub p: Option<f64>,
    /// The same probability, corrected for the other rules.
    pub p_corrected: Option<f64>,
    /// The level of the test.
    pub level: f64,
    /// The smallest drop that is detected with the policy's power, without correction.
    pub detectable: Option<f64>,
    /// Number of items that would show a drop as large as the allowed one.
    pub needed: Option<usize>,
}

/// The verdict for all runs.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// The name of the policy.
    pub policy: String,
    /// The title of the policy.
    pub title: String,
    /// The worst of the rules that count.
    pub status: Status,
    /// The level of the tests.
    pub level: f64,
    /// The probability with which the drops in the column “seen from” are detected.
    pub power: f64,
    /// How p values are corrected for each other.
    pub correction: Correction,
    /// Each rule on each run.
    pub rules: Vec<Ruled>,
    /// What a reader must know.
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
        let names = |status| {
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
                "{} of the policy {} {}",
                counted(self.rules.len(), "rule"),
                self.policy,
                if self.rules.len() == 1 {
                    "holds"
                } else {
                    "hold"
                }
            ),
            Status::Breach => format!("beyond what is allowed: {}", names(Status::Breach)),
            Status::Inconclusive => format!("not settled: {}", names(Status::Inconclusive)),
        }
    }

    /// A note on the meaning of the significance level and of the last column.
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
