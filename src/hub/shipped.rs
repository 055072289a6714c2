//! The checkpoints that are part of the program: the networks of the miniature world.

use super::error::HubError;
use crate::files::{hex, write_whole};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The beginning of a path that is in the program, such as `shipped:mini-flux/vae`.
const SCHEME: &str = "shipped:";

/// The files by their paths below `shipped/`, sorted.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// The checkpoint, and the place in it, that a path names. `None` for a path outside the program.
pub fn path_in_program(path: &Path) -> Option<&str> {
    path.to_str()?.strip_prefix(SCHEME)
}

/// The folder of a shipped checkpoint, or of a place in it, in the cache. The first call unpacks it. The name
/// of the folder contains the hash of its content. `None` if there is no checkpoint with this name.
///
/// # Errors
/// Fails if the cache cannot be written.
pub fn folder(cache: &Path, name: &str) -> Result<Option<PathBuf>, HubError> {
    let (checkpoint, place) = name.split_once('/').unwrap_or((name, ""));
    let own: Vec<(&str, &[u8])> = FILES
        .iter()
        .filter_map(|(path, bytes)| {
            let path = path.strip_prefix(checkpoint)?.strip_prefix('/')?;
            Some((path, *bytes))
        })
        .collect();
    if own.is_empty() {
        return Ok(None);
    }
    let mut hash = Sha256::new();
    for (path, bytes) in &own {
        hash.update(path);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    let hash = hex(&hash.finalize()[..6]);
    let folder = cache.join("shipped").join(format!("{checkpoint}-{hash}"));
    if !folder.is_dir() {
        unpack(&folder, &own)?;
    }
    Ok(Some(folder.join(place)))
}

/// Unpacks the folder. The whole folder appears at once, and another process may be first.
fn unpack(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), HubError> {
    let failed = |path: &Path, error: std::io::Error| HubError::io("write", path)(error);
    let parent = folder.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
    let temporary = tempfile::tempdir_in(parent).map_err(|error| failed(parent, error))?;
    for (path, bytes) in files {
        write_whole(&temporary.path().join(path), bytes)?;
    }
    let made = temporary.keep();
    match std::fs::rename(&made, folder) {
        Err(error) if !folder.is_dir() => Err(failed(folder, error)),
        Err(_) => std::fs::remove_dir_all(&made).map_err(|error| failed(&made, error)),
        Ok(()) => Ok(()),
    }
}
