//! The journals of two places as one.

use serde::Deserialize;
use std::collections::{BTreeSet, HashSet};

/// The whole lines of a journal. A torn last line is left out.
pub(super) fn whole(bytes: &[u8]) -> &[u8] {
    let end = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
    &bytes[..end]
}

fn each(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    whole(bytes).split_inclusive(|byte| *byte == b'\n')
}

/// Whether all whole lines of a journal are in another one.
pub(super) fn are_in(lines: &[u8], other: &[u8]) -> bool {
    let (lines, other) = (whole(lines), whole(other));
    if other.starts_with(lines) {
        return true;
    }
    let known: HashSet<&[u8]> = each(other).collect();
    each(lines).all(|line| known.contains(line))
}

/// A local journal with the lines of the one in the store. `None` if it has all of them already. Of two lines
/// about the same output, that of the store comes last and counts: its writer had the lease last.
pub(super) fn joined(local: &[u8], stored: &[u8]) -> Option<Vec<u8>> {
    let (local, stored) = (whole(local), whole(stored));
    if are_in(stored, local) {
        return None;
    }
    if stored.starts_with(local) {
        return Some(stored.to_vec());
    }
    let known: HashSet<&[u8]> = each(local).collect();
    let mut all = local.to_vec();
    for line in each(stored).filter(|line| !known.contains(line)) {
        all.extend_from_slice(line);
    }
    Some(all)
}

#[derive(Deserialize)]
struct Picture {
    item: String,
    #[serde(default)]
    file: Option<String>,
}

/// The files that the lines of a journal name, if the item is wanted.
pub(super) fn pictures(journal: &[u8], wanted: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    each(journal)
        // A line that is damaged names nothing; whoever reads the journal says so.
        .filter_map(|line| serde_json::from_slice::<Picture>(line).ok())
        .filter(|line| wanted(&line.item))
        .filter_map(|line| line.file)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_that_went_on_in_two_places_are_joined_once() {
        assert_eq!(joined(b"", b"a\nb\n").unwrap(), b"a\nb\n");
        assert_eq!(joined(b"a\nb\n", b"a\n"), None);
        assert_eq!(joined(b"a\nto", b"a\nb\n").unwrap(), b"a\nb\n");
        assert_eq!(joined(b"a\nc\n", b"a\nb\n").unwrap(), b"a\nc\nb\n");
        assert_eq!(joined(b"b\na\n", b"a\nb\n"), None);
        assert_eq!(joined(b"a\n", b"a\nto"), None);
        assert!(are_in(b"a\n", b"b\na\n") && !are_in(b"a\nc\n", b"a\nb\n"));
    }

    #[test]
    fn lines_name_pictures() {
        let journal = br#"{"item":"a","repeat":0,"file":"outputs/a.png"}
{"item":"b","repeat":0,"file":"outputs/b.png"}
{"item":"a","repeat":1,"error":"x"}
{"item":"a","repeat":1,"file":"outputs/torn.png"}"#;
        let found = pictures(journal, &|item| item == "a");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["outputs/a.png"]);
    }
}
