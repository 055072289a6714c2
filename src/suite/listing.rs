//! The files of a folder, by their names.

use crate::formats::Unreadable;
use std::path::{Path, PathBuf};

/// The files of a folder whose names fit, in their order.
///
/// # Errors
/// Fails if the folder cannot be listed.
pub(super) fn files(
    folder: &Path,
    fits: &dyn Fn(&str) -> bool,
) -> Result<Vec<PathBuf>, Unreadable> {
    let cannot = |error: std::io::Error| {
        Unreadable::new(folder, format!("this folder cannot be listed ({error})"))
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(fits) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a name fits a pattern in which `*` stands for any characters.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.into_iter().any(|at| fits(after, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, expected) in [
            ("test-*.parquet", "test-00000-of-00002.parquet", true),
            ("test-*.parquet", "train-0.parquet", false),
            ("*", "字.tsv", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*", "a", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
