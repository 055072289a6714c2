//! Checkpoints as people name them: below the home folder, or as the root of a repository in the hub's own
//! cache.

use super::error::HubError;
use crate::paths;
use std::path::{Path, PathBuf};

/// The folder that a path means: `~` is the home folder, and the root of a repository in the hub's cache
/// (`models--owner--name`) the snapshot that its `refs/main` names, or the only one there is. None where the
/// path is plain.
///
/// # Errors
/// When there is no home folder, or the cache does not say which snapshot is meant.
pub fn meant(path: &Path) -> Result<Option<PathBuf>, HubError> {
    let expanded = paths::expanded(path);
    if expanded.starts_with("~") {
        return Err(HubError::Place {
            path: path.into(),
            message: "there is no home folder that `~` could stand for".into(),
            help: "set HOME, or write the whole path".into(),
        });
    }
    if !paths::is_cached_repository(&expanded) {
        return Ok(Some(expanded).filter(|expanded| expanded != path));
    }
    match paths::cached_snapshot(&expanded) {
        Some(snapshot) => Ok(Some(snapshot)),
        None => Err(HubError::Place {
            path: path.into(),
            message: "this is the root of a repository in the hub's cache, and it does not say which snapshot is meant"
                .into(),
            help: "name the folder of one snapshot, below `snapshots/`".into(),
        }),
    }
}
