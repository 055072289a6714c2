//! Probes that need two runs: a restorer and a reader on the same ladder of noise.

use super::{SessionError, TitledSummary, open_graded};
use crate::grade::{NoisePair, excess_in_words, missed_sources, noise_pairs};
use crate::record::{Grade, Item, Task};
use crate::run::{Manifest, RunFolder, read_all};
use crate::stats::shared::Shared;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// The rule of the suites with a ladder of noise.
const NOISE: &str = "noise";
/// The generator of controls, and the controls that may stand for a model: both make mistakes of their own.
const CONTROL: &str = "control";
const MISTAKEN: [&str; 2] = ["caption", "other"];
/// The control that shows the noisy picture itself, and the one that shows the clean picture.
const IDENTITY: &str = "identity";
const CLEAN: &str = "clean";

/// Compares a graded run of a suite that restores with one of a suite that reads, by kind of noise. Both
/// suites have the same ladder, such as `mini-noise-restore` and `mini-noise-read`. Outputs without a
/// counterpart are left out, and so are the sources that the reader misses without noise.
///
/// # Errors
/// Fails if one of them is not a run folder, or is not graded yet.
pub fn read_noise_pairs(
    restored: &Path,
    read: &Path,
) -> Result<BTreeMap<String, NoisePair>, SessionError> {
    let [restored, read] = [restored, read].map(|run| -> Result<Climb, SessionError> {
        let (folder, manifest) = open_graded(run)?;
        Climb::read(0, &folder, &manifest)
    });
    let (restored, read) = (restored?, read?);
    let missed = missed_sources(&read.items, &read.grades);
    Ok(restored.beside(&read, &missed))
}

/// Adds a note to each run that restores pictures on a ladder of noise: how far it is from the runs that read
/// the same pictures, and which mistakes they share. `runs` are the folders of the summaries. A restorer is
/// compared with the runs of its own model if there are any, and otherwise with all readers.
///
/// # Errors
/// Fails if a run's records are damaged.
pub fn note_noise_pairs(
    runs: &[PathBuf],
    summaries: &mut [TitledSummary],
) -> Result<(), SessionError> {
    for (run, note) in noise_notes(runs)? {
        summaries[run].summary.notes.push(note);
    }
    Ok(())
}

/// The places of each restorer and each reader of the same pictures among runs.
///
/// # Errors
/// Fails if a run's records are damaged.
pub(super) fn noise_counterparts(runs: &[PathBuf]) -> Result<Vec<[usize; 2]>, SessionError> {
    let climbs = climbs(runs)?;
    let restorers = climbs.iter().filter(|climb| climb.restores());
    let pairs = restorers.flat_map(|restorer| {
        let readers = climbs.iter().filter(|climb| climb.is_read_of(restorer));
        readers.map(|reader| [restorer.place, reader.place])
    });
    Ok(pairs.collect())
}

/// The runs on a ladder of noise.
///
/// # Errors
/// Fails if a run's records are damaged.
fn climbs(runs: &[PathBuf]) -> Result<Vec<Climb>, SessionError> {
    let mut climbs = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        let (folder, manifest) = open_graded(run)?;
        let suite = manifest.suite.typed();
        if suite.is_ok_and(|suite| suite.grade.rule == NOISE) {
            climbs.push(Climb::read(place, &folder, &manifest)?);
        }
    }
    Ok(climbs)
}

/// The notes on pairs of runs, each with the place of the run that restores.
///
/// # Errors
/// Fails if a run's records are damaged.
pub(super) fn noise_notes(runs: &[PathBuf]) -> Result<Vec<(usize, String)>, SessionError> {
    let climbs = climbs(runs)?;
    let mut notes = Vec::new();
    for restorer in climbs.iter().filter(|climb| climb.restores()) {
        let readers = climbs.iter().filter(|climb| climb.is_read_of(restorer));
        let (own, others): (Vec<&Climb>, Vec<&Climb>) =
            readers.partition(|reader| reader.model == restorer.model);
        let looked: Vec<&Climb> = climbs
            .iter()
            .filter(|climb| climb.shows_no_answer() && climb.shares_items(restorer))
            .collect();
        for reader in if own.is_empty() { others } else { own } {
            let told = told(restorer, reader, &looked);
            notes.extend(told.into_iter().map(|note| (restorer.place, note)));
        }
    }
    Ok(notes)
}

/// A graded run on a ladder of noise.
struct Climb {
    /// The place of the run among those of the caller.
    place: usize,
    model: String,
    title: String,
    task: Task,
    /// Which control it is. `None` for a model.
    control: Option<String>,
    items: Vec<Item>,
    grades: Vec<Grade>,
}

