//! What one phase leaves to the next: tensors in files named by the hash of all that made them, so that a killed run
//! goes on with them and equal prompts are encoded once.

use crate::files::{hex, write_whole};
use crate::generate::GenerateError;
use candle_core::{Device, Tensor};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Tensors by name.
pub type Named = HashMap<String, Tensor>;

/// The key of a file: hash of everything that shapes its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// The key of length-prefixed parts.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hex(&hash.finalize()[..16]))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A folder of such files, of one process alone: others would miss what this one forgets.
#[derive(Debug, Clone)]
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// The folder is made with its first file.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(format!("{}.safetensors", key.0))
    }

    pub fn has(&self, key: &Key) -> bool {
        self.path(key).is_file()
    }

    /// Stores tensors; a file is there whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put(&self, key: &Key, tensors: &Named) -> Result<(), GenerateError> {
        let refused = |error: String| {
            GenerateError::fatal(
                format!("{}: {error}", self.folder.display()),
                "free some disk space; embeddings need a few megabytes per prompt until its picture is made",
            )
        };
        let bytes =
            safetensors::serialize(tensors, None).map_err(|error| refused(error.to_string()))?;
        write_whole(&self.path(key), &bytes).map_err(|error| refused(error.to_string()))
    }

    /// Reads tensors back; none when they are not there or were damaged, so that they are made again.
    pub fn get(&self, key: &Key, device: &Device) -> Option<Named> {
        candle_core::safetensors::load(self.path(key), device).ok()
    }

    /// Forgets tensors that no output needs any more.
    pub fn forget(&self, key: &Key) {
        let _ = std::fs::remove_file(self.path(key));
    }

    /// Removes the folder, unless it holds something.
    pub fn leave(&self) {
        let _ = std::fs::remove_dir(&self.folder);
    }
}
