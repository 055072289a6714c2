//! What is left to do: compares the journals of a run folder with what is asked now.

use super::asked::Asked;
use super::chain::{Inputs, Slot};
use super::error::RunError;
use super::fingerprint::{Fingerprints, evidence_fingerprint, hash_of_content};
use super::folder::{RunFolder, Stream};
use super::journal::Journals;
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
    /// Lines of other journals that count for this execution, which its own journals get.
    pub(super) adopted: Vec<(Stream, Vec<u8>)>,
    /// How many outputs are among them.
    pub adopted_outputs: usize,
    /// Remarks about the journal.
    pub notes: Vec<String>,
}

/// The journals that a plan reads: first that of this execution, then those of processes that had other
/// shards. The other shards of the same division have other outputs, so theirs are not read.
///
/// # Errors
/// Fails if the folder cannot be listed, or a journal cannot be read.
pub(super) fn journals(
    folder: &RunFolder,
    stream: Stream,
    asked: &Asked<'_>,
    others: bool,
) -> Result<Journals, RunError> {
    let own = asked.shard;
    let mut paths = vec![folder.stream(stream, own)];
    if others && folder.root().is_dir() {
        let shards = folder.shards(stream)?.into_iter();
        let of_others = shards
            .filter(|shard| own.is_none_or(|own| own.count() != shard.count()))
            .map(|shard| folder.stream(stream, Some(shard)));
        paths.extend(own.map(|_| folder.stream(stream, None)));
        paths.extend(of_others);
    }
    Journals::read(paths)
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
        let outputs = journals(folder, Stream::Outputs, asked, true)?;
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

impl EvidenceKey<'_> {
    /// The fingerprint of what was seen. Empty if nothing was.
    fn valid_print(&self) -> &str {
        if self.error.is_some() {
            ""
        } else {
            &self.fingerprint
        }
    }
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
    outputs: &Journals,
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
    let own = outputs.own();
    let mut last: Vec<Option<usize>> = vec![None; asked.items.len() * asked.repeats as usize];
    let mut elsewhere: HashMap<Slot, Vec<usize>> = HashMap::new();
    for (line, key) in keys.iter().enumerate() {
        match slot(&key.item, key.repeat) {
            Some(slot) if line < own => last[slot] = Some(line),
            Some(slot) => elsewhere.entry(slot).or_default().push(line),
            None => {}
        }
    }
    let mut plan = Plan {
        notes: outputs.note().into_iter().cloned().collect(),
        ..Plan::default()
    };
    let mut good = Vec::new();
    // Whether an output is right depends on the output that it starts from.
    for slots in by_depth(asked) {
        let states: Vec<(Slot, State)> = slots
            .into_par_iter()
            .map(|slot| {
                let found = |line: usize| {
                    let record = Some((line, &keys[line]));
                    state(folder, asked, prints, &plan.inputs, slot, record)
                };
                let own = last[slot].map_or(State::Absent, found);
                if matches!(own, State::Good(_)) {
                    return (slot, own);
                }
                let others = elsewhere.get(&slot).into_iter().flatten().rev();
                let mut others = others.map(|line| found(*line));
                let good = others.find(|state| matches!(state, State::Good(_)));
                (slot, good.unwrap_or(own))
            })
            .collect();
        for (slot, state) in states {
            match state {
                State::Good(line) => {
                    if line >= own {
                        let raw = outputs.raw(line).to_vec();
                        plan.adopted.push((Stream::Outputs, raw));
                        plan.adopted_outputs += 1;
                    }
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
    if !observers.is_empty() {
        let seen = journals(folder, Stream::Evidence, asked, prints.is_some())?;
        let looked = unseen(asked, observers, outputs, &seen, good, &plan.inputs, &slot)?;
        let lines = looked.iter().flat_map(|(_, adopted)| adopted);
        let lines = lines.map(|line| (Stream::Evidence, seen.raw(*line).to_vec()));
        plan.adopted.extend(lines);
        plan.observe = looked.into_iter().filter_map(|(look, _)| look).collect();
    }
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

/// An output that some observer has to look at, with the line of its record.
type Unseen = Option<(Slot, usize)>;

/// The good outputs that lack valid evidence of some observer, and the lines of valid evidence in other
/// journals. An output for which there is neither is left out.
fn unseen(
    asked: &Asked<'_>,
    observers: &[Box<dyn Observer>],
    outputs: &Journals,
    lines: &Journals,
    good: Vec<(Slot, usize)>,
    inputs: &Inputs,
    slot: &dyn Fn(&str, u32) -> Option<Slot>,
) -> Result<Vec<(Unseen, Vec<usize>)>, RunError> {
    let seen: Vec<EvidenceKey<'_>> = lines.parse()?;
    let own = lines.own();
    let mut valid: HashMap<(Slot, &str), &str> = HashMap::with_capacity(own);
    let mut elsewhere: HashMap<(Slot, &str), Vec<usize>> = HashMap::new();
    for (line, key) in seen.iter().enumerate() {
        let Some(slot) = slot(&key.item, key.repeat) else {
            continue;
        };
        let about = (slot, key.observer.as_ref());
        if line < own {
            valid.insert(about, key.valid_print());
        } else {
            elsewhere.entry(about).or_default().push(line);
        }
    }
    good.into_par_iter()
        .map(|(slot, line)| {
            let Content { sha256, text } = outputs.parse_one(line)?;
            let content = hash_of_content(sha256.as_deref(), text.as_deref());
            let item = asked.item(slot, inputs);
            let plain = asked.item_and_repeat(slot).0;
            let item = item.unwrap_or(Cow::Borrowed(plain));
            let (mut stale, mut adopted) = (false, Vec::new());
            for observer in observers {
                let about = (slot, observer.name());
                let print =
                    evidence_fingerprint(observer.as_ref(), (plain, &item), asked.base, &content);
                if valid.get(&about).copied() == Some(print.as_str()) {
                    continue;
                }
                let mut others = elsewhere.get(&about).into_iter().flatten().rev();
                match others.find(|line| seen[**line].valid_print() == print) {
                    Some(line) => adopted.push(*line),
                    None => stale = true,
                }
            }
            let unseen = stale.then_some((slot, line));
            let matters = unseen.is_some() || !adopted.is_empty();
            Ok(matters.then_some((unseen, adopted)))
        })
        .filter_map(Result::transpose)
        .collect()
}
