//! One number of two runs: the difference, how sure it is, and what could have been seen.

use super::pairing::Pairing;
use super::recount;
use crate::config::{Metric, TestChoice};
use crate::stats::bootstrap::Bootstrap;
use crate::stats::cluster::{Cluster, Pair, Side, Sums, mean_of_ratios, total};
use crate::stats::jackknife::jackknife;
use crate::stats::mcnemar::{self, Flips};
use crate::stats::permutation;
use crate::stats::power::Plan;
use serde::Serialize;

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

const LEVEL: f64 = 0.95;

impl Difference {
    /// # Errors
    /// Fails if no item has the metric in both runs, or the asked test does not fit it.
    pub fn compute(
        pairing: &Pairing<'_>,
        metric: &Metric,
        options: &DifferenceOptions,
    ) -> Result<Self, NoDifference> {
        if let Metric::Named(name) = metric {
            if options.test == TestChoice::Mcnemar {
                return Err(NoDifference::NotBinary);
            }
            let seed = seed::<Cluster>(&[], options.seed);
            return recount::difference(pairing, name, options, seed);
        }
        if let Some(pools) = pairing.pools(metric) {
            return Self::of_strata(metric.clone(), &[pools], None, options);
        }
        let strata: Vec<Vec<Pair>> = pairing
            .strata(metric)
            .iter()
            .map(|stratum| stratum.iter().map(|(pair, _)| *pair).collect())
            .collect();
        Self::of_strata(metric.clone(), &strata, flips(&strata), options)
    }

    fn of_strata<S: Side>(
        metric: Metric,
        strata: &[Vec<Pair<S>>],
        flips: Option<Flips>,
        options: &DifferenceOptions,
    ) -> Result<Self, NoDifference> {
        let difference = mean_of_ratios(strata).ok_or(NoDifference::NoPairs)?;
        let side = |of: fn(&Pair<S>) -> S| -> Vec<Vec<S>> {
            let clusters = strata.iter().map(|s| s.iter().map(of).collect());
            clusters.collect()
        };
        let before = mean_of_ratios(&side(|pair| pair.before)).unwrap_or(f64::NAN);
        let after = mean_of_ratios(&side(|pair| pair.after)).unwrap_or(f64::NAN);
        let seed = seed(strata, options.seed);
        let (test, tails) = match (options.test, flips) {
            (TestChoice::Auto | TestChoice::Mcnemar, Some(flips)) => {
                (Test::Mcnemar, mcnemar::test(flips))
            }
            (TestChoice::Mcnemar, None) => return Err(NoDifference::NotBinary),
            _ => {
                let tails = permutation::test(strata, options.resamples, seed)
                    .ok_or(NoDifference::NoPairs)?;
                let exact = tails.exact;
                let test = if exact {
                    Test::ExactPermutation
                } else {
                    Test::Permutation
                };
                (test, tails)
            }
        };
        let error = jackknife(strata).map(|found| found.standard_error);
        let spread = error.is_some_and(|error| error > 1e-12);
        let bounds = spread
            .then(|| Bootstrap::new(strata, options.resamples, seed))
            .flatten()
            .map(|bootstrap| match options.interval {
                IntervalKind::Bca => bootstrap.bca(LEVEL),
                IntervalKind::Percentile => bootstrap.percentile(LEVEL),
            });
        let items: Vec<f64> = strata.iter().flatten().filter_map(|p| p.value()).collect();
        let changes: Vec<f64> = strata.iter().flat_map(|stratum| changes(stratum)).collect();
        let count = |keep: fn(&f64) -> bool| changes.iter().filter(|value| keep(value)).count();
        let found = Self {
            metric,
            n: changes.len(),
            before,
            after,
            difference,
            low: bounds.map(|(low, _)| low),
            high: bounds.map(|(_, high)| high),
            standard_error: error,
            test,
            p: tails.both,
            p_lower: tails.lower,
            p_upper: tails.upper,
            p_holm: None,
            effect: effect(&items),
            flips,
            odds_ratio: flips.and_then(|flips| flips.odds_ratio(LEVEL)),
            won: count(|value| *value > 0.0),
            tied: count(|value| *value == 0.0),
            lost: count(|value| *value < 0.0),
            detectable: None,
            needed: None,
        };
        Ok(found.planned(options.plan))
    }

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

/// Random numbers of their own for every data set: the same data always give the same result, but the luck of
/// one set of draws is not that of every gate.
fn seed<S: Side>(strata: &[Vec<Pair<S>>], start: u64) -> u64 {
    // FNV-1a by words.
    let mix = |hash: u64, number: f64| (hash ^ number.to_bits()).wrapping_mul(0x0100_0000_01b3);
    strata.iter().flatten().fold(start, |hash, pair| {
        let mut hash = hash;
        for side in [pair.before, pair.after] {
            side.for_each_sum(&mut |number| hash = mix(hash, number));
        }
        hash.rotate_left(23)
    })
}

/// Items right in one run only; None unless the number is a mean over items with one output each, right or
/// wrong.
fn flips(strata: &[Vec<Pair>]) -> Option<Flips> {
    let [pairs] = strata else { return None };
    let binary = |c: Cluster| c.denominator == 1.0 && (c.numerator == 0.0 || c.numerator == 1.0);
    let fits = pairs
        .iter()
        .all(|pair| binary(pair.before) && binary(pair.after));
    let turned = |from: f64, to: f64| {
        let same = |p: &&Pair| p.before.numerator == from && p.after.numerator == to;
        pairs.iter().filter(same).count() as u64
    };
    fits.then(|| Flips {
        gained: turned(0.0, 1.0),
        lost: turned(1.0, 0.0),
    })
}

/// The change of each item; of one that has no number by itself in both runs, what it does to the number of
/// them all.
fn changes<S: Side>(stratum: &[Pair<S>]) -> impl Iterator<Item = f64> {
    let before = total(&stratum.iter().map(|pair| pair.before).collect::<Vec<S>>());
    stratum.iter().map(move |pair| {
        let alone = || {
            let moved = before.minus(pair.before).plus(pair.after);
            Some(moved.value()? - before.value()?)
        };
        pair.value().or_else(alone).unwrap_or(0.0)
    })
}

/// Mean over standard deviation; None without spread.
fn effect(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (n - 1.0)).sqrt();
    (values.len() > 1 && deviation > 1e-12).then(|| mean / deviation)
}
