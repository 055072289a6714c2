//! One number of one level: its value, its interval and its number of items.

use super::pool::Pooled;
use crate::compare::{Further, Pairing, Recount, SEED};
use crate::config::Metric;
use crate::record::Outcomes;
use crate::stats::cluster::{Cluster, Sums, mean_of_ratios, ratio};
use crate::stats::formula::Pool;
use crate::stats::interval;
use std::collections::BTreeSet;

/// A number with its 95 % interval over items.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Estimate {
    /// The number. `None` if there is none.
    pub value: Option<f64>,
    /// The lower bound of the 95 % interval over items.
    pub low: Option<f64>,
    /// The upper bound of the same interval.
    pub high: Option<f64>,
    /// Number of items.
    pub n: usize,
}

impl Estimate {
    /// An empty estimate, for a level without runs.
    pub(super) fn compute(level: Option<&Pooled<'_>>, metric: &Metric) -> Self {
        level.map_or(Self::default(), |level| {
            let basis = Basis::from_run(&level.outcomes, metric, level.rule);
            let bounds = basis.bounds();
            Self {
                value: basis.value(),
                low: bounds.map(|(low, _)| low),
                high: bounds.map(|(_, high)| high),
                n: basis.items(),
            }
        })
    }
}

/// The number of a run. `None` if it has none.
pub(super) fn value(run: &Outcomes, metric: &Metric, rule: &dyn Recount) -> Option<f64> {
    Basis::from_run(run, metric, rule).value()
}

/// The data of a number.
enum Basis<'a> {
    /// Strata whose ratios are averaged.
    Averaged(Vec<Vec<Cluster>>),
    /// The sums by item, for the formula of the rule.
    Formula(Vec<Pool<'a>>),
    /// The rule's further number.
    Further(Further<'a>),
}

impl<'a> Basis<'a> {
    fn from_run(run: &'a Outcomes, metric: &'a Metric, rule: &'a dyn Recount) -> Self {
        if let Metric::Named(name) = metric {
            return Self::Further(Further::new(run, rule, name));
        }
        // The numbers of a run are the numbers of its pairing with itself.
        let pairing = Pairing::new(run, run, Some(rule));
        if let Some(pools) = pairing.pools(metric) {
            return Self::Formula(pools.into_iter().map(|pair| pair.before).collect());
        }
        let strata = pairing.strata(metric).into_iter();
        let clusters =
            strata.map(|stratum| stratum.into_iter().map(|(pair, _)| pair.before).collect());
        Self::Averaged(clusters.collect())
    }

    fn value(&self) -> Option<f64> {
        match self {
            Self::Averaged(strata) => mean_of_ratios(strata),
            Self::Formula(pools) => ratio(pools),
            Self::Further(further) => further.value(),
        }
    }

    /// The bounds in the run's summary, if it has them.
    fn bounds(&self) -> Option<(f64, f64)> {
        match self {
            Self::Averaged(strata) => {
                let right_or_wrong =
                    |c: &Cluster| c.numerator == 0.0 || c.numerator == c.denominator;
                let mut clusters = strata.iter().flatten();
                let proportion = clusters.all(|c| c.denominator == 1.0 && right_or_wrong(c));
                interval::estimate(strata, proportion, SEED).bounds
            }
            Self::Formula(pools) => {
                let drawn = |chosen: &mut dyn Iterator<Item = usize>| {
                    let drawn = chosen.filter_map(|at| pools.get(at));
                    drawn
                        .fold(Pool::default(), |sum, one| sum.plus(*one))
                        .value()
                };
                interval::of_statistic(pools.len(), SEED, drawn).bounds
            }
            Self::Further(further) => further.bounds(),
        }
    }

    fn items(&self) -> usize {
        match self {
            Self::Averaged(strata) => strata.iter().map(Vec::len).sum(),
            Self::Formula(pools) => pools.len(),
            Self::Further(further) => further.items.len(),
        }
    }
}

/// The names of the numbers that a level has, as a study file writes them.
pub(super) fn known_numbers(level: &Pooled<'_>) -> Vec<String> {
    let Pooled { outcomes, rule, .. } = level;
    let outputs = || outcomes.items.iter().flat_map(|item| &item.outputs);
    let parts: BTreeSet<&String> = outputs().flat_map(|output| output.parts.keys()).collect();
    let parts = parts.into_iter().map(|name| Metric::Part(name.clone()));
    let itself = Pairing::new(outcomes, outcomes, None);
    let groups = outcomes.facts.group_by.iter().flat_map(|by| {
        let keys = itself.keys(by).into_iter();
        keys.map(|key| Metric::Group {
            by: by.clone(),
            key: key.to_owned(),
        })
    });
    let fixed = [Metric::Overall, Metric::Correct].into_iter();
    let own = fixed.chain(parts).chain(groups);
    let own = own.filter(|metric| value(outcomes, metric, *rule).is_some());
    let items: Vec<_> = outcomes.items.iter().collect();
    let further = rule.metrics(&items).into_keys();
    own.map(|metric| metric.to_string())
        .chain(further)
        .collect()
}
