//! Shards: several processes share one run at the same time, each writing files of its own; a merge makes
//! them whole.

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
    /// All parts of a run that is cut into so many.
    pub fn all_parts(count: usize) -> impl Iterator<Item = Self> {
        (1..=count).map(move |index| Self { count, index })
    }

    /// Into how many parts the run is cut.
    pub fn count(self) -> usize {
        self.count
    }

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
pub(super) fn file_name(stem: &str, shard: Option<Shard>, extension: &str) -> String {
    match shard {
        None => format!("{stem}{extension}"),
        Some(Shard { index, count }) => format!("{stem}.{index}-of-{count}{extension}"),
    }
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
