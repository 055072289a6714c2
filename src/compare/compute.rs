//! How the difference in a metric is computed, by the kind of the metric.

use super::averages;
use super::difference::{Difference, DifferenceOptions, NoDifference};
use super::further;
use super::pairing::Pairing;
use crate::config::{Metric, TestChoice};
use crate::stats::cluster::Pair;

impl Difference {
    /// Computes the difference of two runs in a metric.
    ///
    /// # Errors
    /// Fails if no item has the metric in both runs, or the chosen test does not fit it.
    pub fn compute(
        pairing: &Pairing<'_>,
        metric: &Metric,
        options: &DifferenceOptions,
    ) -> Result<Self, NoDifference> {
        if let Metric::Named(name) = metric {
            if options.test == TestChoice::Mcnemar {
                return Err(NoDifference::NotBinary);
            }
            return further::difference(pairing, name, options);
        }
        if let Some(pools) = pairing.pools(metric) {
            return averages::difference(metric.clone(), &[pools], None, options);
        }
        let strata: Vec<Vec<Pair>> = pairing
            .strata(metric)
            .iter()
            .map(|stratum| stratum.iter().map(|(pair, _)| *pair).collect())
            .collect();
        let flips = averages::flips(&strata);
        averages::difference(metric.clone(), &strata, flips, options)
    }
}
