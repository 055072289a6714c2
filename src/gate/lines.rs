//! One item of a baseline file, in a short form.

use crate::record::{ItemOutcome, OutputOutcome, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An item in the file. Its outputs are in the order of their repeats. An output without a score is null, or
/// `-` in `right`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    item: String,
    asked: String,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    tags: Tags,
    /// `1` for right and `0` for wrong, if the rule decides between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    right: Option<String>,
    /// Scores that are more than right or wrong, or that are not averages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scores: Option<Vec<Option<f64>>>,
    /// Numerators and denominators, if averages divide sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sums: Option<Vec<Option<(f64, f64)>>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parts: BTreeMap<String, Vec<Option<f64>>>,
}

impl Line {
    /// The line of an item.
    pub(super) fn new(outcome: &ItemOutcome) -> Self {
        let outputs = &outcome.outputs;
        let all = |test: &dyn Fn(&OutputOutcome, (f64, f64)) -> bool| {
            outputs
                .iter()
                .all(|o| o.sums.is_none_or(|sums| test(o, sums)))
        };
        let marked = all(&|output, _| output.correct.is_some());
        let plain = all(&|_, sums| sums.1 == 1.0);
        let bits = marked
            && all(&|output, sums| {
                sums == (f64::from(u8::from(output.correct == Some(true))), 1.0)
            });
        let right = |output: &OutputOutcome| match output.correct.filter(|_| output.sums.is_some())
        {
            Some(true) => '1',
            Some(false) => '0',
            None => '-',
        };
        Self {
            item: outcome.item.clone(),
            asked: outcome.asked.clone(),
            tags: outcome.tags.clone(),
            right: marked.then(|| outputs.iter().map(right).collect()),
            scores: (!bits).then(|| {
                let score = |o: &OutputOutcome| {
                    if plain {
                        o.sums.map(|sums| sums.0)
                    } else {
                        o.score
                    }
                };
                outputs.iter().map(score).collect()
            }),
            sums: (!plain).then(|| outputs.iter().map(|o| o.sums).collect()),
            parts: parts(outputs),
        }
    }

    /// The outcome. `None` if the lists do not have the length of the run's repeats.
    pub(super) fn outcome(self, repeats: u32) -> Option<ItemOutcome> {
        let repeats = repeats as usize;
        let right: Option<Vec<Option<bool>>> = self.right.as_deref().map(|right| {
            let bit = |c| match c {
                '1' => Some(true),
                '0' => Some(false),
                _ => None,
            };
            right.chars().map(bit).collect()
        });
        let sums: Vec<Option<(f64, f64)>> = match (self.sums, &self.scores, &right) {
            (Some(sums), ..) => sums,
            (None, Some(scores), _) => {
                let plain = scores.iter().map(|score| Some(((*score)?, 1.0)));
                plain.collect()
            }
            (None, None, Some(right)) => {
                let bits = right
                    .iter()
                    .map(|bit| Some((f64::from(u8::from((*bit)?)), 1.0)));
                bits.collect()
            }
            (None, None, None) => vec![None; repeats],
        };
        let whole = |length: usize| length == repeats;
        let fits = whole(sums.len())
            && right.as_ref().is_none_or(|right| whole(right.len()))
            && self
                .scores
                .as_ref()
                .is_none_or(|scores| whole(scores.len()))
            && self.parts.values().all(|part| whole(part.len()));
        // Files of earlier versions have no scores next to sums.
        let score = |at: usize, sums: Option<(f64, f64)>| match &self.scores {
            Some(scores) => *scores.get(at)?,
            None => sums.map(|(numerator, denominator)| numerator / denominator.max(1.0)),
        };
        let output = |(at, sums): (usize, Option<(f64, f64)>)| OutputOutcome {
            sums,
            score: score(at, sums),
            correct: right.as_ref().and_then(|right| *right.get(at)?),
            parts: self
                .parts
                .iter()
                .filter_map(|(name, values)| Some((name.clone(), (*values.get(at)?)?)))
                .collect(),
        };
        fits.then(|| ItemOutcome {
            item: self.item,
            asked: self.asked,
            tags: self.tags,
            outputs: sums.into_iter().enumerate().map(output).collect(),
        })
    }
}

fn parts(outputs: &[OutputOutcome]) -> BTreeMap<String, Vec<Option<f64>>> {
    let names = outputs.iter().flat_map(|output| output.parts.keys());
    names
        .map(|name| {
            let values = outputs.iter().map(|output| output.parts.get(name).copied());
            (name.clone(), values.collect())
        })
        .collect()
}
