//! Chooses and computes the 95 % interval of a ratio, or of a mean of ratios.

use super::bootstrap::{self, Bootstrap, RESAMPLES};
use super::cluster::{Cluster, mean_of_ratios, ratio};
use super::jackknife::jackknife;
use super::{normal, proportion};

const LEVEL: f64 = 0.95;

/// Above this number of clusters, the normal approximation replaces the bootstrap, which would only cost
/// time.
pub const BOOTSTRAP_UP_TO: usize = 20_000;

/// The method of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Cluster bootstrap, bias-corrected and accelerated.
    Bootstrap,
    /// Cluster bootstrap with percentiles, for statistics that are not ratios.
    Percentile,
    /// Leave-one-out variance over clusters.
    Normal,
    /// Wilson's score interval for items that have one output each, right or wrong.
    Wilson,
    /// Wilson's score interval with items as trials, for 0/1 data that are all equal.
    WilsonOnItems,
    /// No interval: there are fewer than two clusters, or all values are equal and are not 0/1 data, so that
    /// nothing is known about the spread, or there are too many clusters for a statistic that is not a ratio.
    None,
}

impl Method {
    /// The method in words, as printed under a table.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Bootstrap => "cluster bootstrap by item (10000 resamples, BCa), 95 %",
            Self::Percentile => "cluster bootstrap by item (10000 resamples, percentile), 95 %",
            Self::Normal => "normal approximation clustered by item, 95 %",
            Self::Wilson => "Wilson's score interval, 95 %",
            Self::WilsonOnItems => "Wilson interval on items, as all scores are equal, 95 %",
            Self::None => "no interval",
        }
    }
}

/// An interval and its method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower and the upper bound.
    pub bounds: Option<(f64, f64)>,
    /// The method.
    pub method: Method,
}

/// The 95 % interval of the unweighted mean of the strata's ratios, which is the ratio itself for one
/// stratum. Strata without a cluster are left out. `proportion` is true if each output is right or wrong,
/// which Wilson's interval requires.
pub fn estimate(strata: &[Vec<Cluster>], proportion: bool, seed: u64) -> Interval {
    let strata: Vec<Vec<Cluster>> = strata.iter().filter(|s| !s.is_empty()).cloned().collect();
    let clusters: usize = strata.iter().map(Vec::len).sum();
    let none = Interval {
        bounds: None,
        method: Method::None,
    };
    if clusters < 2 {
        return none;
    }
    let (bounds, method) = if strata.iter().all(|s| without_spread(s)) {
        let all_or_nothing = strata
            .iter()
            .all(|s| matches!(ratio(s), Some(r) if r == 0.0 || r == 1.0));
        if !(proportion && all_or_nothing) {
            return none;
        }
        (wilson(&strata), Method::WilsonOnItems)
    } else if let ([trials], true) = (&strata[..], proportion)
        && trials.iter().all(|trial| trial.denominator == 1.0)
    {
        (wilson(&strata), Method::Wilson)
    } else if clusters > BOOTSTRAP_UP_TO {
        (normal(&strata), Method::Normal)
    } else {
        let bootstrap = Bootstrap::new(&strata, RESAMPLES, seed);
        (bootstrap.map(|b| b.bca(LEVEL)), Method::Bootstrap)
    };
    Interval { bounds, method }
}

/// The 95 % interval of any statistic of `clusters` clusters, by the bootstrap. There is no interval for
/// fewer than two clusters, for more than [`BOOTSTRAP_UP_TO`], or if all resamples give the same value.
pub fn of_statistic(
    clusters: usize,
    seed: u64,
    value: impl Fn(&mut dyn Iterator<Item = usize>) -> Option<f64> + Sync,
) -> Interval {
    let bounds = (2..=BOOTSTRAP_UP_TO)
        .contains(&clusters)
        .then(|| bootstrap::of_statistic(clusters, seed, value))
        .flatten()
        .filter(|(low, high)| low < high);
    let method = match bounds {
        Some(_) => Method::Percentile,
        None => Method::None,
    };
    Interval { bounds, method }
}

fn without_spread(stratum: &[Cluster]) -> bool {
    let own = |c: &Cluster| c.numerator / c.denominator;
    stratum
        .windows(2)
        .all(|pair| own(&pair[0]) == own(&pair[1]))
}

/// Wilson's interval of each stratum with items as trials, combined by the square-and-add rule ("MOVER"): the
/// distances from the value to the bounds add like standard errors. With one stratum, it is Wilson's interval
/// itself.
fn wilson(strata: &[Vec<Cluster>]) -> Option<(f64, f64)> {
    let value = mean_of_ratios(strata)?;
    let weight = 1.0 / strata.len() as f64;
    let (mut below, mut above) = (0.0, 0.0);
    for stratum in strata {
        let share = ratio(stratum)?;
        let (low, high) = proportion::wilson(share, stratum.len() as f64, LEVEL);
        below += (weight * (share - low)).powi(2);
        above += (weight * (high - share)).powi(2);
    }
    Some((
        (value - below.sqrt()).max(0.0),
        (value + above.sqrt()).min(1.0),
    ))
}

