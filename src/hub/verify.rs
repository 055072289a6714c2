//! Checksums, computed once: a small file next to the asset records what was verified.

use super::error::HubError;
use crate::files::{sha256_of_file, write_whole_by};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The state of a file when its checksum was computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    size: u64,
    /// In nanoseconds since 1970.
    modified: u128,
    sha256: String,
}

/// The checksums that were computed earlier for one asset, by path.
pub(super) struct Memory {
    file: PathBuf,
}

impl Memory {
    /// `folder` is the folder of the asset in the cache. It need not exist.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            file: folder.join(".verified.json"),
        }
    }

    /// The SHA-256 of the file. It is computed only if the size or the modification time differs from the
    /// record.
    pub(super) fn sha256(&self, path: &Path) -> Result<String, HubError> {
        let data = fs::metadata(path).map_err(HubError::io("read", path))?;
        let modified = data
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .map_or(0, |time| time.as_nanos());
        let key = path.to_string_lossy().into_owned();
        let mut known = self.read();
        if let Some(seen) = known.get(&key)
            && seen.size == data.len()
            && seen.modified == modified
        {
            return Ok(seen.sha256.clone());
        }
        let sha256 = sha256_of(path)?;
        known.insert(
            key,
            Seen {
                size: data.len(),
                modified,
                sha256: sha256.clone(),
            },
        );
        self.write(&known);
        Ok(sha256)
    }

    fn read(&self) -> BTreeMap<String, Seen> {
        fs::read(&self.file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Writes the record. It only saves time, so a read-only or full cache is not an error.
    fn write(&self, known: &BTreeMap<String, Seen>) {
        let saved = write_whole_by(&self.file, |file| {
            serde_json::to_writer(file, known).map_err(Into::into)
        });
        if let Err(error) = saved {
            tracing::debug!("the checksum of an asset is not recorded: {error}");
        }
    }
}

/// The SHA-256 of a file, in lower-case hexadecimal.
///
/// # Errors
/// Fails if the file cannot be read.
pub(super) fn sha256_of(path: &Path) -> Result<String, HubError> {
    sha256_of_file(path).map_err(HubError::io("read", path))
}