impl Climb {
    /// # Errors
    /// Fails if a file is damaged.
    fn read(place: usize, folder: &RunFolder, manifest: &Manifest) -> Result<Self, SessionError> {
        let suite = super::grading::manifest_suite(manifest)?;
        let model = manifest.model.typed().ok();
        let control = model.filter(|model| model.generator == CONTROL);
        let control = control.and_then(|model| model.settings["control"].as_str());
        Ok(Self {
            place,
            model: manifest.model.name().to_owned(),
            title: manifest.model.title().to_owned(),
            task: suite.task,
            control: control.map(str::to_owned),
            items: read_all(&folder.items())?,
            grades: read_all(&folder.grades())?,
        })
    }

    fn restores(&self) -> bool {
        let control = self.control.as_deref();
        self.task == Task::Edit && control.is_none_or(|control| MISTAKEN.contains(&control))
    }

    /// Whether its pictures are the noisy or the clean ones, so that its grades are those of the reader of
    /// pictures alone.
    fn shows_no_answer(&self) -> bool {
        let control = self.control.as_deref();
        self.task == Task::Edit
            && control.is_some_and(|control| [IDENTITY, CLEAN].contains(&control))
    }

    fn is_read_of(&self, restorer: &Self) -> bool {
        self.task == Task::Understand && self.shares_items(restorer)
    }

    /// Whether both have an item of the same id with the same picture behind it.
    fn shares_items(&self, other: &Self) -> bool {
        let key = |item: &Item| {
            let shown = ["scene", "label"].map(|key| item.expect.get(key).cloned());
            (item.item.clone(), shown)
        };
        let first = self.items.first().map(key);
        first.is_some_and(|first| other.items.iter().any(|item| key(item) == first))
    }

    /// The pairs over the items that both runs have.
    fn beside(&self, other: &Self, missed: &BTreeSet<String>) -> BTreeMap<String, NoisePair> {
        let known: HashSet<&str> = other.items.iter().map(|item| item.item.as_str()).collect();
        let common = self.items.iter();
        let common = common.filter(|item| known.contains(item.item.as_str()));
        let common: Vec<Item> = common.cloned().collect();
        noise_pairs(&common, &self.grades, &other.grades, missed)
    }

    /// The sources of the items.
    fn sources(&self) -> BTreeSet<&str> {
        let sources = self
            .items
            .iter()
            .filter_map(|item| item.expect.get("source"));
        sources.filter_map(|source| source.as_str()).collect()
    }
}

/// A note for each kind of noise. `looked` are the controls whose grades say what the reader of pictures
/// itself makes of noisy and clean pictures.
fn told(restorer: &Climb, reader: &Climb, looked: &[&Climb]) -> Vec<String> {
    let readers = looked.iter().copied().chain([reader]);
    let missed: BTreeSet<String> = readers
        .flat_map(|run| missed_sources(&run.items, &run.grades))
        .collect();
    let identity = looked
        .iter()
        .find(|run| run.control.as_deref() == Some(IDENTITY));
    let biased = identity.map(|run| restorer.beside(run, &missed));
    let pairs = restorer.beside(reader, &missed).into_iter();
    let notes = pairs.map(|(kind, pair)| {
        let mut note = pair.in_words(&kind, [&restorer.title, &reader.title]);
        if let Some(own) = biased.as_ref().and_then(|pairs| pairs.get(&kind)) {
            note += &bias(&pair, own);
        }
        let left_out = missed
            .iter()
            .filter(|source| restorer.sources().contains(source.as_str()));
        let left_out = left_out.count();
        if left_out > 0 {
            let all = restorer.sources().len();
            note += &format!(
                " {left_out} of {all} sources are left out, since a reader misses them without noise."
            );
        }
        if restorer.model == reader.model {
            note += " Both answers are of one system.";
        }
        note
    });
    notes.collect()
}

/// Whether the reader of pictures alone explains what two models share: it reads the noisy pictures as a
/// third model does.
fn bias(pair: &NoisePair, own: &NoisePair) -> String {
    let Some(between) = pair.shared else {
        return String::new();
    };
    let Some(with_reader) = own.shared else {
        return " The reader of pictures, shown the noisy pictures, names nothing wrongly that the restorer does too."
            .to_owned();
    };
    let excess = |shared: Shared| shared.observed - shared.expected;
    let verdict = if excess(with_reader) >= excess(between) {
        "as much or more, so that the reader may explain what is shared"
    } else {
        "less"
    };
    format!(
        " The reader of pictures, shown the noisy pictures, shares with the restorer {}: {verdict}.",
        excess_in_words(&with_reader)
    )
}