/// Value ± z · standard error.
fn normal(strata: &[Vec<Cluster>]) -> Option<(f64, f64)> {
    let value = mean_of_ratios(strata)?;
    let half = normal::quantile(0.5 + LEVEL / 2.0) * jackknife(strata)?.standard_error;
    Some((value - half, value + half))
}

#[cfg(test)]
mod tests {
    use super::super::random::SplitMix64;
    use super::*;

    fn clusters_of(values: &[(f64, f64)]) -> Vec<Cluster> {
        values
            .iter()
            .map(|&(numerator, denominator)| Cluster {
                numerator,
                denominator,
            })
            .collect()
    }

    fn assert_close(bounds: Option<(f64, f64)>, low: f64, high: f64, tolerance: f64) {
        let (l, h) = bounds.expect("an interval");
        assert!(
            (l - low).abs() < tolerance && (h - high).abs() < tolerance,
            "({l}, {h}) is not ({low}, {high})"
        );
    }

    #[test]
    fn too_little_gives_no_interval() {
        assert_eq!(estimate(&[], true, 0).bounds, None);
        assert_eq!(
            estimate(&[clusters_of(&[(1.0, 1.0)])], true, 0).method,
            Method::None
        );
        let half = clusters_of(&[(0.5, 1.0), (1.0, 2.0)]);
        assert_eq!(estimate(&[half], false, 0).bounds, None);
    }

    /// Ten of ten: Wilson's lower bound is n / (n + z²) = 10 / 13.8415 = 0.72246.
    #[test]
    fn all_right_gives_wilson_on_items() {
        let ten = clusters_of(&[(4.0, 4.0); 10]);
        let found = estimate(std::slice::from_ref(&ten), true, 0);
        assert_eq!(found.method, Method::WilsonOnItems);
        assert_close(found.bounds, 0.722_46, 1.0, 1e-5);
        // A second stratum of ten wrong ones: 0.5 ± 0.5 · 0.27754 on either side.
        let two = estimate(&[ten, clusters_of(&[(0.0, 4.0); 10])], true, 0);
        assert_close(two.bounds, 0.5 - 0.138_77, 0.5 + 0.138_77, 1e-5);
    }

    /// 80 of 100 items with one output each: statsmodels' proportion_confint(80, 100, method="wilson").
    #[test]
    fn one_output_per_item_gives_wilson() {
        let mut items = clusters_of(&[(1.0, 1.0); 80]);
        items.extend(clusters_of(&[(0.0, 1.0); 20]));
        let found = estimate(std::slice::from_ref(&items), true, 0);
        assert_eq!(found.method, Method::Wilson);
        assert_close(found.bounds, 0.711_170_8, 0.866_633_4, 1e-6);
        assert_eq!(estimate(&[items], false, 0).method, Method::Bootstrap);
    }

    /// By hand: 20 001 clusters, 10 000 right. p = 0.499975, standard error = sqrt(p(1−p)/20 000).
    #[test]
    fn many_clusters_take_the_normal_approximation() {
        let mut many = clusters_of(&[(1.0, 1.0); 10_000]);
        many.extend(clusters_of(&[(0.0, 1.0); 10_001]));
        let found = estimate(&[many], false, 0);
        assert_eq!(found.method, Method::Normal);
        assert_close(found.bounds, 0.493_045_5, 0.506_904_5, 1e-6);
    }

    /// On the same clusters the bootstrap and the normal approximation must nearly agree.
    #[test]
    fn bootstrap_and_normal_approximation_agree_on_a_middling_sample() {
        let mut random = SplitMix64::new(5, 0);
        let strata: Vec<Vec<Cluster>> = (0..3)
            .map(|_| {
                (0..400)
                    .map(|_| Cluster {
                        numerator: random.two_below(11)[0] as f64,
                        denominator: 10.0 + random.two_below(5)[0] as f64,
                    })
                    .collect()
            })
            .collect();
        let (low, high) = normal(&strata).expect("an interval");
        let bootstrap = Bootstrap::new(&strata, RESAMPLES, 1).expect("an interval");
        assert_close(Some(bootstrap.percentile(LEVEL)), low, high, 0.002);
        assert_close(Some(bootstrap.bca(LEVEL)), low, high, 0.002);
    }

    /// 300 simulated studies: 40 items × 4 repeats, each item with its own chance of success, uniform in
    /// 0..1, so that the true value is 0.5. A 95 % interval should contain it about 285 times. An interval that
    /// treated repeats as independent would contain it about 250 times.
    #[test]
    fn the_interval_holds_the_truth_about_as_often_as_it_says() {
        let mut random = SplitMix64::new(11, 0);
        let mut holds = 0;
        for study in 0..300 {
            let items: Vec<Cluster> = (0..40)
                .map(|_| {
                    let chance = random.two_below(1_000_000)[0];
                    let right = (0..4)
                        .filter(|_| random.two_below(1_000_000)[0] < chance)
                        .count();
                    Cluster {
                        numerator: right as f64,
                        denominator: 4.0,
                    }
                })
                .collect();
            let (low, high) = estimate(&[items], true, study).bounds.expect("an interval");
            holds += usize::from(low <= 0.5 && 0.5 <= high);
        }
        assert!((270..=296).contains(&holds), "{holds} of 300");
    }
}
