//! The items that changed most.

use super::pairing::{Pairing, sums};
use crate::config::Metric;
use crate::record::{ItemOutcome, OutputOutcome};
use crate::stats::cluster::{Pair, Sums};
use serde::Serialize;

/// One item whose score changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The name of the item.
    pub item: String,
    /// The mean score of its outputs in the earlier run.
    pub before: f64,
    /// The mean score in the later run.
    pub after: f64,
    /// The repeat whose output changed most.
    pub repeat: usize,
    /// Whether that output went from right to wrong, or from wrong to right, by the rule.
    pub flipped: bool,
}

impl Change {
    /// The later score minus the earlier one.
    pub fn difference(&self) -> f64 {
        self.after - self.before
    }
}

/// The items that changed, by the size of the change. Losses come before gains of the same size.
pub(super) fn changes(pairing: &Pairing<'_>) -> Vec<Change> {
    let mut changes: Vec<Change> = pairing
        .items
        .iter()
        .filter_map(|item| {
            let mut pair = item.pair(&Metric::Overall)?;
            if pair.value().is_none() {
                // The item has no number in both runs: the scores of its outputs are compared.
                pair = Pair::default();
            }
            let (repeat, flipped) = widest(item)?;
            Some(Change {
                item: item.before.item.clone(),
                before: pair.before.value().or_else(|| score(item.before))?,
                after: pair.after.value().or_else(|| score(item.after))?,
                repeat,
                flipped,
            })
        })
        .filter(|change| change.difference() != 0.0)
        .collect();
    changes.sort_by(|a, b| {
        let (a, b) = (a.difference(), b.difference());
        b.abs().total_cmp(&a.abs()).then(a.total_cmp(&b))
    });
    changes
}

/// The mean score of an item's outputs.
fn score(item: &ItemOutcome) -> Option<f64> {
    let scores: Vec<f64> = item
        .outputs
        .iter()
        .filter_map(|output| output.score)
        .collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

/// The repeat that changed most, and whether it flipped.
fn widest(item: &super::Paired<'_>) -> Option<(usize, bool)> {
    let value = |output: &OutputOutcome| {
        let own = sums(output, &Metric::Overall)?.value();
        own.or(output.score)
    };
    let outputs = item.before.outputs.iter().zip(&item.after.outputs);
    let size = |(at, (before, after))| {
        let change: f64 = value(after)? - value(before)?;
        let flipped = before.correct.is_some() && before.correct != after.correct;
        Some((at, change.abs(), flipped))
    };
    // Among equal changes, the first one counts.
    let (at, _, flipped) = outputs
        .enumerate()
        .filter_map(size)
        .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    Some((at, flipped))
}
