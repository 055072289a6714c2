//! The items of two runs in pairs.

use super::recount::Recount;
use crate::config::Metric;
use crate::record::{ItemOutcome, Outcomes, OutputOutcome, Overall, RunFacts};
use crate::stats::cluster::{Cluster, Pair, Sums, mean_of_ratios};
use crate::stats::formula::{Pool, Terms};
use crate::stats::jackknife::jackknife;
use std::collections::HashMap;

/// One item in both runs.
#[derive(Debug, Clone, Copy)]
pub struct Paired<'a> {
    /// The item in the earlier run.
    pub before: &'a ItemOutcome,
    /// The item in the later run.
    pub after: &'a ItemOutcome,
}

/// The items of two runs.
pub struct Pairing<'a> {
    /// The facts of the earlier run.
    pub before: &'a RunFacts,
    /// The facts of the later run.
    pub after: &'a RunFacts,
    /// The items in both runs, in the order of the earlier run.
    pub items: Vec<Paired<'a>>,
    /// The number of items in the earlier run only.
    pub only_before: usize,
    /// The number of items in the later run only.
    pub only_after: usize,
    /// The rule of the later run, for numbers that are not averages. Without it, all numbers are averages.
    pub(super) recount: Option<&'a dyn Recount>,
}

impl<'a> Pairing<'a> {
    /// Pairs the items of two runs; `recount` is the rule of the later one.
    pub fn new(
        before: &'a Outcomes,
        after: &'a Outcomes,
        recount: Option<&'a dyn Recount>,
    ) -> Self {
        let later: HashMap<&str, &ItemOutcome> = after
            .items
            .iter()
            .map(|outcome| (outcome.item.as_str(), outcome))
            .collect();
        let pair = |before: &'a ItemOutcome| {
            let after = later.get(before.item.as_str()).copied()?;
            Some(Paired { before, after })
        };
        let items: Vec<Paired<'a>> = before.items.iter().filter_map(pair).collect();
        Self {
            only_before: before.items.len() - items.len(),
            only_after: after.items.len() - items.len(),
            before: &before.facts,
            after: &after.facts,
            items,
            recount,
        }
    }

    /// The pairs of a metric with their items, in strata whose values are averaged. Items without a score in
    /// one of the runs are left out. There are no strata if the runs do not have the metric.
    pub fn strata(&self, metric: &Metric) -> Vec<Vec<(Pair, Paired<'a>)>> {
        let overall = matches!(metric, Metric::Overall);
        let mut strata: Vec<(&str, Vec<(Pair, Paired<'a>)>)> = Vec::new();
        for item in &self.items {
            let key = match (metric, &self.before.overall) {
                (Metric::Overall, Overall::MacroBy(tag)) => item.tag(tag),
                (Metric::Group { by, key }, _) => item.tag(by).filter(|found| found == key),
                _ => Some(""),
            };
            let (Some(key), Some(mut pair)) = (key, item.pair(metric)) else {
                continue;
            };
            if overall && self.before.overall == Overall::Items {
                if pair.value().is_none() {
                    continue;
                }
                pair.before = mean(pair.before);
                pair.after = mean(pair.after);
            }
            match strata.iter_mut().find(|(known, _)| *known == key) {
                Some((_, stratum)) => stratum.push((pair, *item)),
                None => strata.push((key, vec![(pair, *item)])),
            }
        }
        strata.into_iter().map(|(_, stratum)| stratum).collect()
    }

    /// The pairs of the overall number or a group, if the rule makes it by a formula of sums. `None` for
    /// other metrics.
    pub fn pools(&self, metric: &Metric) -> Option<Vec<Pair<Pool<'a>>>> {
        let recount = self.recount?;
        let formula = recount.formula()?;
        let key = match metric {
            Metric::Overall => None,
            Metric::Group { by, key } => Some((by, key)),
            _ => return None,
        };
        let items = self.items.iter().filter(|item| {
            key.is_none_or(|(by, key)| item.tag(by).is_some_and(|found| found == key))
        });
        let pool = |output: &OutputOutcome| -> Option<Pool<'a>> {
            let terms: Terms = recount.terms(output)?;
            Some(Pool::new(terms, formula))
        };
        Some(items.filter_map(|item| item.pair_of(pool)).collect())
    }

    /// The groups of a tag, in order of first appearance.
    pub fn keys(&self, by: &str) -> Vec<&'a str> {
        let mut keys = Vec::new();
        for key in self.items.iter().filter_map(|item| item.tag(by)) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}

impl<'a> Paired<'a> {
    /// The value of a tag, from the earlier run if it has one there.
    pub fn tag(&self, tag: &str) -> Option<&'a str> {
        let key = self.before.tags.get(tag).or(self.after.tags.get(tag));
        key.map(String::as_str)
    }

    /// The sums of both runs. If both runs have the same number of outputs, only the repeats with a score in
    /// both runs count, since such repeats share their noise.
    pub fn pair(&self, metric: &Metric) -> Option<Pair> {
        self.pair_of(|output| sums(output, metric))
    }

    fn pair_of<S: Sums>(&self, sums: impl Fn(&OutputOutcome) -> Option<S>) -> Option<Pair<S>> {
        let (before, after) = (&self.before.outputs, &self.after.outputs);
        let together = before.len() == after.len();
        let of = |own: &[OutputOutcome], other: &[OutputOutcome]| {
            own.iter()
                .enumerate()
                .filter(|(at, _)| !together || other.get(*at).and_then(&sums).is_some())
                .filter_map(|(_, output)| sums(output))
                .reduce(S::plus)
        };
        // An item that adds nothing to a ratio, such as a true negative to F1, still counts: it may add
        // something in the other run.
        Some(Pair {
            before: of(before, after)?,
            after: of(after, before)?,
        })
    }
}

/// The standard error of the number `value` of a run, if the items are independent. `None` if all items are
/// equal, or if the number is not the mean of its outputs.
pub fn standard_error(run: &Outcomes, metric: &Metric, value: f64) -> Option<f64> {
    let strata = Pairing::new(run, run, None).strata(metric);
    let strata: Vec<Vec<Cluster>> = strata
        .into_iter()
        .map(|stratum| stratum.into_iter().map(|(pair, _)| pair.after).collect())
        .collect();
    let mean = mean_of_ratios(&strata)?;
    let error = jackknife(&strata)?.standard_error;
    ((mean - value).abs() <= 1e-9 * value.abs().max(1.0)).then_some(error)
}

/// The sums that one output adds to a metric.
pub(super) fn sums(output: &OutputOutcome, metric: &Metric) -> Option<Cluster> {
    let own = output.sums?;
    let (numerator, denominator) = match metric {
        Metric::Overall | Metric::Group { .. } | Metric::Groups(_) => own,
        Metric::Correct => (f64::from(u8::from(output.correct?)), 1.0),
        Metric::Part(name) => (*output.parts.get(name)?, 1.0),
        Metric::Named(_) => return None,
    };
    Some(Cluster {
        numerator,
        denominator,
    })
}

fn mean(cluster: Cluster) -> Cluster {
    Cluster {
        numerator: cluster.value().unwrap_or(0.0),
        denominator: 1.0,
    }
}
