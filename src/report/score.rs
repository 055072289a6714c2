//! Small facts about grades that the charts and the gallery share.

use super::view::RunView;
use std::collections::BTreeMap;

/// The score of a perfect output: the smallest of 1, 5, 10 and 100 that no score exceeds, since benchmarks
/// grade on one of these scales and a summary does not say which.
pub(super) fn full_mark<'a>(runs: impl IntoIterator<Item = &'a RunView>) -> f64 {
    let top = runs
        .into_iter()
        .flat_map(|run| &run.grades)
        .filter_map(|grade| grade.score)
        .fold(0.0, f64::max);
    [1.0, 5.0, 10.0, 100.0]
        .into_iter()
        .find(|scale| top <= *scale)
        .unwrap_or(top)
}

/// The mean score of each item over its scored repeats.
pub(super) fn item_means(run: &RunView) -> BTreeMap<&str, f64> {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for grade in &run.grades {
        if let Some(score) = grade.score {
            let sum = sums.entry(&grade.item).or_default();
            *sum = (sum.0 + score, sum.1 + 1.0);
        }
    }
    sums.into_iter()
        .map(|(item, (sum, count))| (item, sum / count))
        .collect()
}
