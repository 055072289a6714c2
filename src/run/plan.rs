//! What is left to do: compares the journals of a run folder with what is asked now.

use super::asked::Asked;
use super::chain::{Inputs, Slot};
use super::error::RunError;
use super::fingerprint::{Fingerprints, evidence_fingerprint, hash_of_content};
use super::folder::{RunFolder, Stream};
use super::journal::Lines;
use crate::observe::Observer;
use crate::record::{Item, Output};
use rayon::prelude::*;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;

/// What is left to do and what is already there.
#[derive(Debug, Default)]
pub struct Plan {
    /// Outputs to make.
    pub generate: Vec<Slot>,
    /// Good outputs that some observer has not seen: slot and line of the outputs journal.
    pub observe: Vec<(Slot, usize)>,
    /// Good outputs.
    pub done: usize,
    /// Outputs made with other settings or for another wording of the item.
    pub stale: usize,
    /// Outputs that failed before and are tried again.
    pub retried: usize,
    /// Good records whose picture is gone.
    pub lost: usize,
    /// Good outputs that others start from.
    pub inputs: Inputs,
    /// Remarks about the journal.
    pub notes: Vec<String>,
}

impl Plan {
    /// What is left to make. `identity` is everything that shapes an output beside the item and the seed. It
    /// writes nothing.
    ///
    /// # Errors
    /// Fails if the journals of the folder cannot be read.
    pub fn of_outputs(
        folder: &RunFolder,
        asked: &Asked<'_>,
        identity: &serde_json::Value,
    ) -> Result<Self, RunError> {
        let outputs = Lines::read(&folder.stream(Stream::Outputs, asked.shard))?;
        let prints = Fingerprints::new(asked, identity)?;
        plan(folder, asked, Some(&prints), &[], &outputs)
    }
}

#[derive(Deserialize)]
struct OutputKey<'a> {
    #[serde(borrow)]
    item: Cow<'a, str>,
    repeat: u32,
    #[serde(borrow, default)]
    fingerprint: Cow<'a, str>,
    #[serde(default)]
    error: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    file: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

#[derive(Deserialize)]
struct EvidenceKey<'a> {
    #[serde(borrow)]
    item: Cow<'a, str>,
    #[serde(default)]
    repeat: u32,
    #[serde(borrow)]
    observer: Cow<'a, str>,
    #[serde(borrow, default)]
    fingerprint: Cow<'a, str>,
    #[serde(default)]
    error: Option<serde::de::IgnoredAny>,
}

/// The place of each item, by its id.
fn places(items: &[Item]) -> HashMap<&str, usize> {
    items
        .iter()
        .enumerate()
        .map(|(place, item)| (item.item.as_str(), place))
        .collect()
}

/// Compares the folder with what is asked. `prints` is `None` when the outputs are only observed, as they
/// are.
///
/// # Errors
/// Fails if a journal cannot be read.
pub(super) fn plan(
    folder: &RunFolder,
    asked: &Asked<'_>,
    prints: Option<&Fingerprints>,
    observers: &[Box<dyn Observer>],
    outputs: &Lines,
) -> Result<Plan, RunError> {
    let places = places(asked.items);
    let slot = |item: &str, repeat: u32| {
        (repeat < asked.repeats)
            .then(|| {
                places
                    .get(item)
                    .map(|place| place * asked.repeats as usize + repeat as usize)
            })
            .flatten()
    };
    let keys: Vec<OutputKey<'_>> = outputs.parse()?;
    let mut last: Vec<Option<usize>> = vec![None; asked.items.len() * asked.repeats as usize];
    for (line, key) in keys.iter().enumerate() {
        if let Some(slot) = slot(&key.item, key.repeat) {
            last[slot] = Some(line);
        }
    }
    let mut plan = Plan {
        notes: outputs.note.iter().cloned().collect(),
        ..Plan::default()
    };
    let mut good = Vec::new();
    // Whether an output is right depends on the output that it starts from.
    for slots in by_depth(asked) {
        let states: Vec<(Slot, State)> = slots
            .into_par_iter()
            .map(|slot| {
                let record = last[slot].map(|line| (line, &keys[line]));
                (
                    slot,
                    state(folder, asked, prints, &plan.inputs, slot, record),
                )
            })
            .collect();
        for (slot, state) in states {
            match state {
                State::Good(line) => {
                    if asked.after(slot).next().is_some() {
                        let output: Output = outputs.parse_one(line)?;
                        plan.inputs.add_output(slot, &output, folder.root());
                    }
                    good.push((slot, line));
                }
                State::Stale => plan.stale += 1,
                State::Failed => plan.retried += 1,
                State::Lost => plan.lost += 1,
                State::Absent => {}
            }
            if !matches!(state, State::Good(_)) && prints.is_some() {
                plan.generate.push(slot);
            }
        }
    }
    plan.done = good.len();
    plan.observe = unseen(folder, asked, observers, outputs, good, &plan.inputs, &slot)?;
    Ok(plan)
}

