//! Numbers that a rule makes anew from all items, and the difference of two runs in one of them.

use super::difference::{Difference, DifferenceOptions, NoDifference, Test};
use super::pairing::Pairing;
use super::recount::Recount;
use crate::config::Metric;
use crate::record::{ItemOutcome, Outcomes};
use crate::stats::Z_95;
use crate::stats::cluster::Sums;
use crate::stats::permutation::{self, Coins};
use rayon::prelude::*;

/// Number of parts of the items. Each part is left out in turn for the standard error.
const PARTS: usize = 200;
/// About how many items are counted over all exchanges of the permutation test. Each exchange counts all
/// items.
const COUNTED: usize = 2_000_000;
const LEAST_DRAWS: usize = 499;
const MOST_DRAWS: usize = 1_999;
/// A smaller standard error is the rounding of equal values.
const LEAST_ERROR: f64 = 1e-12;

/// A further official number of one run, made by its rule.
pub struct Further<'a> {
    recount: &'a dyn Recount,
    name: &'a str,
    /// The items with a score.
    pub items: Vec<&'a ItemOutcome>,
}

impl<'a> Further<'a> {
    /// The number of a run that has this name.
    pub fn new(run: &'a Outcomes, recount: &'a dyn Recount, name: &'a str) -> Self {
        Self {
            recount,
            name,
            items: run.items.iter().filter(|item| is_scored(item)).collect(),
        }
    }

    /// The number itself. `None` if the rule makes no such number.
    pub fn value(&self) -> Option<f64> {
        self.number(&self.items)
    }

    /// The 95 % interval, from the standard error that leaves out parts of the items. `None` if that is zero.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let value = self.value()?;
        let error = standard_error(&self.items, &|items| self.number(items))?;
        (error > LEAST_ERROR).then_some((value - Z_95 * error, value + Z_95 * error))
    }

    fn number(&self, items: &[&ItemOutcome]) -> Option<f64> {
        self.recount.metrics(items).get(self.name).copied()
    }
}

fn is_scored(item: &ItemOutcome) -> bool {
    item.outputs.iter().any(|output| output.score.is_some())
}

/// The difference in a further official number. The rule makes the number anew each time: without parts of
/// the items for the interval, and with exchanged results of items for p. The items won and lost are those
/// whose own scores changed.
///
/// # Errors
/// Fails if the rule does not make the number for one of the runs, or if no item is in both runs.
pub(super) fn difference(
    pairing: &Pairing<'_>,
    name: &str,
    options: &DifferenceOptions,
) -> Result<Difference, NoDifference> {
    let unknown = |known: String| NoDifference::NoMetric {
        name: name.to_owned(),
        known,
    };
    let recount = pairing.recount.ok_or_else(|| unknown(String::new()))?;
    let pairs = pairing.items.iter().map(|item| [item.before, item.after]);
    let pairs: Vec<[&ItemOutcome; 2]> = pairs.filter(|p| p.iter().all(|i| is_scored(i))).collect();
    let side = |at: usize| -> Vec<&ItemOutcome> { pairs.iter().map(|pair| pair[at]).collect() };
    let value = |items: &[&ItemOutcome]| recount.metrics(items).get(name).copied();
    let all = recount.metrics(&side(1));
    let (Some(before), Some(after)) = (value(&side(0)), all.get(name).copied()) else {
        return Err(unknown(all.into_keys().collect::<Vec<_>>().join(", ")));
    };
    let error = standard_error(&pairs, &|pairs: &[[&ItemOutcome; 2]]| {
        let side = |at: usize| -> Vec<&ItemOutcome> { pairs.iter().map(|pair| pair[at]).collect() };
        Some(value(&side(1))? - value(&side(0))?)
    });
    let differing: Vec<bool> = pairs.iter().map(|[b, a]| b.outputs != a.outputs).collect();
    let draws = (COUNTED / pairs.len().max(1)).clamp(LEAST_DRAWS, MOST_DRAWS);
    let exchanged = |coins: &mut Coins| {
        let mut sides = [Vec::new(), Vec::new()];
        for (pair, differs) in pairs.iter().zip(&differing) {
            let swap = *differs && coins.toss(1) & 1 == 1;
            let [one, other] = if swap { [pair[1], pair[0]] } else { *pair };
            sides[0].push(one);
            sides[1].push(other);
        }
        Some(value(&sides[1])? - value(&sides[0])?)
    };
    let count = differing.iter().filter(|differs| **differs).count();
    let tails = permutation::of_statistic(
        after - before,
        count,
        draws.min(options.resamples),
        options.seed,
        exchanged,
    );
    let own = pairing
        .items
        .iter()
        .filter_map(|item| item.pair(&Metric::Overall));
    let own: Vec<f64> = own
        .filter_map(|pair| Some(pair.after.value()? - pair.before.value()?))
        .collect();
    let test = if tails.exact {
        Test::ExactPermutation
    } else {
        Test::Permutation
    };
    let half = error
        .filter(|error| *error > LEAST_ERROR)
        .map(|error| Z_95 * error);
    Ok(Difference {
        metric: Metric::Named(name.to_owned()),
        n: pairs.len(),
        before,
        after,
        difference: after - before,
        low: half.map(|half| after - before - half),
        high: half.map(|half| after - before + half),
        standard_error: error,
        test,
        p: tails.both,
        p_lower: tails.lower,
        p_upper: tails.upper,
        p_holm: None,
        effect: None,
        flips: None,
        odds_ratio: None,
        won: own.iter().filter(|change| **change > 0.0).count(),
        tied: own.iter().filter(|change| **change == 0.0).count(),
        lost: own.iter().filter(|change| **change < 0.0).count(),
        detectable: None,
        needed: None,
    }
    .planned(options.plan))
}

/// The standard error by the jackknife, which leaves out parts of the items.
fn standard_error<T: Copy + Sync>(
    items: &[T],
    value: &(impl Fn(&[T]) -> Option<f64> + Sync),
) -> Option<f64> {
    let parts = items.len().min(PARTS);
    let without = |part: usize| {
        let kept = items.iter().enumerate();
        let kept = kept.filter(|(at, _)| at % parts != part);
        value(&kept.map(|(_, item)| *item).collect::<Vec<T>>())
    };
    let values: Option<Vec<f64>> = (0..parts).into_par_iter().map(without).collect();
    let values = values.filter(|values| values.len() > 1)?;
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares * (n - 1.0) / n).sqrt())
}
