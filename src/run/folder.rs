//! The run folder: where each file is, and who may write.
//!
//! ```text
//! results/<suite>/<model>/<run>/
//!   manifest.json  items.jsonl  outputs.jsonl  outputs/  evidence.jsonl
//!   grades.jsonl  grades.parquet  summary.json  report/
//! ```
//!
//! A shard has a lock, journals, a manifest, signs of life and a `scratch` folder of its own: their names
//! have `.I-of-N`.

use super::error::RunError;
use super::journal::{LINES_AT_ONCE, to_lines, write_lines};
use super::shard::{self, Shard};
use crate::files::PARTIAL;
use crate::record::Item;
use std::path::{Path, PathBuf};

/// The journals of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// What was made: `outputs.jsonl`.
    Outputs,
    /// What observers saw: `evidence.jsonl`.
    Evidence,
}

impl Stream {
    /// The name of the journal's file, without its ending.
    pub fn stem(self) -> &'static str {
        match self {
            Self::Outputs => "outputs",
            Self::Evidence => "evidence",
        }
    }
}

/// A run folder by its path.
#[derive(Debug, Clone)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// The run folder at a path. The call reads and writes nothing.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The run folder at a path, which must already have a run.
    ///
    /// # Errors
    /// Fails if there is no manifest or no items in it.
    pub fn existing(root: impl Into<PathBuf>) -> Result<Self, RunError> {
        let folder = Self::at(root);
        for (path, what) in [
            (folder.manifest(), "manifest.json"),
            (folder.items(), "items.jsonl"),
        ] {
            if !path.is_file() {
                return Err(RunError::NotARun {
                    path: folder.root,
                    reason: format!("it has no {what}"),
                });
            }
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file with everything that is needed to repeat the run.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// The file of the items.
    pub fn items(&self) -> PathBuf {
        self.root.join("items.jsonl")
    }

    /// The file with a grade for each output.
    pub fn grades(&self) -> PathBuf {
        self.root.join("grades.jsonl")
    }

    /// The file of the grades as a table.
    pub fn grades_parquet(&self) -> PathBuf {
        self.root.join("grades.parquet")
    }

    /// The folder of the files that the benchmark's own scripts would write.
    pub fn official(&self) -> PathBuf {
        self.root.join("official")
    }

    /// The file of the run's numbers.
    pub fn summary(&self) -> PathBuf {
        self.root.join("summary.json")
    }

    /// The folder of tables, charts and the page.
    pub fn report(&self) -> PathBuf {
        self.root.join("report")
    }

    /// The folder of the pictures. Paths in `outputs.jsonl` are relative to [`Self::root`].
    pub fn outputs(&self) -> PathBuf {
        self.root.join("outputs")
    }

    /// The manifest that this execution writes: `manifest.json`, or the part of one shard.
    pub fn manifest_of(&self, shard: Option<Shard>) -> PathBuf {
        self.root.join(shard::file_name("manifest", shard, ".json"))
    }

    /// The manifest of the whole run, kept when a shard with other settings writes `manifest.json`. It says
    /// how `outputs.jsonl` was made.
    pub(super) fn manifest_of_whole(&self) -> PathBuf {
        self.root.join("manifest.whole.json")
    }

    /// The file in which a shard says how far it is.
    pub(super) fn beat(&self, shard: Shard) -> PathBuf {
        self.root
            .join(shard::file_name("beat", Some(shard), ".json"))
    }

    /// The file with the number of shards.
    pub(super) fn division_file(&self) -> PathBuf {
        self.root.join("division.json")
    }

    /// The folder for what one phase of a pipeline leaves to the next. It is removed when all outputs are
    /// made.
    pub fn scratch(&self, shard: Option<Shard>) -> PathBuf {
        self.root.join(shard::file_name("scratch", shard, ""))
    }

    /// Removes what phases left to each other. The caller holds the lock.
    pub fn clear_scratch(&self, shard: Option<Shard>) {
        // Nothing in it is needed any more. What cannot be removed only takes space on the disk.
        let _ = std::fs::remove_dir_all(self.scratch(shard));
    }

    /// Removes the files that killed processes left half-written. The caller holds all locks.
    pub fn clear_partial(&self) {
        let mut folders = vec![self.outputs()];
        let remove = |folder: &Path, deeper: &mut Vec<PathBuf>| {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let begins = |name: &str| {
                    entry
                        .file_name()
                        .as_encoded_bytes()
                        .starts_with(name.as_bytes())
                };
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => deeper.push(entry.path()),
                    // A file that cannot be removed is hidden, and only takes space.
                    Ok(_) if begins(PARTIAL) => drop(std::fs::remove_file(entry.path())),
                    _ => {}
                }
            }
        };
        remove(&self.root, &mut Vec::new());
        while let Some(folder) = folders.pop() {
            remove(&folder, &mut folders);
        }
    }

    /// A journal, of the whole run or of one shard.
    pub fn stream(&self, stream: Stream, shard: Option<Shard>) -> PathBuf {
        self.root
            .join(shard::file_name(stream.stem(), shard, ".jsonl"))
    }

    /// The shards whose journal exists.
    ///
    /// # Errors
    /// Fails if the folder cannot be listed.
    pub fn shards(&self, stream: Stream) -> Result<Vec<Shard>, RunError> {
        let entries = std::fs::read_dir(&self.root)
            .map_err(|error| RunError::io("cannot list", &self.root, &error))?;
        let mut shards: Vec<Shard> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                shard::of_file_name(&name, stream.stem(), ".jsonl")
            })
            .collect();
        shards.sort();
        Ok(shards)
    }

    /// Writes `items.jsonl`, unless it has exactly these items. Returns whether it had others before.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn freeze_items(&self, items: &[Item]) -> Result<bool, RunError> {
        let path = self.items();
        let before = std::fs::read(&path).ok();
        if before
            .as_ref()
            .is_some_and(|before| holds_just(before, items))
        {
            return Ok(false);
        }
        write_lines(&path, items)?;
        Ok(before.is_some())
    }
}

/// The folders in a folder, sorted by name. Hidden folders are left out. The list is empty if the folder
/// cannot be listed.
pub fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let hidden = |entry: &std::fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
    let mut folders: Vec<PathBuf> = entries
        .filter(|entry| !hidden(entry))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// The folders `MODEL/RUN` in the folder of a suite, run folders or not.
pub fn run_folders(suite: &Path) -> Vec<PathBuf> {
    folders(suite)
        .iter()
        .flat_map(|model| folders(model))
        .collect()
}

fn holds_just(mut bytes: &[u8], items: &[Item]) -> bool {
    let mut begins_with = |chunk: &[Item]| {
        let lines = to_lines(chunk).ok()?;
        bytes = bytes.strip_prefix(&lines[..])?;
        Some(())
    };
    items
        .chunks(LINES_AT_ONCE)
        .all(|chunk| begins_with(chunk).is_some())
        && bytes.is_empty()
}
