//! What one phase leaves to the next: tensors in files named by the hash of all that made them, so that a
//! killed run goes on with them and equal prompts are encoded once.

use crate::files::{hex, write_whole};
use crate::generate::error::GenerateError;
use candle_core::{Device, Tensor};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Tensors by name.
pub(crate) type Named = HashMap<String, Tensor>;

/// The key of a file: the hash of everything that shapes its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// What is known of a request before its first stage.
    pub fn start() -> Self {
        Self(String::new())
    }

    /// The key of what a stage makes after the stages that left `before`: `shape` is everything of the
    /// settings and the request that shapes it, and `files` are the contents of the request's files.
    pub fn after(before: &Self, shape: &Value, files: &[Vec<u8>]) -> Self {
        let shape = shape.to_string();
        let texts = [shape.as_bytes(), before.0.as_bytes()].into_iter();
        let mut hash = Sha256::new();
        for part in texts.chain(files.iter().map(Vec::as_slice)) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hex(&hash.finalize()[..16]))
    }
}

/// A folder of such files, of one process alone: others would miss what this one forgets.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// The folder is made with its first file.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(format!("{}.safetensors", key.0))
    }

    /// Whether there are tensors under a key.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.path(key).is_file()
    }

    /// Stores tensors; a file is there whole or not at all.
    ///
    /// # Errors
    /// Fails if the disk refuses.
    pub(super) fn store_tensors(&self, key: &Key, tensors: &Named) -> Result<(), GenerateError> {
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

    /// Reads tensors back. `None` if they are not there or were damaged, so that they are made again.
    pub(super) fn get(&self, key: &Key, device: &Device) -> Option<Named> {
        candle_core::safetensors::load(self.path(key), device).ok()
    }

    /// Forgets tensors that no output needs any more.
    pub(super) fn forget(&self, key: &Key) {
        let _ = std::fs::remove_file(self.path(key));
    }

    /// Removes the folder, unless it holds something.
    pub(super) fn leave(&self) {
        let _ = std::fs::remove_dir(&self.folder);
    }
}
