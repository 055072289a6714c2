//! The journals of all who wrote into a run folder, and which of their lines count.

use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::journal::Lines;
use super::manifest::{Manifest, Part};
use super::shard::Shard;
use super::store::read_json;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::SystemTime;

/// One journal, with what its writer said about itself.
struct Source {
    /// `None` is the journal of the whole run.
    shard: Option<Shard>,
    lines: Lines,
    written: SystemTime,
    /// `None` if nothing is known of the writer, as in folders of earlier versions.
    manifest: Option<Manifest>,
}

/// All journals of a stream, in the order in which they were written last.
pub(super) struct Sources(Vec<Source>);

/// What a line is about: item, repeat, and for evidence the observer.
pub(super) type LineKey = (String, u32, String);

/// The line that counts of all lines about one thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    source: usize,
    line: usize,
    /// Whether it tells of a failure.
    pub failed: bool,
}

#[derive(Deserialize)]
struct Key {
    item: String,
    #[serde(default)]
    repeat: u32,
    #[serde(default)]
    observer: String,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

impl Sources {
    /// Reads the journals of a stream whose writers made what the run's manifest describes. Those who had
    /// other settings are left out, and named with the first settings that differ.
    ///
    /// # Errors
    /// Fails if a journal or a manifest is damaged.
    pub(super) fn read(
        folder: &RunFolder,
        stream: Stream,
        run: &Manifest,
    ) -> Result<(Self, Vec<LeftOut>), RunError> {
        let (mut sources, mut left_out) = (Vec::new(), Vec::new());
        let shards = folder.shards(stream)?;
        for shard in [None].into_iter().chain(shards.into_iter().map(Some)) {
            let path = folder.stream(stream, shard);
            let Ok(about) = std::fs::metadata(&path) else {
                continue;
            };
            let manifest = match shard {
                Some(shard) => Part::read(folder, shard)?.map(|part| part.manifest),
                None => match of_whole(folder, run)? {
                    Some(manifest) => Some(manifest),
                    None => continue,
                },
            };
            if let Some(change) = manifest.as_ref().and_then(|own| own.other_settings(run)) {
                left_out.push(LeftOut { shard, change });
                continue;
            }
            sources.push(Source {
                shard,
                lines: Lines::read(&path)?,
                written: about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                manifest,
            });
        }
        sources.sort_by_key(|source| (source.written, source.shard));
        Ok((Self(sources), left_out))
    }

    /// The line that counts about each thing. Within a journal it is the last one. Of several journals it is
    /// that of the last one which was written, unless that tells of a failure and another does not.
    ///
    /// # Errors
    /// Fails if a line is not a record.
    pub(super) fn choose(&self, run: &Manifest) -> Result<HashMap<LineKey, Choice>, RunError> {
        let mut chosen: HashMap<LineKey, Choice> = HashMap::new();
        for (number, source) in self.0.iter().enumerate() {
            for (line, key) in source.lines.parse::<Key>()?.into_iter().enumerate() {
                if source.has_other_observer(&key.observer, run) {
                    continue;
                }
                let new = Choice {
                    source: number,
                    line,
                    failed: key.error.is_some(),
                };
                match chosen.entry((key.item, key.repeat, key.observer)) {
                    Entry::Vacant(entry) => {
                        entry.insert(new);
                    }
                    Entry::Occupied(mut entry) => {
                        let old = *entry.get();
                        if old.source == number || old.failed || !new.failed {
                            entry.insert(new);
                        }
                    }
                }
            }
        }
        Ok(chosen)
    }

    /// The bytes of a line.
    pub(super) fn raw(&self, choice: Choice) -> &[u8] {
        self.0[choice.source].lines.raw(choice.line)
    }

    /// The order of a line among all lines.
    pub(super) fn order(&self, choice: Choice) -> (usize, usize) {
        (choice.source, choice.line)
    }
}

impl Source {
    /// Whether the writer knew the observer with other settings than the run has.
    fn has_other_observer(&self, observer: &str, run: &Manifest) -> bool {
        let own = (self.manifest.as_ref()).and_then(|own| own.observers.get(observer));
        let of_run = run.observers.get(observer);
        own.zip(of_run).is_some_and(|(own, of_run)| own != of_run)
    }
}

/// Somebody whose lines do not count, since they were made with other settings.
pub(super) struct LeftOut {
    /// `None` is the whole run.
    pub shard: Option<Shard>,
    /// What differs: `path: theirs → the run's`.
    pub change: String,
}

/// The manifest of what a process without a shard wrote. `None` if it is not known.
fn of_whole(folder: &RunFolder, run: &Manifest) -> Result<Option<Manifest>, RunError> {
    let kept = folder.manifest_of_whole();
    if kept.is_file() {
        return read_json(&kept).map(Some);
    }
    Ok(run.shard.is_none().then(|| run.clone()))
}
