//! What tasks share in writing a checkpoint.

use crate::train::{TrainError, state};
use candle_core::Tensor;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The tensors of a part, by their names in it.
pub(super) fn strip(weights: &BTreeMap<String, Tensor>, part: &str) -> BTreeMap<String, Tensor> {
    let own = weights.iter().filter_map(|(name, tensor)| {
        let name = name.strip_prefix(part)?.strip_prefix('.')?;
        Some((name.to_owned(), tensor.clone()))
    });
    own.collect()
}

/// Writes a JSON file; its folder is made.
///
/// # Errors
/// Fails if it cannot be written.
pub(super) fn write_json(path: &Path, value: &Value) -> Result<(), TrainError> {
    state::replace(path, format!("{value:#}\n").as_bytes())
}

/// The folders of FLUX.1 that systems beside its transformer use.
pub(super) const FLUX_PARTS: [&str; 6] = [
    "text_encoder",
    "text_encoder_2",
    "tokenizer",
    "tokenizer_2",
    "scheduler",
    "vae",
];

/// Copies [`FLUX_PARTS`] between two folders that are laid out as FLUX.1's.
///
/// # Errors
/// Fails if a file cannot be read or written.
pub(super) fn copy_flux_parts(from: &Path, to: &Path) -> Result<(), TrainError> {
    FLUX_PARTS
        .iter()
        .try_for_each(|part| copy(&from.join(part), &to.join(part)))
}

/// Copies the configuration, the weights and the tokenizer of a checkpoint's folder. Other files of its
/// training are not copied.
///
/// # Errors
/// Fails if a file cannot be read or written.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), TrainError> {
    let entries = std::fs::read_dir(from).map_err(|error| TrainError::io(from, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| TrainError::io(from, error))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let own = ["config.json", "tokenizer.json"]
            .iter()
            .any(|end| name.ends_with(end));
        if own || (name.ends_with(".safetensors") && name != state::FILE) {
            let path = entry.path();
            let bytes = std::fs::read(&path).map_err(|error| TrainError::io(&path, error))?;
            state::replace(&to.join(&*name), &bytes)?;
        }
    }
    Ok(())
}
