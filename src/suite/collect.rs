//! Items with the places that they come from, and what is wrong with the other records.

use crate::config::Flaw;
use crate::formats::Place;
use crate::record::{Item, Tags};
use crate::suite::error::{Problem, SuiteError};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Most different sets of tags that are remembered for sharing.
const SHARED_TAGS: usize = 4096;

/// The items of a source, as they are made.
#[derive(Default)]
pub(super) struct Collected {
    /// Faults whose records are left out.
    leave_out: Vec<Flaw>,
    /// How many records were left out, by fault.
    left_out: BTreeMap<&'static str, (Flaw, usize)>,
    items: Vec<Item>,
    /// The number and the place of the record of each item, in the order of `items`.
    places: Vec<(usize, Place)>,
    problems: Vec<Problem>,
    tags: HashSet<Tags>,
}

/// The items of a source.
#[derive(Debug)]
pub(super) struct Items {
    pub items: Vec<Item>,
    /// How many records were left out and why.
    pub left_out: Vec<String>,
}

impl Collected {
    pub(super) fn new(leave_out: &[Flaw]) -> Self {
        Self {
            leave_out: leave_out.to_vec(),
            ..Self::default()
        }
    }

    /// Adds the items of the `number`-th record.
    pub(super) fn add(&mut self, number: usize, place: &Place, items: Vec<Item>) {
        for mut item in items {
            share(&mut self.tags, &mut item.tags);
            self.places.push((number, place.clone()));
            self.items.push(item);
        }
    }

    /// Adds what is wrong with a record, or leaves the record out.
    pub(super) fn problem(&mut self, problem: Problem) {
        match problem.flaw().filter(|flaw| self.leave_out.contains(flaw)) {
            Some(flaw) => self.left_out.entry(flaw.name()).or_insert((flaw, 0)).1 += 1,
            None => self.problems.push(problem),
        }
    }

    /// Puts the items into the order of their records.
    pub(super) fn sort(&mut self) {
        let items = std::mem::take(&mut self.items);
        let mut all: Vec<_> = std::mem::take(&mut self.places)
            .into_iter()
            .zip(items)
            .collect();
        all.sort_by_key(|((number, _), _)| *number);
        (self.places, self.items) = all.into_iter().unzip();
    }

    /// The items.
    ///
    /// # Errors
    /// Fails if any record was broken, or an id comes twice.
    pub(super) fn finish(mut self, source: &str) -> Result<Items, SuiteError> {
        repeated(&self.items, &self.places, &mut self.problems);
        unfounded(&self.items, &self.places, &mut self.problems);
        if self.problems.is_empty() {
            Ok(Items {
                items: self.items,
                left_out: (self.left_out.values())
                    .map(|(flaw, count)| flaw.note(*count))
                    .collect(),
            })
        } else {
            Err(SuiteError::broken(source, self.problems))
        }
    }
}

/// Lets items with the same tags share them: there are few sets of tags, and there may be a million items.
fn share(seen: &mut HashSet<Tags>, tags: &mut Tags) {
    match seen.get(tags) {
        Some(same) => *tags = same.clone(),
        None if seen.len() < SHARED_TAGS => {
            seen.insert(tags.clone());
        }
        None => {}
    }
}

/// Ids that an earlier item has too.
fn repeated(items: &[Item], places: &[(usize, Place)], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&str, &Place> = HashMap::with_capacity(items.len());
    for (Item { item, .. }, (_, place)) in items.iter().zip(places) {
        match seen.entry(item) {
            Entry::Vacant(entry) => {
                entry.insert(place);
            }
            Entry::Occupied(first) => {
                let message = format!("the id `{item}` was used before, at {}", first.get());
                problems.push(Problem::new(place.clone(), message));
            }
        }
    }
}

/// Items that start from the output of an item which does not come before them.
fn unfounded(items: &[Item], places: &[(usize, Place)], problems: &mut Vec<Problem>) {
    if items.iter().all(|item| item.input_from().is_none()) {
        return;
    }
    let mut seen: HashSet<&str> = HashSet::with_capacity(items.len());
    for (item, (_, place)) in items.iter().zip(places) {
        if let Some(from) = item.input_from().filter(|from| !seen.contains(from)) {
            let message = format!(
                "`{}` starts from the output of `{from}` (`input_from`), but no earlier item has this id",
                item.item
            );
            problems.push(Problem::new(place.clone(), message));
        }
        seen.insert(&item.item);
    }
}