/// The slots of this process, those that begin chains first.
fn by_depth(asked: &Asked<'_>) -> Vec<Vec<Slot>> {
    let mut levels: Vec<Vec<Slot>> = Vec::new();
    for slot in asked.slots() {
        let depth = asked.chains.depth(slot / asked.repeats as usize);
        while levels.len() <= depth {
            levels.push(Vec::new());
        }
        levels[depth].push(slot);
    }
    levels
}

#[derive(Clone, Copy)]
enum State {
    Absent,
    Failed,
    Stale,
    Lost,
    Good(usize),
}

fn state(
    folder: &RunFolder,
    asked: &Asked<'_>,
    prints: Option<&Fingerprints>,
    inputs: &Inputs,
    slot: Slot,
    record: Option<(usize, &OutputKey<'_>)>,
) -> State {
    let Some((line, key)) = record else {
        return State::Absent;
    };
    if key.error.is_some() {
        State::Failed
    } else if prints.is_some_and(|prints| prints.output(asked, slot, inputs) != key.fingerprint) {
        State::Stale
    } else if key
        .file
        .as_ref()
        .is_some_and(|file| !folder.root().join(file).is_file())
    {
        State::Lost
    } else {
        State::Good(line)
    }
}

/// The good outputs that lack valid evidence of some observer.
fn unseen(
    folder: &RunFolder,
    asked: &Asked<'_>,
    observers: &[Box<dyn Observer>],
    outputs: &Lines,
    good: Vec<(Slot, usize)>,
    inputs: &Inputs,
    slot: &dyn Fn(&str, u32) -> Option<Slot>,
) -> Result<Vec<(Slot, usize)>, RunError> {
    if observers.is_empty() {
        return Ok(Vec::new());
    }
    let lines = Lines::read(&folder.stream(Stream::Evidence, asked.shard))?;
    let seen: Vec<EvidenceKey<'_>> = lines.parse()?;
    let mut valid: HashMap<(Slot, &str), &str> = HashMap::with_capacity(seen.len());
    for key in &seen {
        if let Some(slot) = slot(&key.item, key.repeat) {
            let print = if key.error.is_some() {
                ""
            } else {
                key.fingerprint.as_ref()
            };
            valid.insert((slot, key.observer.as_ref()), print);
        }
    }
    good.into_par_iter()
        .map(|(slot, line)| {
            let Content { sha256, text } = outputs.parse_one(line)?;
            let content = hash_of_content(sha256.as_deref(), text.as_deref());
            let item = asked.item(slot, inputs);
            let plain = asked.item_and_repeat(slot).0;
            let item = item.unwrap_or(Cow::Borrowed(plain));
            let stale = observers.iter().any(|observer| {
                let print =
                    evidence_fingerprint(observer.as_ref(), (plain, &item), asked.base, &content);
                valid.get(&(slot, observer.name())).copied() != Some(print.as_str())
            });
            Ok(stale.then_some((slot, line)))
        })
        .filter_map(Result::transpose)
        .collect()
}
