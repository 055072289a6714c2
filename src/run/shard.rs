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

    /// The part with this number, counted from 0. `None` if there are not so many.
    pub fn nth(number: usize, count: usize) -> Option<Self> {
        (number < count).then_some(Self {
            count,
            index: number + 1,
        })
    }

    /// The number of the part, counted from 0.
    pub fn number(self) -> usize {
        self.index - 1
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

/// Sorted numbers as the arrays of schedulers take them: `3,7,12-14`.
pub fn array_expression(numbers: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let ranges = ranges.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    ranges.collect::<Vec<_>>().join(",")
}

/// The name of a file or folder, of the whole run or of one shard: `outputs.3-of-8.jsonl`.
pub(super) fn file_name(stem: &str, shard: Option<Shard>, extension: &str) -> String {
    match shard {
        None => format!("{stem}{extension}"),
        Some(Shard { index, count }) => format!("{stem}.{index}-of-{count}{extension}"),
    }
}

/// The shard in such a name. `None` if it is another name.
pub(super) fn of_file_name(name: &str, stem: &str, extension: &str) -> Option<Shard> {
    let middle = name.strip_prefix(stem)?.strip_prefix('.')?;
    let middle = middle.strip_suffix(extension)?;
    middle.replacen("-of-", "/", 1).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_name_ranges() {
        assert_eq!(array_expression(&[3, 7, 12, 13, 14]), "3,7,12-14");
        assert_eq!(array_expression(&[0, 1]), "0-1");
        assert_eq!(array_expression(&[]), "");
    }

    #[test]
    fn names_of_files_are_read_back() {
        let shard: Shard = "3/8".parse().unwrap();
        assert_eq!(Shard::nth(2, 8), Some(shard));
        assert_eq!((shard.number(), Shard::nth(8, 8)), (2, None));
        let name = file_name(".lock", Some(shard), "");
        assert_eq!(name, ".lock.3-of-8");
        assert_eq!(of_file_name(&name, ".lock", ""), Some(shard));
        for other in [
            ".lock",
            ".lock.guard",
            ".lock.3-of-8.lease.1",
            "lock.3-of-8",
        ] {
            assert_eq!(of_file_name(other, ".lock", ""), None, "{other}");
        }
    }

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
