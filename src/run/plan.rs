//! What is left to do: compares the journals of a run folder with what is asked now.

use super::chain::{Chains, Inputs, starting_from};
use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::journal::Lines;
use super::seed::{derive_seed, fingerprint, item_fingerprint};
use super::shard::Shard;
use crate::files::sha256_hex;
use crate::observe::Observer;
use crate::record::{Item, Output};
use rayon::prelude::*;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// One output asked for, by its place: `item * repeats + repeat`.
pub type Slot = usize;

/// The outputs asked for.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The items.
    pub items: &'a [Item],
    /// Folder that input images are relative to.
    pub base: &'a Path,
    /// Number of outputs per item.
    pub repeats: u32,
    /// The run seed.
    pub seed: u64,
    /// The shard of this process.
    pub shard: Option<Shard>,
    /// Which items start from which.
    pub chains: Chains,
}

impl<'a> Asked<'a> {
    /// The item and repeat of a slot.
    pub fn of(&self, slot: Slot) -> (&'a Item, u32) {
        let repeats = self.repeats as usize;
        (
            &self.items[slot / repeats],
            u32::try_from(slot % repeats).unwrap_or(0),
        )
    }

    /// Seed of a slot.
    pub fn seed(&self, slot: Slot) -> u64 {
        let (item, repeat) = self.of(slot);
        derive_seed(self.seed, &item.item, repeat)
    }

    /// All slots of this process; a chain lies in one shard.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        let repeats = self.repeats as usize;
        (0..self.items.len() * repeats).filter(move |slot| {
            self.shard
                .is_none_or(|shard| shard.holds(self.chains.number(slot / repeats)))
        })
    }

    /// The slot whose output this one starts from.
    pub fn before(&self, slot: Slot) -> Option<Slot> {
        let repeats = self.repeats as usize;
        let before = self.chains.before(slot / repeats)?;
        Some(before * repeats + slot % repeats)
    }

    /// The slots that start from this one's output.
    pub fn after(&self, slot: Slot) -> impl Iterator<Item = Slot> {
        let repeats = self.repeats as usize;
        let after = self.chains.after(slot / repeats).iter();
        after.map(move |place| place * repeats + slot % repeats)
    }

    /// The item of a slot with the picture that it starts from.
    ///
    /// # Errors
    /// Why there is no such picture.
    pub fn item(&self, slot: Slot, inputs: &Inputs) -> Result<Cow<'a, Item>, String> {
        let item = self.of(slot).0;
        match self.before(slot) {
            None => Ok(Cow::Borrowed(item)),
            Some(before) => Ok(Cow::Owned(starting_from(item, inputs.get(before)?))),
        }
    }
}

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
    /// Remarks for the user.
    pub notes: Vec<String>,
}

/// Fingerprints that a good record must carry.
#[derive(Debug)]
pub struct Fingerprints {
    items: Vec<[u8; 16]>,
    stage: String,
}

impl Fingerprints {
    /// `identity` is all that shapes an output beside item and seed: generator, its settings, stored size.
    pub fn new(asked: &Asked<'_>, identity: &serde_json::Value) -> Self {
        let items = asked
            .items
            .par_iter()
            .map(|item| {
                let hashes: Vec<String> = item
                    .all_images()
                    .map(|path| file_hash(asked.base, path))
                    .collect();
                item_fingerprint(item, &hashes)
            })
            .collect();
        Self {
            items,
            stage: identity.to_string(),
        }
    }

    /// The fingerprint of one output; of one that starts from another, with the hash of that picture.
    pub fn output(&self, asked: &Asked<'_>, slot: Slot, inputs: &Inputs) -> String {
        let item = &self.items[slot / asked.repeats as usize];
        let seed = asked.seed(slot).to_le_bytes();
        let parts = [self.stage.as_bytes(), item, &seed];
        match asked.before(slot) {
            None => fingerprint(&parts),
            Some(before) => {
                let input = inputs.get(before).map(|input| input.sha256);
                fingerprint(&[&parts[..], &[input.unwrap_or_default().as_bytes()]].concat())
            }
        }
    }
}

fn file_hash(base: &Path, path: &str) -> String {
    std::fs::read(base.join(path)).map_or_else(|_| "absent".into(), |bytes| sha256_hex(&bytes))
}

/// The fingerprint of one observer's look at one output. Of the item as asked counts what it says, of the item with the picture
/// that it started from what its files hold: that picture lies wherever the run folder does.
pub fn evidence_fingerprint(
    observer: &dyn Observer,
    (plain, item): (&Item, &Item),
    base: &Path,
    content: &str,
) -> String {
    let mut asked = match observer.asked(plain) {
        serde_json::Value::Null => String::new(),
        asked => asked.to_string(),
    };
    for file in observer.files(item) {
        asked.push_str(&file_hash(base, &file));
    }
    let identity = observer.identity().to_string();
    let always = [
        observer.name().as_bytes(),
        identity.as_bytes(),
        content.as_bytes(),
    ];
    if asked.is_empty() {
        fingerprint(&always)
    } else {
        fingerprint(&[&always[..], &[asked.as_bytes()]].concat())
    }
}

/// Hash of what an output shows: of the file, or of the text.
pub fn content_hash(output: &Output) -> String {
    content(output.sha256.as_deref(), output.text.as_deref())
}

fn content(sha256: Option<&str>, text: Option<&str>) -> String {
    sha256.map_or_else(
        || sha256_hex(text.unwrap_or_default().as_bytes()),
        str::to_owned,
    )
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

/// Where each item stands, by id.
fn places(items: &[Item]) -> HashMap<&str, usize> {
    items
        .iter()
        .enumerate()
        .map(|(place, item)| (item.item.as_str(), place))
        .collect()
}

/// Compares the folder with what is asked. `prints` is None when outputs are only observed, as they are.
///
/// # Errors
/// When a journal cannot be read.
pub fn plan(
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
    // What is right depends on what it starts from.
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
                        plan.inputs.put(slot, &output, folder.root());
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

/// Of the good outputs, those that lack valid evidence of some observer.
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
            let content = content(sha256.as_deref(), text.as_deref());
            let item = asked.item(slot, inputs);
            let plain = asked.of(slot).0;
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
