//! The results of a phase for the next one: tensors in files. The name of a file is the hash of everything
//! that determines its content. So a killed run can use the files again, and equal prompts are encoded only
//! once.

use crate::files::{hex, write_whole};
use crate::generate::error::GenerateError;
use candle_core::{Device, Tensor};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Tensors by name.
pub(crate) type Named = HashMap<String, Tensor>;

/// The key of a file, which is the hash of everything that determines its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// The key of a request before its first stage.
    pub fn start() -> Self {
        Self(String::new())
    }

    /// The key of the result of a stage. `before` is the key of the stage before it. `shape` is everything in
    /// the settings and the request that determines the result, and `files` are the contents of the request's
    /// files.
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

/// A folder of such files. It belongs to one process alone, since the process removes files that others might
/// need.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// The files in this folder. The folder is made with its first file.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(format!("{}.safetensors", key.0))
    }

    /// Whether there are tensors with this key.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.path(key).is_file()
    }

    /// Stores tensors. The file is either complete or absent.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
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

    /// Reads tensors. `None` if the file is absent or damaged, so that the tensors are made again.
    pub(super) fn get(&self, key: &Key, device: &Device) -> Option<Named> {
        candle_core::safetensors::load(self.path(key), device).ok()
    }

    /// Removes tensors that no output needs any more.
    pub(super) fn remove(&self, key: &Key) {
        let _ = std::fs::remove_file(self.path(key));
    }

    /// Removes the folder if it is empty.
    pub(super) fn remove_if_empty(&self) {
        let _ = std::fs::remove_dir(&self.folder);
    }
}
