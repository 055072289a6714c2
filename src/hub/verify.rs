//! Checksums, computed once: a small file beside the asset remembers what was verified.

use super::error::HubError;
use crate::files::{sha256_of_file, write_whole_by};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What a file looked like when its checksum was computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    size: u64,
    /// Nanoseconds since 1970.
    modified: u128,
    sha256: String,
}

/// The checksums computed earlier for one asset, by path.
pub struct Memory {
    file: PathBuf,
}

impl Memory {
    /// `folder` is the asset's folder in the cache; it need not exist.
    pub fn of(folder: &Path) -> Self {
        Self {
            file: folder.join(".verified.json"),
        }
    }

    /// The file's SHA-256: remembered when size and time of change are the same, else computed and
    /// remembered.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha256(&self, path: &Path) -> Result<String, HubError> {
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

    /// Only saves time, so a read-only or full cache is no error.
    fn write(&self, known: &BTreeMap<String, Seen>) {
        let saved = write_whole_by(&self.file, |file| {
            serde_json::to_writer(file, known).map_err(Into::into)
        });
        if let Err(error) = saved {
            tracing::debug!("checksum of an asset not remembered: {error}");
        }
    }
}

/// SHA-256 of a file in lower-case hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_of(path: &Path) -> Result<String, HubError> {
    sha256_of_file(path).map_err(HubError::io("read", path))
}
