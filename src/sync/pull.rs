//! From a store to a run folder: pictures, then the journals that name them, then the rest.

use super::error::SyncError;
use super::lines::{joined, pictures};
use super::listed::{
    Listed, by_name, file, is_beside, is_copied, is_journal, is_of, path_in, write_copy,
};
use super::store::Store;
use crate::files::{FileError, write_durable};
use crate::run::{RunFolder, Shard};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What of a run is wanted from a store.
pub enum Wanted<'a> {
    /// All of it.
    All,
    /// What was made before of one shard, or of the whole run: by that shard, or by somebody who divided the
    /// run otherwise.
    Part {
        /// The shard, and for the whole run `None`.
        shard: Option<Shard>,
        /// Whether the shard has an item.
        holds: &'a dyn Fn(&str) -> bool,
    },
}

impl Wanted<'_> {
    /// Whether a journal is read. The other shards of the same division make other outputs.
    fn has_journal(&self, name: &str) -> bool {
        match self {
            Self::All | Self::Part { shard: None, .. } => true,
            Self::Part {
                shard: Some(shard), ..
            } => is_of(*shard, name) || !is_beside(*shard, name),
        }
    }

    /// Whether something that is neither a journal nor a picture is fetched.
    fn has_other(&self, name: &str) -> bool {
        let Self::Part { shard, .. } = self else {
            return true;
        };
        let of_all = ["manifest.json", "manifest.whole.json", "division.json"];
        match shard {
            _ if of_all.contains(&name) => true,
            Some(shard) => is_of(*shard, name),
            None => name.starts_with("judge/"),
        }
    }

    fn has_item(&self, item: &str) -> bool {
        match self {
            Self::All => true,
            Self::Part { holds, .. } => holds(item),
        }
    }
}

/// Copies a run from a store into its folder. Lines that only the folder has stay there. Returns how many
/// files were written. The caller holds the folder's lock.
///
/// # Errors
/// Fails if the store refuses, or a file cannot be written. Pulling again goes on.
pub fn pull(store: &Store, folder: &RunFolder, wanted: &Wanted<'_>) -> Result<usize, SyncError> {
    let root = folder.root();
    let mut there = by_name(store.list()?);
    there.retain(|name, _| is_copied(name));
    let (journals, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
        there.into_iter().partition(|(name, _)| is_journal(name));
    let mut stored = Vec::new();
    let mut named = BTreeSet::new();
    for journal in journals
        .into_values()
        .filter(|one| wanted.has_journal(&one.name))
    {
        if let Some(content) = store.get(&journal.name)? {
            named.extend(pictures(&content.bytes, &|item| wanted.has_item(item)));
            stored.push((journal, content.bytes));
        }
    }
    let shown = named.iter().filter_map(|name| others.get(name));
    let mut written = fetch(store, root, shown)?;
    for (journal, bytes) in stored {
        let path = path_in(root, &journal.name)?;
        written += usize::from(join(&path, &bytes, journal.modified)?);
    }
    let rest = others.values();
    let rest = rest.filter(|one| !named.contains(&one.name) && wanted.has_other(&one.name));
    written += fetch(store, root, rest)?;
    Ok(written)
}

/// Fetches the objects that the folder does not have, or has as they were before.
fn fetch<'a>(
    store: &Store,
    root: &Path,
    objects: impl Iterator<Item = &'a Listed>,
) -> Result<usize, SyncError> {
    let mut new: Vec<(Listed, PathBuf)> = Vec::new();
    for object in objects {
        let path = path_in(root, &object.name)?;
        let local = file(root, &object.name);
        let is_newer = |local: &Listed| {
            local.modified > object.modified
                || (local.modified == object.modified && local.size == object.size)
        };
        if !local.as_ref().is_some_and(is_newer) {
            new.push((object.clone(), path));
        }
    }
    let count = new.len();
    store.get_all(new)?;
    Ok(count)
}

/// Joins a journal of the store with the local one. Returns whether that brought something.
fn join(path: &Path, stored: &[u8], modified: SystemTime) -> Result<bool, SyncError> {
    let failed = FileError::of_action("cannot read", path);
    let local = if path.is_file() {
        std::fs::read(path).map_err(failed)?
    } else {
        Vec::new()
    };
    match joined(&local, stored) {
        Some(all) if all == stored => write_copy(path, &all, modified)?,
        Some(all) => write_durable(path, &all)?,
        None => return Ok(false),
    }
    Ok(true)
}
