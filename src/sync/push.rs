//! From a run folder to a store: pictures, then the journals that name them, then the rest.

use super::error::SyncError;
use super::lines::{are_in, pictures, whole};
use super::listed::{Listed, PICTURES, by_name, file, files, is_journal, is_of, is_of_a_shard};
use super::store::{Source, Store};
use crate::files::FileError;
use crate::run::{RunFolder, Shard, Stream};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What one process made in a run folder and sends to a store, as it grows.
#[derive(Debug)]
pub struct Outbox {
    store: Store,
    root: PathBuf,
    /// The journals that the process writes.
    journals: Vec<String>,
    /// The shard, and for a whole run `None`.
    shard: Option<Shard>,
    /// What is in the store, by name: as it was listed in the beginning, and as it was sent since.
    there: BTreeMap<String, Listed>,
}

impl Outbox {
    /// What a shard or a whole run makes in a folder. The place in the store is looked at once.
    ///
    /// # Errors
    /// Fails if the store refuses.
    pub fn open(
        store: &Store,
        folder: &RunFolder,
        shard: Option<Shard>,
    ) -> Result<Self, SyncError> {
        let name = |stream| {
            let path = folder.stream(stream, shard);
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        Ok(Self {
            store: store.clone(),
            root: folder.root().to_owned(),
            journals: [Stream::Outputs, Stream::Evidence]
                .into_iter()
                .filter_map(name)
                .collect(),
            shard,
            there: in_store(store)?,
        })
    }

    /// Sends what is new. Returns how many files that were.
    ///
    /// # Errors
    /// Fails if a file cannot be read, or the store refuses. Sending again goes on.
    pub fn send(&mut self) -> Result<usize, SyncError> {
        // As they are now: a line that comes later may name a picture that is not sent below.
        let journals = read_journals(&self.root, self.journals.clone())?;
        let mut named = BTreeSet::new();
        for (_, bytes) in &journals {
            named.extend(pictures(bytes, &|_| true));
        }
        let named = named.iter().filter_map(|name| file(&self.root, name));
        let mut sent = self.send_files(named.collect())?;
        sent += self.send_journals(journals)?;
        let rest = files(&self.root, &[PICTURES])?.into_iter();
        let rest: Vec<Listed> = rest.filter(|file| self.is_own(&file.name)).collect();
        sent += self.send_files(rest)?;
        Ok(sent)
    }

    /// Whether a file that is no picture and no journal is written by this process.
    fn is_own(&self, name: &str) -> bool {
        if is_journal(name) {
            return false;
        }
        let Some(shard) = self.shard else {
            return !is_of_a_shard(name);
        };
        let of_all = [
            "items.jsonl",
            "manifest.json",
            "manifest.whole.json",
            "division.json",
        ];
        of_all.contains(&name) || is_of(shard, name)
    }

    fn send_files(&mut self, files: Vec<Listed>) -> Result<usize, SyncError> {
        let new: Vec<Listed> = files
            .into_iter()
            .filter(|file| !is_same(self.there.get(&file.name), file))
            .collect();
        let objects = new
            .iter()
            .map(|file| (file.name.clone(), Source::File(self.root.join(&file.name))));
        self.store.put_all(objects.collect())?;
        let count = new.len();
        self.there
            .extend(new.into_iter().map(|file| (file.name.clone(), file)));
        Ok(count)
    }

    fn send_journals(&mut self, journals: Vec<(Listed, Vec<u8>)>) -> Result<usize, SyncError> {
        let (mut objects, mut known) = (Vec::new(), Vec::new());
        for (about, bytes) in journals {
            if !is_same(self.there.get(&about.name), &about) {
                objects.push((about.name.clone(), Source::Bytes(bytes)));
                known.push((about.name.clone(), about));
            }
        }
        self.store.put_all(objects)?;
        let count = known.len();
        self.there.extend(known);
        Ok(count)
    }
}

/// Copies a run folder into a store.
///
/// # Errors
/// Fails if a file cannot be read, the store refuses, or has lines of a shard that the folder does not have.
pub fn push(store: &Store, folder: &RunFolder) -> Result<usize, SyncError> {
    let there = in_store(store)?;
    let all = files(folder.root(), &[])?;
    let names = all.iter().map(|file| file.name.clone());
    let journals = read_journals(
        folder.root(),
        names.filter(|name| is_journal(name)).collect(),
    )?;
    for (about, bytes) in &journals {
        let Some(stored) = there.get(&about.name) else {
            continue;
        };
        // Another process joined the journals of the shards before.
        if !is_of_a_shard(&about.name) && about.modified > stored.modified {
            continue;
        }
        let stored = store.get(&about.name)?;
        if stored.is_some_and(|stored| !are_in(&stored.bytes, bytes)) {
            return Err(SyncError::Behind {
                at: store.address().below(&about.name)?.to_string(),
                file: folder.root().join(&about.name).display().to_string(),
            });
        }
    }
    let mut outbox = Outbox {
        store: store.clone(),
        root: folder.root().to_owned(),
        journals: Vec::new(),
        shard: None,
        there,
    };
    let (shown, rest): (Vec<Listed>, Vec<Listed>) = all
        .into_iter()
        .filter(|file| !is_journal(&file.name))
        .partition(|file| file.name.starts_with(PICTURES));
    Ok(outbox.send_files(shown)? + outbox.send_journals(journals)? + outbox.send_files(rest)?)
}

/// The whole lines of journals, with the state that they had before.
fn read_journals(root: &Path, names: Vec<String>) -> Result<Vec<(Listed, Vec<u8>)>, SyncError> {
    let mut journals = Vec::new();
    for name in names {
        let Some(mut about) = file(root, &name) else {
            continue;
        };
        let path = root.join(&name);
        let bytes = std::fs::read(&path).map_err(FileError::of_action("cannot read", &path))?;
        let bytes = whole(&bytes).to_vec();
        about.size = bytes.len() as u64;
        journals.push((about, bytes));
    }
    Ok(journals)
}

/// What is in a store. Some stores tell the second only in which an object was written, so it counts as written
/// at the second's end.
fn in_store(store: &Store) -> Result<BTreeMap<String, Listed>, SyncError> {
    let mut there = by_name(store.list()?);
    for one in there.values_mut() {
        one.modified += Duration::from_secs(1);
    }
    Ok(there)
}

/// Whether the store has a file as it is.
fn is_same(stored: Option<&Listed>, file: &Listed) -> bool {
    stored.is_some_and(|stored| stored.size == file.size && stored.modified >= file.modified)
}
