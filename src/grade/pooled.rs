//! Scores that are not means: a function of sums over all outputs.

use crate::record::Grade;
use crate::stats::formula::{Formula, Terms};
use crate::stats::interval::{Interval, of_statistic};

/// A score computed from sums over outputs.
pub trait Pooled: Formula {
    /// What a grade adds to the sums. `None` leaves the output out.
    fn terms(&self, grade: &Grade) -> Option<Terms>;

    /// The formula, as printed in the summary's `method`.
    fn name(&self) -> &'static str;
}

/// Adds terms to sums.
pub(super) fn add_terms(sums: &mut Terms, terms: &Terms) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}

/// The score of the sums of some items, and its interval. Items are drawn again, and the formula is computed
/// again.
pub(super) fn estimate(pooled: &dyn Pooled, items: &[Terms], seed: u64) -> (Option<f64>, Interval) {
    let of = |chosen: &mut dyn Iterator<Item = usize>| {
        let mut sums = Terms::default();
        for terms in chosen.filter_map(|index| items.get(index)) {
            add_terms(&mut sums, terms);
        }
        pooled.value(&sums)
    };
    let value = of(&mut (0..items.len()));
    (value, of_statistic(items.len(), seed, of))
}
