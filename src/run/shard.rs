//! Shards: several processes share one run, each writing files of its own; `merge` makes them whole.

use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::journal::Lines;
use super::store::write_durable;
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

/// One part of a run: number `index` (1-based) of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    index: usize,
    count: usize,
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
        let wrong = || format!("`{text}` is not a shard: write i/n with 1 ≤ i ≤ n, such as 3/8");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let (index, count) = (
            index.parse().map_err(|_| wrong())?,
            count.parse().map_err(|_| wrong())?,
        );
        if index == 0 || index > count {
            Err(wrong())
        } else {
            Ok(Self { index, count })
        }
    }
}

/// The part of a file name that a shard adds: `outputs.3-of-8.jsonl`.
pub(super) fn file_name(stem: &str, shard: Option<Shard>) -> String {
    match shard {
        None => format!("{stem}.jsonl"),
        Some(Shard { index, count }) => format!("{stem}.{index}-of-{count}.jsonl"),
    }
}

/// What a merge found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Merged {
    pub shards: usize,
    pub outputs: usize,
    pub evidence: usize,
}

#[derive(serde::Deserialize)]
struct Key {
    item: String,
    repeat: u32,
    #[serde(default)]
    observer: String,
}

/// Joins the shard files of a run into `outputs.jsonl` and `evidence.jsonl`.
///
/// # Errors
/// When a shard's file is missing, shards of different counts lie together, or two shards hold the same output.
pub fn merge(folder: &RunFolder) -> Result<Merged, RunError> {
    let wrong = |reason: String, help: &str| RunError::Shards {
        folder: folder.root().to_path_buf(),
        reason,
        help: help.into(),
    };
    let present = folder.shards(Stream::Outputs)?;
    let counts: HashSet<usize> = present.iter().map(|shard| shard.count).collect();
    let count = match counts.iter().copied().collect::<Vec<_>>()[..] {
        [] => {
            return Err(wrong(
                "there is no outputs.i-of-n.jsonl".into(),
                "make them with `--shard i/n`",
            ));
        }
        [count] => count,
        _ => {
            return Err(wrong(
                "shards of different counts lie together".into(),
                "keep the shards of one `--shard i/n` division and move the others away",
            ));
        }
    };
    let missing: Vec<String> = (1..=count)
        .map(|index| Shard { index, count })
        .filter(|shard| !present.contains(shard))
        .map(|shard| shard.to_string())
        .collect();
    if !missing.is_empty() {
        return Err(wrong(
            format!("shard {} missing", missing.join(", ")),
            "run the missing shards with `--shard i/n`, then merge again",
        ));
    }
    let outputs = join(folder, Stream::Outputs, count)?;
    let evidence = join(folder, Stream::Evidence, count)?;
    Ok(Merged {
        shards: count,
        outputs,
        evidence,
    })
}

fn join(folder: &RunFolder, stream: Stream, count: usize) -> Result<usize, RunError> {
    let mut seen: std::collections::HashMap<(String, u32, String), usize> =
        std::collections::HashMap::new();
    let mut bytes = Vec::new();
    for index in 1..=count {
        let lines = Lines::read(&folder.stream(stream, Some(Shard { index, count })))?;
        for (place, key) in lines.parse::<Key>()?.into_iter().enumerate() {
            let name = format!("item {} repeat {}", key.item, key.repeat);
            let first = *seen
                .entry((key.item, key.repeat, key.observer))
                .or_insert(index);
            if first != index {
                return Err(RunError::Shards {
                    folder: folder.root().to_path_buf(),
                    reason: format!("{name} is in shard {first} and in shard {index}"),
                    help: "the shards were made with different item selections; make them again with one".into(),
                });
            }
            bytes.extend_from_slice(lines.raw(place));
            bytes.push(b'\n');
        }
    }
    write_durable(&folder.stream(stream, None), &bytes)?;
    Ok(seen.len())
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
