//! Checkpoints as people name them: below the home folder, or as the root of a repository in the cache of the
//! Hugging Face Hub.

use super::error::HubError;
use crate::paths;
use std::path::{Path, PathBuf};

/// The folder that a path means, or `None` if the path needs no change. `~` means the home folder. The root
/// of a repository in the hub's cache (`models--owner--name`) means the snapshot that its `refs/main` names,
/// or its only snapshot.
///
/// # Errors
/// Fails if there is no home folder, or if the cache does not say which snapshot is meant.
pub fn meant_folder(path: &Path) -> Result<Option<PathBuf>, HubError> {
    let expanded = paths::expanded(path);
    if expanded.starts_with("~") {
        return Err(HubError::Place {
            path: path.into(),
            message: "the path begins with `~`, but the home folder is unknown".into(),
            help: "set HOME, or write the full path".into(),
        });
    }
    if !paths::is_cached_repository(&expanded) {
        return Ok(Some(expanded).filter(|expanded| expanded != path));
    }
    match paths::cached_snapshot(&expanded) {
        Some(snapshot) => Ok(Some(snapshot)),
        None => Err(HubError::Place {
            path: path.into(),
            message: "this is the root of a repository in the hub's cache, which does not say which snapshot to use"
                .into(),
            help: "give the folder of one snapshot, below `snapshots/`".into(),
        }),
    }
}
