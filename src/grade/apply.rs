//! Applies a rule to every output that was asked for.

use super::answer;
use super::rule::{Case, Rule, Verdict};
use crate::record::{Evidence, Failure, Grade, Item, Output};
use rayon::prelude::*;
use std::collections::HashMap;

/// The number of items that are graded at once. It keeps every core busy, and it is small enough that memory
/// has no second copy of all grades.
const CHUNK: usize = 1 << 15;

/// One grade for each expected (item, repeat), in item order, then by repeat.
///
/// With `outputs`, each item is expected `repeats` times. Without them (loose evidence), the repeats that its
/// evidence names are expected, and repeat 0 if it has none. Of several outputs of one (item, repeat), the
/// last counts. Records of items or repeats that nobody asked for are skipped. A missing output has
/// a null score, and `unscored` says why. So has a failed one, unless the rule grades failures.
pub fn grade_all(
    rule: &dyn Rule,
    items: &[Item],
    repeats: u32,
    outputs: Option<&[Output]>,
    evidence: &[Evidence],
) -> Vec<Grade> {
    let positions: HashMap<&str, u32> = (0..)
        .zip(items)
        .map(|(at, i)| (i.item.as_str(), at))
        .collect();
    let outputs = outputs.map(|all| Index::new(all, &positions, |o| (&o.item, o.repeat)));
    let evidence = Index::new(evidence, &positions, |e| (&e.item, e.repeat));
    drop(positions);
    let grade_item = |(position, item): (usize, &Item)| -> Vec<Grade> {
        let seen = evidence.of_item(position);
        let expected = match outputs {
            Some(_) => (0..repeats).collect(),
            None => distinct_repeats(seen),
        };
        let made = outputs
            .as_ref()
            .map(|index| (index, index.of_item(position)));
        expected
            .into_iter()
            .map(|repeat| {
                let seen: Vec<&Evidence> = evidence.of_repeat(seen, repeat).collect();
                let verdict = match made.map(|(index, all)| index.of_repeat(all, repeat).last()) {
                    Some(None) => Verdict::unscored("missing output"),
                    Some(Some(Output {
                        error: Some(error), ..
                    })) if !rule.takes_all() => rule
                        .grade_failure(error)
                        .unwrap_or_else(|| Verdict::unscored(failure_text(error))),
                    output => answer::grade(
                        rule,
                        &Case {
                            item,
                            repeat,
                            output: output.flatten(),
                            evidence: &seen,
                        },
                    ),
                };
                grade_record(item, repeat, verdict)
            })
            .collect()
    };
    let mut grades = Vec::with_capacity(items.len() * repeats as usize);
    for (start, chunk) in (0..).step_by(CHUNK).zip(items.chunks(CHUNK)) {
        let graded = chunk.par_iter().enumerate();
        grades.par_extend(graded.flat_map_iter(|(at, item)| grade_item((start + at, item))));
    }
    rule.settle(items, &mut grades);
    grades
}

/// `unscored` of an output that could not be made.
pub(super) fn failure_text(error: &Failure) -> String {
    format!("failed: {}: {}: {}", error.stage, error.kind, error.message)
}

fn grade_record(item: &Item, repeat: u32, verdict: Verdict) -> Grade {
    let mut extra = crate::record::Object::new();
    for note in &verdict.notes {
        crate::record::add_note(&mut extra, note);
    }
    Grade {
        item: item.item.clone(),
        repeat,
        score: verdict.score,
        correct: verdict.correct,
        parts: verdict.parts.into(),
        reason: verdict.reason,
        unscored: verdict.unscored,
        tags: item.tags.clone(),
        extra,
    }
}

/// The positions of the records of each item and repeat. The records stay where they are.
struct Index<'a, T> {
    records: &'a [T],
    /// Sorted by item, then by repeat, then in file order.
    places: Vec<Place>,
    /// The index of the first place of each item. There is one more entry than there are items.
    starts: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    item: u32,
    repeat: u32,
    record: u32,
}

impl<'a, T: Sync> Index<'a, T> {
    fn new(
        records: &'a [T],
        positions: &HashMap<&str, u32>,
        key: impl Fn(&T) -> (&str, u32) + Sync,
    ) -> Self {
        let mut places: Vec<Place> = (0_u32..)
            .zip(records)
            .filter_map(|(record, value)| {
                let (item, repeat) = key(value);
                let item = *positions.get(item)?;
                Some(Place {
                    item,
                    repeat,
                    record,
                })
            })
            .collect();
        places.par_sort_unstable();
        let mut starts = vec![0; positions.len() + 1];
        for place in &places {
            starts[place.item as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self {
            records,
            places,
            starts,
        }
    }

    fn of_item(&self, position: usize) -> &[Place] {
        &self.places[self.starts[position]..self.starts[position + 1]]
    }

    fn of_repeat(&self, places: &[Place], repeat: u32) -> impl DoubleEndedIterator<Item = &'a T> {
        let start = places.partition_point(|place| place.repeat < repeat);
        let end = places.partition_point(|place| place.repeat <= repeat);
        places[start..end]
            .iter()
            .map(|place| &self.records[place.record as usize])
    }
}

fn distinct_repeats(places: &[Place]) -> Vec<u32> {
    let mut repeats: Vec<u32> = places.iter().map(|place| place.repeat).collect();
    repeats.dedup();
    if repeats.is_empty() {
        repeats.push(0);
    }
    repeats
}
