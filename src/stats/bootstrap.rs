//! Stratified bootstrap over clusters, with percentile and BCa intervals.

use super::cluster::{Sums, mean_of_ratios};
use super::jackknife::jackknife;
use super::normal;
use super::random::SplitMix64;
use rayon::prelude::*;

/// Number of times that the clusters are drawn.
pub const RESAMPLES: usize = 10_000;

/// The mean of the strata's ratios in every resample. Every stratum draws as many clusters as it has, with
/// replacement. The same clusters in the same order with the same seed give the same values, on any number of
/// threads.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// Ascending.
    values: Vec<f64>,
    observed: f64,
    acceleration: f64,
}

impl Bootstrap {
    /// `None` if no stratum has a cluster.
    pub fn new<S: Sums>(strata: &[Vec<S>], resamples: usize, seed: u64) -> Option<Self> {
        let mut values: Vec<f64> = (0..resamples)
            .into_par_iter()
            .filter_map(|index| resample(strata, &mut SplitMix64::new(seed, index as u64)))
            .collect();
        values.par_sort_unstable_by(f64::total_cmp);
        (!values.is_empty()).then_some(Self {
            values,
            observed: mean_of_ratios(strata)?,
            acceleration: jackknife(strata).map_or(0.0, |found| found.acceleration),
        })
    }

    /// The percentile interval, which contains a share of `level` of the resampled values.
    pub fn percentile(&self, level: f64) -> (f64, f64) {
        let outside = (1.0 - level) / 2.0;
        (self.quantile(outside), self.quantile(1.0 - outside))
    }

    /// The bias-corrected and accelerated interval (Efron 1987). It is not defined if nearly all resamples
    /// lie on one side of the observed value. It is then replaced by the percentile interval.
    pub fn bca(&self, level: f64) -> (f64, f64) {
        let below = self.values.partition_point(|value| *value < self.observed);
        let up_to = self.values.partition_point(|value| *value <= self.observed);
        let bias = normal::quantile((below + up_to) as f64 / (2 * self.values.len()) as f64);
        let outside = (1.0 - level) / 2.0;
        let place = |z: f64| {
            let shifted = bias + z;
            let stretch = 1.0 - self.acceleration * shifted;
            (stretch > 0.0 && bias.is_finite()).then(|| normal::cdf(bias + shifted / stretch))
        };
        let z = normal::quantile(1.0 - outside);
        match (place(-z), place(z)) {
            (Some(low), Some(high)) => (self.quantile(low), self.quantile(high)),
            _ => self.percentile(level),
        }
    }

    /// A percentile, interpolated linearly between order statistics.
    fn quantile(&self, fraction: f64) -> f64 {
        let position = fraction * (self.values.len() - 1) as f64;
        let weight = position - position.floor();
        let value = |at: f64| {
            self.values
                .get(at as usize)
                .copied()
                .unwrap_or(self.observed)
        };
        value(position.floor()) * (1.0 - weight) + value(position.ceil()) * weight
    }
}

/// The 95 % percentile interval of any statistic of `clusters` clusters. `value` receives the indices of the
/// drawn clusters.
pub fn of_statistic(
    clusters: usize,
    seed: u64,
    value: impl Fn(&mut dyn Iterator<Item = usize>) -> Option<f64> + Sync,
) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = (0..RESAMPLES)
        .into_par_iter()
        .filter_map(|index| {
            let mut random = SplitMix64::new(seed, index as u64);
            value(&mut (0..clusters).map(|_| random.two_below(clusters)[0]))
        })
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    let bootstrap = Bootstrap {
        observed: *values.get(values.len() / 2)?,
        values,
        acceleration: 0.0,
    };
    Some(bootstrap.percentile(0.95))
}

fn resample<S: Sums>(strata: &[Vec<S>], random: &mut SplitMix64) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for stratum in strata {
        let n = stratum.len();
        let (mut one, mut other) = (S::default(), S::default());
        for _ in 0..n / 2 {
            let [a, b] = random.two_below(n);
            one = one.plus(stratum[a]);
            other = other.plus(stratum[b]);
        }
        if n % 2 == 1 {
            one = one.plus(stratum[random.two_below(n)[0]]);
        }
        if let Some(value) = one.plus(other).value() {
            sum += value;
            count += 1;
        }
    }
    (count > 0).then(|| sum / f64::from(count))
}
