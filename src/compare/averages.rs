//! The difference of two runs in a number that is an average over items, or a formula of their sums.

use super::difference::{Difference, DifferenceOptions, IntervalKind, NoDifference, Test};
use crate::config::{Metric, TestChoice};
use crate::stats::bootstrap::Bootstrap;
use crate::stats::cluster::{Cluster, Pair, Side, Sums, mean_of_ratios, total};
use crate::stats::jackknife::jackknife;
use crate::stats::mcnemar::{self, Flips};
use crate::stats::permutation;
use crate::stats::tails::Tails;

const LEVEL: f64 = 0.95;

/// The difference in a metric, from pairs in strata whose values are averaged. `flips` are the items that are
/// right in one run only, if every item is right or wrong.
///
/// # Errors
/// Fails if there is no pair, or the test does not fit the metric.
pub(super) fn difference<S: Side>(
    metric: Metric,
    strata: &[Vec<Pair<S>>],
    flips: Option<Flips>,
    options: &DifferenceOptions,
) -> Result<Difference, NoDifference> {
    let difference = mean_of_ratios(strata).ok_or(NoDifference::NoPairs)?;
    let side = |of: fn(&Pair<S>) -> S| -> Vec<Vec<S>> {
        let clusters = strata.iter().map(|s| s.iter().map(of).collect());
        clusters.collect()
    };
    let before = mean_of_ratios(&side(|pair| pair.before)).unwrap_or(f64::NAN);
    let after = mean_of_ratios(&side(|pair| pair.after)).unwrap_or(f64::NAN);
    let seed = seed(strata, options.seed);
    let (test, tails) = tested(strata, flips, options, seed)?;
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
    let found = Difference {
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

/// The test that fits the options and the data, with its probabilities.
fn tested<S: Side>(
    strata: &[Vec<Pair<S>>],
    flips: Option<Flips>,
    options: &DifferenceOptions,
    seed: u64,
) -> Result<(Test, Tails), NoDifference> {
    match (options.test, flips) {
        (TestChoice::Auto | TestChoice::Mcnemar, Some(flips)) => {
            return Ok((Test::Mcnemar, mcnemar::test(flips)));
        }
        (TestChoice::Mcnemar, None) => return Err(NoDifference::NotBinary),
        _ => {}
    }
    let tails = permutation::test(strata, options.resamples, seed).ok_or(NoDifference::NoPairs)?;
    let test = if tails.exact {
        Test::ExactPermutation
    } else {
        Test::Permutation
    };
    Ok((test, tails))
}

/// The seed for a data set. The same data always give the same result, but different data get different
/// random numbers, so that not all gates depend on the same draws.
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

/// The items that are right in one run only. `None` unless the number is a mean over items that have one
/// output each, right or wrong.
pub(super) fn flips(strata: &[Vec<Pair>]) -> Option<Flips> {
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

/// The change of each item. An item may have no number of its own in one of the runs: then its change is the
/// effect that it has on the number of all items.
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

/// The mean divided by the standard deviation. `None` if all values are equal.
fn effect(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (n - 1.0)).sqrt();
    (values.len() > 1 && deviation > 1e-12).then(|| mean / deviation)
}
