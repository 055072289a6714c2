//! A folder in the form of the hub's data sets: a README, and tables beside it or in `data/`.

use crate::formats::{self, FormatDescription, Unreadable};
use crate::suite::listing::files;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The tables of a folder, in the order of their names: those that are in it, or else those of its sub-folder
/// `data`. `None` if there are none.
///
/// # Errors
/// Fails if a folder cannot be listed, or `data` holds more than one split, since nothing says which one is
/// meant.
pub(super) fn tables(folder: &Path) -> Result<Option<Vec<PathBuf>>, Unreadable> {
    if let Some(files) = direct(folder)? {
        return Ok(Some(files));
    }
    let data = folder.join("data");
    if !data.is_dir() {
        return Ok(None);
    }
    let Some(files) = direct(&data)? else {
        return Ok(None);
    };
    let splits: BTreeSet<&str> = files.iter().map(|file| split(file)).collect();
    match splits.first() {
        Some(first) if splits.len() > 1 => {
            let names: Vec<&str> = splits.iter().copied().collect();
            let extension = files[0].extension().unwrap_or_default().display();
            let pattern = data.join(format!("{first}*.{extension}"));
            let problem = format!("`data` holds several splits: {}", names.join(", "));
            Err(Unreadable::new(folder, problem)
                .with_help(format!("give one of them, such as {}", pattern.display())))
        }
        _ => Ok(Some(files)),
    }
}

/// The tables that are in a folder itself.
fn direct(folder: &Path) -> Result<Option<Vec<PathBuf>>, Unreadable> {
    for format in formats::tables() {
        let is_one = |name: &str| formats::by_extension(Path::new(name)) == Some(format);
        let found = files(folder, &is_one)?;
        if !found.is_empty() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The split that a file belongs to: the part of its name before `-00000-of-00001`.
fn split(file: &Path) -> &str {
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.unwrap_or_default();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let sharded = stem.rsplit_once("-of-").and_then(|(start, count)| {
        let (split, index) = start.rsplit_once('-')?;
        (digits(index) && digits(count)).then_some(split)
    });
    sharded.unwrap_or(stem)
}

/// What a folder without prompts should hold, with the files that may be meant.
pub(super) fn expected(folder: &Path) -> String {
    let mut found = Vec::new();
    gather(folder, Path::new(""), 2, &mut found);
    found.sort();
    let more = match found.len() {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let words = format!(
        "{}, or tables whose names end in {}",
        formats::of_folders().expected,
        formats::usual_endings(FormatDescription::is_table)
    );
    match found.first() {
        Some(first) => format!(
            "{words}; give the file or the folder to use: there is {}{more}",
            first.display()
        ),
        None => words,
    }
}

/// Adds the files below `root/relative` that can be items, at most so many folders deep.
fn gather(root: &Path, relative: &Path, levels: u32, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(root.join(relative)).into_iter().flatten();
    for entry in entries.flatten() {
        let path = relative.join(entry.file_name());
        let there = root.join(&path);
        if there.is_dir() && levels > 0 {
            gather(root, &path, levels - 1, found);
        } else if formats::by_extension(&path).is_some() && there.is_file() {
            found.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_stands_before_the_number_of_the_shard() {
        for (name, expected) in [
            ("data/test-00000-of-00002.parquet", "test"),
            (
                "data/validation-mini-00001-of-00002.parquet",
                "validation-mini",
            ),
            ("test.parquet", "test"),
            ("out-of-domain.parquet", "out-of-domain"),
        ] {
            assert_eq!(split(Path::new(name)), expected);
        }
    }
}
