//! One number of two runs: its difference, the evidence for it, and the smallest difference that the items
//! show.

use crate::config::{Metric, TestChoice};
use crate::stats::bootstrap::RESAMPLES;
use crate::stats::mcnemar::Flips;
use crate::stats::power::Plan;
use serde::Serialize;

/// The fixed start of the random streams: the same runs always give the same numbers.
pub const SEED: u64 = 20_231_017;

/// The kind of the interval of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalKind {
    /// The bias-corrected and accelerated bootstrap.
    Bca,
    /// The percentiles of the bootstrap.
    Percentile,
}

/// How differences are computed.
#[derive(Debug, Clone, Copy)]
pub struct DifferenceOptions {
    /// The level and the power for which the sizes are computed.
    pub plan: Plan,
    /// The test to use.
    pub test: TestChoice,
    /// The interval to compute.
    pub interval: IntervalKind,
    /// The number of resamples of the bootstrap, and of exchanges in the permutation test.
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

/// The test that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// McNemar's test, for items that are right or wrong.
    Mcnemar,
    /// The permutation test with all exchanges.
    ExactPermutation,
    /// The permutation test with a sample of the exchanges.
    Permutation,
}

impl Serialize for Test {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Test {
    /// The name of the test in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mcnemar => "mcnemar",
            Self::ExactPermutation => "exact-permutation",
            Self::Permutation => "permutation",
        }
    }

    /// The name of the test for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Mcnemar => "McNemar's exact test",
            Self::ExactPermutation => "exact paired permutation test",
            Self::Permutation => "paired permutation test",
        }
    }
}

/// A metric of two runs, on the items that both runs have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The metric.
    pub metric: Metric,
    /// The number of items.
    pub n: usize,
    /// The number in the earlier run.
    pub before: f64,
    /// The number in the later run.
    pub after: f64,
    /// The later number minus the earlier one.
    pub difference: f64,
    /// The lower bound of the 95 % interval, from resampled items. `None` if all items differ by the same
    /// amount.
    pub low: Option<f64>,
    /// The upper bound of the same interval.
    pub high: Option<f64>,
    /// The standard error of the difference, from the jackknife over items.
    pub standard_error: Option<f64>,
    /// The test that was used.
    pub test: Test,
    /// The probability of a difference at least as large, in either direction, if nothing had changed.
    pub p: f64,
    /// The probability of a difference at least as low.
    pub p_lower: f64,
    /// The probability of a difference at least as high.
    pub p_upper: f64,
    /// `p` with Holm's correction for the numbers that are tested together with this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_holm: Option<f64>,
    /// The mean of the items' differences divided by their standard deviation (Cohen's d of pairs).
    pub effect: Option<f64>,
    /// The items that changed between right and wrong. `None` unless every item is right or wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flips: Option<Flips>,
    /// The ratio of items gained to items lost, with its exact 95 % interval. Infinite numbers are null in
    /// JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odds_ratio: Option<(f64, f64, f64)>,
    /// The number of items with a higher value in the later run.
    pub won: usize,
    /// The number of items with an equal value.
    pub tied: usize,
    /// The number of items with a lower value in the later run.
    pub lost: usize,
    /// The smallest difference that is detected with the wished power.
    pub detectable: Option<f64>,
    /// The number of items that detect a difference as large as this one.
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
        /// The name of the number.
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
    /// The same with the smallest detectable difference and the number of items needed.
    pub(super) fn planned(mut self, plan: Plan) -> Self {
        self.detectable = self.detectable(plan);
        self.needed = self.needed_for(plan, self.difference);
        self
    }

    /// The share of the items that flip. `None` unless McNemar's test was used.
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

    /// The number of items that detect a difference, if they vary as these items do.
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
