//! Where links in a folder may lead: to files of the folder. In the cache of a model hub,
//! `snapshots/REVISION/` contains only links, and these may lead to the `blobs/` of the same repository.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The beginnings of the names of repositories in a hub's cache.
const REPOSITORIES: [&str; 3] = ["models--", "datasets--", "spaces--"];

/// The files that belong to a folder.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The path without links.
    root: PathBuf,
    /// The folder where a hub's cache keeps the files, without links.
    blobs: Option<PathBuf>,
}

impl Bounds {
    /// The bounds of a folder whose path has no links.
    pub fn of_folder(root: &Path) -> Self {
        let blobs =
            repository(root).and_then(|repository| repository.join("blobs").canonicalize().ok());
        Self {
            root: root.to_owned(),
            blobs,
        }
    }

    /// Whether a file, given by a path without links, belongs to the folder.
    pub fn hold(&self, real: &Path) -> bool {
        let in_cache = || {
            let blobs = self.blobs.as_deref();
            blobs.is_some() && real.parent() == blobs
        };
        real.starts_with(&self.root) || in_cache()
    }
}

/// The repository of a hub's cache whose `snapshots/` contains a folder or is the folder.
fn repository(folder: &Path) -> Option<&Path> {
    let is_snapshots = |path: &&Path| path.file_name().is_some_and(|name| name == "snapshots");
    let parents = folder
        .ancestors()
        .filter(is_snapshots)
        .filter_map(Path::parent);
    let mut parents = parents.filter(|path| path.file_name().is_some_and(is_cached));
    parents.next()
}

fn is_cached(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    REPOSITORIES
        .iter()
        .any(|kind| name.starts_with(kind.as_bytes()))
}

/// Whether a folder is a whole repository in a hub's cache, by its name or by the `blobs/` with its files.
pub fn is_cached_repository(folder: &Path) -> bool {
    let named = folder.file_name().is_some_and(is_cached);
    (named || folder.join("blobs").is_dir()) && folder.join("snapshots").is_dir()
}

/// The snapshot that the folder of a whole repository in a hub's cache stands for: the one that `refs/main`
/// names, or else the only one. `None` if the folder is not such a repository, or has no such snapshot.
pub fn cached_snapshot(repository: &Path) -> Option<PathBuf> {
    if !is_cached_repository(repository) {
        return None;
    }
    let snapshots = repository.join("snapshots");
    let main = std::fs::read_to_string(repository.join("refs/main")).ok();
    let plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
    let named = main.as_deref().map(str::trim).filter(plain);
    let named = named.map(|revision| snapshots.join(revision));
    if let Some(named) = named.filter(|named| named.is_dir()) {
        return Some(named);
    }
    let entries = std::fs::read_dir(&snapshots).ok()?.flatten();
    let mut folders = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir());
    let only = folders.next()?;
    folders.next().is_none().then_some(only)
}
