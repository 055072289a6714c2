//! Whether the groups have other shares in two runs. That can reverse an overall difference (Simpson's
//! paradox).

use super::Difference;
use super::pairing::sums;
use crate::config::Metric;
use crate::record::Outcomes;

/// The difference in the share of a group that needs no remark.
const ALIKE: f64 = 0.02;

/// Remarks on groups whose share of the scored outputs differs, and on an overall difference that goes
/// against that of every group. `official` is the difference of the runs' own overall numbers.
pub(super) fn remarks(
    before: &Outcomes,
    after: &Outcomes,
    official: Option<f64>,
    groups: &[Difference],
) -> Vec<String> {
    let mut remarks = Vec::new();
    for by in &before.facts.group_by {
        let (one, other) = (shares(before, by), shares(after, by));
        let shift = |(key, share): &(String, f64)| {
            let found = other.iter().find(|(known, _)| known == key);
            (key.clone(), *share, found.map_or(0.0, |(_, share)| *share))
        };
        let widest = one
            .iter()
            .map(shift)
            .max_by(|a, b| (a.1 - a.2).abs().total_cmp(&(b.1 - b.2).abs()));
        if let Some((key, was, is)) = widest
            && (was - is).abs() > ALIKE
        {
            remarks.push(format!(
                "The runs mix {by} differently ({key}: {:.0} % and {:.0} % of the score's weight): compare the paired numbers, not \
                 the overall ones.",
                was * 100.0,
                is * 100.0
            ));
        }
        let of_tag =
            |d: &&Difference| matches!(&d.metric, Metric::Group { by: own, .. } if own == by);
        let signs: Vec<f64> = groups.iter().filter(of_tag).map(|d| d.difference).collect();
        if let Some(official) = official
            && signs.len() > 1
            && official != 0.0
            && signs.iter().all(|sign| sign * official < 0.0)
        {
            let (way, against) = if official > 0.0 {
                ("higher", "lower")
            } else {
                ("lower", "higher")
            };
            remarks.push(format!(
                "Simpson's paradox: the overall number is {way}, though every group of {by} is {against}."
            ));
        }
    }
    remarks
}

/// The part of the average's weight that each group has.
fn shares(run: &Outcomes, by: &str) -> Vec<(String, f64)> {
    let mut shares: Vec<(String, f64)> = Vec::new();
    let mut all = 0.0;
    for item in &run.items {
        let weight: f64 = item
            .outputs
            .iter()
            .filter_map(|output| sums(output, &Metric::Overall))
            .map(|cluster| cluster.denominator)
            .sum();
        let Some(key) = item.tags.get(by) else {
            continue;
        };
        all += weight;
        match shares.iter_mut().find(|(known, _)| known == key) {
            Some((_, share)) => *share += weight,
            None => shares.push((key.clone(), weight)),
        }
    }
    shares
        .into_iter()
        .filter(|_| all > 0.0)
        .map(|(key, weight)| (key, weight / all))
        .collect()
}
