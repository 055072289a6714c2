//! The outputs of a suite that a folder has, found without reading a picture.

use super::{Folder, Picture, Place, is_picture, slashed, why_no_picture};
use crate::record::Item;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The outputs of a suite that a folder has. Paths are relative to the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// Number of outputs that the suite asks for.
    pub expected: usize,
    /// Number of outputs whose picture exists.
    pub found: usize,
    /// Where missing pictures were expected.
    pub missing: Vec<String>,
    /// Why existing pictures cannot be used.
    pub refused: Vec<String>,
    /// Pictures with the name of an output that are not used, since another picture has the same name.
    pub doubled: Vec<String>,
    /// Pictures that belong to several items.
    pub shared: Vec<String>,
    /// Pictures that no item asks for. Grids and source images of the official layouts do not count.
    pub extra: Vec<String>,
}

impl Folder {
    /// Compares the folder with the outputs of `items`, each `repeats` times.
    pub fn inventory(&self, items: &[Item], repeats: u32) -> Inventory {
        let mut used: BTreeMap<PathBuf, &str> = BTreeMap::new();
        let mut passed: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        let (mut missing, mut refused, mut shared) = (Vec::new(), Vec::new(), Vec::new());
        let mut found = 0;
        for (item, repeat) in items
            .iter()
            .flat_map(|item| (0..repeats).map(move |k| (item, k)))
        {
            match self.find_picture(item, repeat) {
                Place::Found(Picture { path, others, .. }) => {
                    found += 1;
                    passed.extend(others.into_iter().map(|other| (other, path.clone())));
                    let first = *used.entry(path.clone()).or_insert(&item.item);
                    if first != item.item {
                        let path = slashed(&path);
                        shared.push(format!("{path} of {first} and {}", item.item));
                    }
                }
                Place::Missing { path, beside } => missing.push(match beside {
                    Some(beside) => format!("{} ({})", slashed(&path), why_no_picture(&beside)),
                    None => slashed(&path),
                }),
                Place::Refused {
                    kind: "path",
                    reason,
                } => refused.push(reason),
                Place::Refused { reason, .. } => missing.push(reason),
            }
        }
        let mut all = BTreeSet::new();
        list_pictures(&self.root, Path::new(""), &mut all);
        let extra = all.iter().filter(|path| {
            let asked = used.contains_key(*path) || passed.contains_key(*path);
            !asked && !self.is_companion(path)
        });
        let doubled = passed.iter().filter(|(path, _)| !used.contains_key(*path));
        Inventory {
            expected: items.len() * repeats as usize,
            found,
            missing,
            refused,
            doubled: doubled
                .map(|(path, chosen)| {
                    format!(
                        "{} next to {}, which is used",
                        slashed(path),
                        slashed(chosen)
                    )
                })
                .collect(),
            shared,
            extra: extra.map(|path| slashed(path)).collect(),
        }
    }
}

/// Adds the pictures below `root/relative`. Links to folders are not followed.
fn list_pictures(root: &Path, relative: &Path, found: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(root.join(relative)) else {
        return;
    };
    for entry in entries.flatten() {
        let path = relative.join(entry.file_name());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list_pictures(root, &path, found),
            Ok(_) if is_picture(&path) => {
                found.insert(path);
            }
            _ => {}
        }
    }
}
