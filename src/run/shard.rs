//! Shards: several processes share one run at the same time, each writing files of its own; a merge makes them whole.

use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::journal::Lines;
use crate::files::{Lock, write_durable};
use crate::record::Item;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

/// One part of a run: number `index` (1-based) of `count`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    count: usize,
    index: usize,
}

impl Shard {
    /// Whether the item at this place of the suite belongs to the shard.
    pub fn holds(self, place: usize) -> bool {
        place % self.count == self.index - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a shard; write i/n with 1 ≤ i ≤ n, such as 3/8");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let (index, count) = (
            index.parse().map_err(|_| wrong())?,
            count.parse().map_err(|_| wrong())?,
        );
        if index == 0 || index > count {
            Err(wrong())
        } else {
            Ok(Self { count, index })
        }
    }
}

/// The name of a file or folder, of the whole run or of one shard: `outputs.3-of-8.jsonl`.
pub(super) fn name(stem: &str, shard: Option<Shard>, extension: &str) -> String {
    match shard {
        None => format!("{stem}{extension}"),
        Some(Shard { index, count }) => format!("{stem}.{index}-of-{count}{extension}"),
    }
}

/// What a merge found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Merged {
    /// Number of shards.
    pub shards: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// Number of observations.
    pub evidence: usize,
}

/// All shards of a run, held so that none of them writes.
#[derive(Debug)]
pub struct Division {
    folder: RunFolder,
    /// In their order.
    shards: Vec<Shard>,
    absent: Vec<Shard>,
    _locks: Vec<Lock>,
}

impl Division {
    /// Finds the shards of a run and takes their locks.
    ///
    /// # Errors
    /// When there are none, there are shards of different counts, or one is being made.
    pub fn hold(folder: &RunFolder) -> Result<Self, RunError> {
        let wrong = |reason: &str, help: &str| RunError::Shards {
            folder: folder.root().to_path_buf(),
            reason: reason.into(),
            help: help.into(),
        };
        let present = folder.shards(Stream::Outputs)?;
        let counts: HashSet<usize> = present.iter().map(|shard| shard.count).collect();
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
        let shards: Vec<Shard> = (1..=count).map(|index| Shard { count, index }).collect();
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

    /// The shards.
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
    /// When a journal is damaged, or two shards hold the same output.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_divide_without_gap_or_overlap() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        for place in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.holds(place)).count(), 1);
        }
        for text in ["0/3", "4/3", "1", "a/b", "1/0", "-1/2"] {
            assert!(
                text.parse::<Shard>().unwrap_err().contains("such as 3/8"),
                "{text}"
            );
        }
    }
}
