//! How much of each shard is done.

use super::chain::Chains;
use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::manifest::Manifest;
use super::shard::Shard;
use super::sources::Sources;
use crate::record::Item;
use serde::Serialize;
use std::collections::HashMap;

/// The outputs of a shard, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Which one. `None` is a run that is not divided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Outputs that it shall make.
    pub planned: usize,
    /// Outputs that are there, whoever made them.
    pub done: usize,
    /// Outputs that could not be made.
    pub failed: usize,
}

impl Tally {
    /// Outputs that nobody tried to make yet.
    pub fn missing(&self) -> usize {
        self.planned.saturating_sub(self.done + self.failed)
    }

    /// Counts the outputs of every shard of a run that is divided into `count`, from all journals. A `count`
    /// of `None` gives one tally of the whole run.
    ///
    /// # Errors
    /// Fails if a journal is damaged.
    pub fn of_run(
        folder: &RunFolder,
        run: &Manifest,
        items: &[Item],
        count: Option<usize>,
    ) -> Result<Vec<Self>, RunError> {
        let (sources, _) = Sources::read(folder, Stream::Outputs, run)?;
        let chosen = sources.choose(run)?;
        let states = chosen.iter();
        let states =
            states.map(|((item, repeat, _), choice)| (item.as_str(), *repeat, choice.failed));
        Ok(Self::count(run.repeats, items, count, states))
    }

    /// Counts outputs by their shards. Each state is an item, its repeat, and whether the output failed.
    pub(super) fn count<'a>(
        repeats: u32,
        items: &[Item],
        count: Option<usize>,
        states: impl Iterator<Item = (&'a str, u32, bool)>,
    ) -> Vec<Self> {
        let chains = Chains::of_items(items);
        let number = |place: usize| chains.number(place) % count.unwrap_or(1);
        let shards: Vec<Option<Shard>> = match count {
            Some(count) => Shard::all_parts(count).map(Some).collect(),
            None => vec![None],
        };
        let empty = |shard| Self {
            shard,
            planned: 0,
            done: 0,
            failed: 0,
        };
        let mut tallies: Vec<Self> = shards.into_iter().map(empty).collect();
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            tallies[number(place)].planned += repeats as usize;
            places.insert(&item.item, place);
        }
        for (item, repeat, failed) in states {
            let Some(place) = places.get(item).filter(|_| repeat < repeats) else {
                continue;
            };
            let tally = &mut tallies[number(*place)];
            if failed {
                tally.failed += 1;
            } else {
                tally.done += 1;
            }
        }
        tallies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_counted_by_the_shard_of_their_item() {
        let item = |id: usize| {
            let item =
                serde_json::json!({"item": id.to_string(), "task": "understand", "prompt": ""});
            serde_json::from_value::<Item>(item).unwrap()
        };
        let items: Vec<Item> = (0..5).map(item).collect();
        // Item 9 is nobody's, and the fourth repeat of item 1 is not asked for.
        let states = [
            ("0", 0, false),
            ("2", 1, true),
            ("1", 0, false),
            ("1", 3, false),
            ("9", 0, false),
        ];
        let tallies = Tally::count(2, &items, Some(2), states.into_iter());
        let numbers: Vec<[usize; 4]> = tallies
            .iter()
            .map(|tally| [tally.planned, tally.done, tally.failed, tally.missing()])
            .collect();
        assert_eq!(numbers, [[6, 1, 1, 4], [4, 1, 0, 3]]);
        let whole = Tally::count(2, &items, None, states.into_iter());
        assert_eq!(
            (whole.len(), whole[0].planned, whole[0].missing()),
            (1, 10, 7)
        );
    }
}
