//! All shards of a run, and how they are joined.

use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::journal::Lines;
use super::shard::Shard;
use crate::files::{Lock, write_durable};
use crate::record::Item;
use std::collections::{HashMap, HashSet};

/// What a merge found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Merged {
    /// How many shards were joined.
    pub shards: usize,
    /// Records of outputs.
    pub outputs: usize,
    /// Records of observations.
    pub evidence: usize,
}

/// All shards of a run, locked so that none of them writes.
#[derive(Debug)]
pub struct Division {
    folder: RunFolder,
    /// The shards that have a journal, in their order.
    shards: Vec<Shard>,
    absent: Vec<Shard>,
    _locks: Vec<Lock>,
}

impl Division {
    /// Finds the shards of a run and takes their locks.
    ///
    /// # Errors
    /// Fails if there are none, there are shards of different counts, or one is being made.
    pub fn hold(folder: &RunFolder) -> Result<Self, RunError> {
        let wrong = |reason: &str, help: &str| RunError::Shards {
            folder: folder.root().to_path_buf(),
            reason: reason.into(),
            help: help.into(),
        };
        let present = folder.shards(Stream::Outputs)?;
        let counts: HashSet<usize> = present.iter().map(|shard| shard.count()).collect();
        let count = match counts.into_iter().collect::<Vec<_>>()[..] {
            [] => {
                return Err(wrong(
                    "there is no outputs.i-of-n.jsonl",
                    "make the shards with `--shard i/n`",
                ));
            }
            [count] => count,
            _ => {
                return Err(wrong(
                    "there are shards of different counts",
                    "keep the shards of one `--shard i/n` division and move the others away",
                ));
            }
        };
        let shards: Vec<Shard> = Shard::all_parts(count).collect();
        let locks = shards.iter().map(|shard| folder.lock(Some(*shard)));
        let _locks = locks.collect::<Result<_, _>>()?;
        let absent = shards.iter().copied();
        Ok(Self {
            absent: absent.filter(|shard| !present.contains(shard)).collect(),
            folder: folder.clone(),
            shards,
            _locks,
        })
    }

    /// All shards, in their order.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The shards that never began; their outputs are missing.
    pub fn absent(&self) -> &[Shard] {
        &self.absent
    }

    /// Joins the journals of the shards into `outputs.jsonl` and `evidence.jsonl`, in the order of the items.
    ///
    /// # Errors
    /// Fails if a journal is damaged, or two shards hold the same output.
    pub fn join(&self, items: &[Item]) -> Result<Merged, RunError> {
        let ids = items.iter().enumerate();
        let places: HashMap<&str, usize> = ids
            .map(|(place, item)| (item.item.as_str(), place))
            .collect();
        Ok(Merged {
            shards: self.shards.len(),
            outputs: self.join_stream(Stream::Outputs, &places)?,
            evidence: self.join_stream(Stream::Evidence, &places)?,
        })
    }

    fn join_stream(
        &self,
        stream: Stream,
        places: &HashMap<&str, usize>,
    ) -> Result<usize, RunError> {
        let mut seen: HashMap<(String, u32, String), Shard> = HashMap::new();
        let mut order = Vec::new();
        let mut journals = Vec::new();
        for &shard in &self.shards {
            let lines = Lines::read(&self.folder.stream(stream, Some(shard)))?;
            for (line, key) in lines.parse::<Key>()?.into_iter().enumerate() {
                let place = places.get(key.item.as_str()).copied();
                order.push((
                    place.unwrap_or(usize::MAX),
                    key.repeat,
                    journals.len(),
                    line,
                ));
                let name = format!("item {} repeat {}", key.item, key.repeat);
                let first = *seen
                    .entry((key.item, key.repeat, key.observer))
                    .or_insert(shard);
                if first != shard {
                    return Err(RunError::Shards {
                        folder: self.folder.root().to_path_buf(),
                        reason: format!("{name} is in shard {first} and in shard {shard}"),
                        help: "the shards were made with different selections of items; make them again with the same selection".into(),
                    });
                }
            }
            journals.push(lines);
        }
        // Lines of one output stay in their order: the last one counts.
        order.sort_unstable();
        let mut bytes = Vec::new();
        for (_, _, journal, line) in order {
            bytes.extend_from_slice(journals[journal].raw(line));
            bytes.push(b'\n');
        }
        write_durable(&self.folder.stream(stream, None), &bytes)?;
        Ok(seen.len())
    }
}

#[derive(serde::Deserialize)]
struct Key {
    item: String,
    repeat: u32,
    #[serde(default)]
    observer: String,
}
