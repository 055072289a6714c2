//! One number of two runs: the difference, how sure it is, and what could have been seen.

use crate::config::{Metric, TestChoice};
use crate::stats::bootstrap::RESAMPLES;
use crate::stats::mcnemar::Flips;
use crate::stats::power::Plan;
use serde::Serialize;

/// The fixed start of the random streams: the same runs always give the same numbers.
pub const SEED: u64 = 20_231_017;

/// Which interval of a difference is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalKind {
    /// Bias-corrected and accelerated bootstrap.
    Bca,
    /// The percentiles of the bootstrap.
    Percentile,
}

/// How differences are computed.
#[derive(Debug, Clone, Copy)]
pub struct DifferenceOptions {
    /// What is computed about power, for.
    pub plan: Plan,
    /// Which test is made.
    pub test: TestChoice,
    /// Which interval is given.
    pub interval: IntervalKind,
    /// Of the bootstrap and of the permutation test.
    pub resamples: usize,
    /// The start of the random streams.
    pub seed: u64,
}

impl Default for DifferenceOptions {
    fn default() -> Self {
        Self {
            plan: Plan {
                level: 0.05,
                power: 0.8,
                one_sided: false,
            },
            test: TestChoice::Auto,
            interval: IntervalKind::Bca,
            resamples: RESAMPLES,
            seed: SEED,
        }
    }
}

/// The test that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// McNemar's, of items that are right or wrong.
    Mcnemar,
    /// All exchanges were counted.
    ExactPermutation,
    /// A sample of the exchanges was counted.
    Permutation,
}

impl Serialize for Test {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Test {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mcnemar => "mcnemar",
            Self::ExactPermutation => "exact-permutation",
            Self::Permutation => "permutation",
        }
    }

    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Mcnemar => "McNemar's exact test",
            Self::ExactPermutation => "exact paired permutation test",
            Self::Permutation => "paired permutation test",
        }
    }
}

/// A metric of two runs on the items that both have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Which number it is.
    pub metric: Metric,
    /// Items.
    pub n: usize,
    /// The number in the earlier run.
    pub before: f64,
    /// The number in the later run.
    pub after: f64,
    /// After minus before.
    pub difference: f64,
    /// 95 % interval, from resampled items. `None` if all items differ by as much.
    pub low: Option<f64>,
    /// The upper bound of the same interval.
    pub high: Option<f64>,
    /// The standard error of the difference, from the jackknife over items.
    pub standard_error: Option<f64>,
    /// The test that was made.
    pub test: Test,
    /// Probability of a difference as large in either direction if nothing had changed.
    pub p: f64,
    /// In this direction only: as low, as high.
    pub p_lower: f64,
    /// The probability of a difference as high.
    pub p_upper: f64,
    /// `p` corrected for the other numbers tested beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_holm: Option<f64>,
    /// Mean over standard deviation of the items' differences (Cohen's d of pairs).
    pub effect: Option<f64>,
    /// Where every item is right or wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flips: Option<Flips>,
    /// Items gained to items lost, with its exact 95 % interval; infinite bounds are null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odds_ratio: Option<(f64, f64, f64)>,
    /// Items with a higher, an equal, a lower value after.
    pub won: usize,
    /// Items with an equal value.
    pub tied: usize,
    /// Items with a lower value after.
    pub lost: usize,
    /// The least difference that is seen with the wished power.
    pub detectable: Option<f64>,
    /// Items that a difference as large as this one needs.
    pub needed: Option<usize>,
}

/// Why there is no difference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDifference {
    /// No item has the number in both runs.
    #[error("no item has it in both runs")]
    NoPairs,
    /// The test needs right and wrong outputs.
    #[error("McNemar's test needs one output per item, right or wrong, but this number has others")]
    NotBinary,
    /// No rule of the runs makes this number.
    #[error("the runs have no metric `{name}`{}", known_metrics(.known))]
    NoMetric {
        /// Name of the number.
        name: String,
        /// The numbers that the runs have.
        known: String,
    },
}

fn known_metrics(known: &str) -> String {
    if known.is_empty() {
        String::new()
    } else {
        format!("; their other metrics are {known}")
    }
}

impl Difference {
    /// With what could have been seen, and what it would take.
    pub(super) fn planned(mut self, plan: Plan) -> Self {
        self.detectable = self.detectable(plan);
        self.needed = self.needed_for(plan, self.difference);
        self
    }

    /// Share of the items that flip, where McNemar's test was made.
    fn flipping(&self) -> Option<f64> {
        let flips = self.flips.filter(|_| self.test == Test::Mcnemar)?;
        Some(flips.total() as f64 / self.n as f64)
    }

    fn detectable(&self, plan: Plan) -> Option<f64> {
        match (self.flipping(), self.standard_error) {
            (Some(flipping), _) if flipping > 0.0 => plan.detectable_by_flips(self.n, flipping),
            (None, Some(error)) => plan.detectable(error),
            _ => None,
        }
    }

    /// How many items make a difference detectable, if they vary as these do.
    pub fn needed_for(&self, plan: Plan, difference: f64) -> Option<usize> {
        match (self.flipping(), self.standard_error) {
            (Some(flipping), _) if flipping > 0.0 => {
                plan.items_needed_by_flips(difference, flipping)
            }
            (None, Some(error)) => plan.items_needed(difference, error, self.n),
            _ => None,
        }
    }
}
