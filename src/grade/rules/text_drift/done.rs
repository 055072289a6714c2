//! What is kept by the edits that were done: the mean score, with its interval.

use crate::grade::rule::Board;
use crate::stats::cluster::Cluster;
use crate::stats::interval::estimate;
use std::collections::BTreeMap;

/// The seed of the resampling.
const SEED: u64 = 20_260_130;

/// The edits that are known to be done or not.
pub(super) struct Done {
    /// The number of scored edits of which it is known.
    known: usize,
    /// The number of those that were done.
    done: usize,
    /// The mean score of those.
    mean: Option<f64>,
    /// Its 95 % interval, which resamples items.
    bounds: Option<(f64, f64)>,
}

impl Done {
    pub(super) fn of(board: &Board<'_>) -> Self {
        let scored = board.grades.iter().filter_map(|grade| {
            let done = *grade.parts.get("done")? == 1.0;
            Some((grade.item.as_str(), done, grade.score?))
        });
        let (mut known, mut done) = (0, 0);
        let mut whole = true;
        let mut items: BTreeMap<&str, Cluster> = BTreeMap::new();
        for (item, is_done, score) in scored {
            known += 1;
            if is_done {
                done += 1;
                whole &= score == 0.0 || score == 1.0;
                let cluster = items.entry(item).or_default();
                cluster.numerator += score;
                cluster.denominator += 1.0;
            }
        }
        let sum: f64 = items.values().map(|cluster| cluster.numerator).sum();
        let clusters: Vec<Cluster> = items.into_values().collect();
        Self {
            known,
            done,
            mean: (done > 0).then(|| sum / done as f64),
            bounds: estimate(&[clusters], whole, SEED).bounds,
        }
    }

    /// Adds `kept_done` with the ends `_low` and `_high` of its interval.
    pub(super) fn add_metrics(&self, metrics: &mut BTreeMap<String, f64>) {
        let numbers = [
            ("kept_done", self.mean),
            ("kept_done_low", self.bounds.map(|ends| ends.0)),
            ("kept_done_high", self.bounds.map(|ends| ends.1)),
        ];
        let known = numbers
            .into_iter()
            .filter_map(|(name, number)| Some((name.to_owned(), number?)));
        metrics.extend(known);
    }

    /// The same in a sentence. `None` if it is not known of any edit whether it was done.
    pub(super) fn in_words(&self) -> Option<String> {
        let Self { known, done, .. } = self;
        let Some(mean) = self.mean else {
            return (*known > 0).then(|| {
                format!(
                    "None of the {known} edits is done, so nothing is known of what edits keep."
                )
            });
        };
        let interval = self.bounds.map_or_else(String::new, |(low, high)| {
            let [low, high] = [low, high].map(|end| 100.0 * end);
            format!(" (95 % interval {low:.1} to {high:.1})")
        });
        let mean = 100.0 * mean;
        Some(format!(
            "Where the edit is done ({done} of {known}), {mean:.1} % of the text is kept{interval}."
        ))
    }
}
