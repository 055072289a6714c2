//! Percentile bootstrap over clusters, stratified.

use super::cluster::Cluster;
use super::random::SplitMix64;
use rayon::prelude::*;

/// How many times the clusters are drawn anew.
pub const RESAMPLES: usize = 2000;

/// 95 % percentile interval of the mean of the strata's ratios: in each of [`RESAMPLES`] resamples every stratum draws
/// as many clusters as it has, with replacement. Percentiles interpolate linearly between order statistics.
///
/// The same clusters in the same order with the same seed give the same interval, on any number of threads. None when
/// no stratum has a cluster.
pub fn interval(strata: &[Vec<Cluster>], seed: u64) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = (0..RESAMPLES)
        .into_par_iter()
        .filter_map(|index| resample(strata, &mut SplitMix64::new(seed, index as u64)))
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    Some((percentile(&values, 0.025)?, percentile(&values, 0.975)?))
}

/// 95 % percentile interval of any statistic of `clusters` clusters: `value` is given the places of those drawn. As
/// [`interval`] otherwise.
pub fn of_statistic(
    clusters: usize,
    seed: u64,
    value: impl Fn(&mut dyn Iterator<Item = usize>) -> Option<f64> + Sync,
) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = (0..RESAMPLES)
        .into_par_iter()
        .filter_map(|index| {
            let mut random = SplitMix64::new(seed, index as u64);
            value(&mut (0..clusters).map(|_| random.below(clusters)))
        })
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    Some((percentile(&values, 0.025)?, percentile(&values, 0.975)?))
}

fn resample(strata: &[Vec<Cluster>], random: &mut SplitMix64) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for stratum in strata {
        let (mut numerator, mut denominator) = (0.0, 0.0);
        for _ in 0..stratum.len() {
            let cluster = stratum[random.below(stratum.len())];
            numerator += cluster.numerator;
            denominator += cluster.denominator;
        }
        if denominator > 0.0 {
            sum += numerator / denominator;
            count += 1;
        }
    }
    (count > 0).then(|| sum / f64::from(count))
}

fn percentile(sorted: &[f64], fraction: f64) -> Option<f64> {
    let position = fraction * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    let weight = position - position.floor();
    Some(sorted[low] * (1.0 - weight) + sorted[high] * weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ratio as a statistic is the ratio.
    #[test]
    fn a_statistic_is_drawn_as_ratios_are() {
        let clusters: Vec<Cluster> = (0..40)
            .map(|at| Cluster {
                numerator: f64::from(at % 7),
                denominator: f64::from(7 + at % 3),
            })
            .collect();
        let ratio = |chosen: &mut dyn Iterator<Item = usize>| {
            let (n, d) = chosen.fold((0.0, 0.0), |(n, d), at| {
                (n + clusters[at].numerator, d + clusters[at].denominator)
            });
            Some(n / d)
        };
        let expected = interval(std::slice::from_ref(&clusters), 3);
        assert_eq!(of_statistic(clusters.len(), 3, ratio), expected);
        assert_eq!(of_statistic(0, 3, |_| None), None);
    }

    #[test]
    fn percentiles_interpolate() {
        let values: Vec<f64> = (0..=10).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.025), Some(0.25));
        assert_eq!(percentile(&values, 0.975), Some(9.75));
        assert_eq!(percentile(&[3.0], 0.975), Some(3.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
