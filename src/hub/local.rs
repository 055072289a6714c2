//! Checkpoints as people name them: below the home folder, or as the root of a repository in the hub's own cache.

use super::HubError;
use std::path::{Path, PathBuf};

/// The folder that a path means: `~` is the home folder, and the root of a repository in the hub's cache
/// (`models--owner--name`) the snapshot that its `refs/main` names, or the only one there is. None where the path is
/// plain.
///
/// # Errors
/// When there is no home folder, or the cache does not say which snapshot is meant.
pub fn meant(path: &Path) -> Result<Option<PathBuf>, HubError> {
    let expanded = match path.strip_prefix("~") {
        Ok(below) => Some(home(path)?.join(below)),
        Err(_) => None,
    };
    let snapshot = snapshot(expanded.as_deref().unwrap_or(path))?;
    Ok(snapshot.or(expanded))
}

fn home(path: &Path) -> Result<PathBuf, HubError> {
    std::env::home_dir()
        .filter(|home| !home.as_os_str().is_empty())
        .ok_or_else(|| HubError::Place {
            path: path.into(),
            message: "there is no home folder that `~` could stand for".into(),
            help: "set HOME, or write the whole path".into(),
        })
}

/// The snapshot that the root of a repository stands for; None for any other path.
fn snapshot(root: &Path) -> Result<Option<PathBuf>, HubError> {
    let snapshots = root.join("snapshots");
    let name = root.file_name().map(|name| name.to_string_lossy());
    let kept = ["models--", "datasets--"];
    if !name.is_some_and(|name| kept.iter().any(|kind| name.starts_with(kind)))
        || !snapshots.is_dir()
    {
        return Ok(None);
    }
    let main = std::fs::read_to_string(root.join("refs/main")).unwrap_or_default();
    let commit = main.trim();
    let plain = !commit.is_empty() && commit.chars().all(|c| c.is_ascii_alphanumeric());
    if plain && snapshots.join(commit).is_dir() {
        return Ok(Some(snapshots.join(commit)));
    }
    let entries = std::fs::read_dir(&snapshots).map_err(HubError::io("read", &snapshots))?;
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    match &folders[..] {
        [one] => Ok(Some(one.clone())),
        several => Err(HubError::Place {
            path: root.into(),
            message: format!(
                "the root of a repository in the hub's cache, with {} snapshots and none that `refs/main` names",
                several.len()
            ),
            help: "name the folder of one snapshot, below `snapshots/`".into(),
        }),
    }
}
