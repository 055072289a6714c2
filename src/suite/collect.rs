//! Items with the places they came from, and what is wrong with the others.

use crate::record::{Item, Tags};
use crate::suite::error::{Problem, SuiteError};
use crate::suite::read::Place;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// Most different sets of tags that are remembered for sharing.
const SHARED_TAGS: usize = 4096;

/// The items of a source, as they are made.
#[derive(Default)]
pub(super) struct Collected {
    items: Vec<Item>,
    /// Beside `items`: number of the record, and its place.
    places: Vec<(usize, Place)>,
    problems: Vec<Problem>,
    tags: HashSet<Tags>,
}

impl Collected {
    /// Adds the items of the `number`-th record.
    pub(super) fn add(&mut self, number: usize, place: &Place, items: Vec<Item>) {
        for mut item in items {
            share(&mut self.tags, &mut item.tags);
            self.places.push((number, place.clone()));
            self.items.push(item);
        }
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
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
    /// When any record was broken, or an id comes twice.
    pub(super) fn finish(mut self, source: &str) -> Result<Vec<Item>, SuiteError> {
        repeated(&self.items, &self.places, &mut self.problems);
        unfounded(&self.items, &self.places, &mut self.problems);
        match self.problems.is_empty() {
            true => Ok(self.items),
            false => Err(SuiteError::broken(source, self.problems)),
        }
    }
}

/// Lets items with the same tags share them: there are few sets of tags, and maybe a million items.
fn share(seen: &mut HashSet<Tags>, tags: &mut Tags) {
    match seen.get(tags) {
        Some(same) => *tags = same.clone(),
        None if seen.len() < SHARED_TAGS => {
            seen.insert(tags.clone());
        }
        None => {}
    }
}

/// Ids that an earlier item has, too.
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
                "`{}` starts from the output of `{from}` (`input_from`), and no item before it has this id",
                item.item
            );
            problems.push(Problem::new(place.clone(), message));
        }
        seen.insert(&item.item);
    }
}
