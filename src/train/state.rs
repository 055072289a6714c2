//! The state of a training on the disk: weights, moments, averages and the step, in one safetensors file that
//! is replaced as a whole.

use super::TrainError;
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The file of a training under way.
pub(super) const FILE: &str = "state.safetensors";
/// The key of the header's metadata.
const KEY: &str = "training";

/// How far a training is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Steps done.
    pub step: u64,
    /// Seconds of computing so far.
    pub seconds: f64,
    /// Hash of the definition.
    pub fingerprint: String,
    /// Hashes of what the training builds on, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub foundations: BTreeMap<String, String>,
}

/// Writes the state.
///
/// # Errors
/// Fails if the folder cannot be written.
pub(super) fn save(
    folder: &Path,
    progress: &Progress,
    tensors: BTreeMap<String, Tensor>,
) -> Result<(), TrainError> {
    let path = folder.join(FILE);
    let text = serde_json::to_string(progress).map_err(|error| TrainError::io(&path, error))?;
    let metadata = HashMap::from([(KEY.to_owned(), text)]);
    let bytes = safetensors::serialize(&tensors, Some(metadata))
        .map_err(|error| TrainError::io(&path, error))?;
    replace(&path, &bytes)
}

/// What was saved: how far the training was, and its tensors.
pub(super) type Saved = (Progress, BTreeMap<String, Tensor>);

/// The state of a training that was interrupted. `None` if there is none.
///
/// # Errors
/// Fails if the file cannot be read.
pub(super) fn open(folder: &Path) -> Result<Option<Saved>, TrainError> {
    let path = folder.join(FILE);
    let damaged = |problem: String| TrainError::State {
        path: path.clone(),
        problem,
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TrainError::io(&path, error)),
    };
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes)
        .map_err(|error| damaged(format!("it is damaged: {error}")))?;
    let text = header.metadata().as_ref().and_then(|keys| keys.get(KEY));
    let text = text.ok_or_else(|| damaged("it has no state of a training".into()))?;
    let progress = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
        .map_err(|error| damaged(error.to_string()))?;
    Ok(Some((progress, tensors.into_iter().collect())))
}

/// Removes a file that may be there.
///
/// # Errors
/// Fails if it cannot be removed.
pub(super) fn remove(path: &Path) -> Result<(), TrainError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(TrainError::io(path, error))
        }
        _ => Ok(()),
    }
}

/// Writes the weights of a checkpoint, in f16.
///
/// # Errors
/// Fails if the folder cannot be written.
pub(super) fn write_weights(
    path: &Path,
    weights: &BTreeMap<String, Tensor>,
) -> Result<(), TrainError> {
    let half = weights
        .iter()
        .map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F16)?)));
    let half: BTreeMap<&String, Tensor> = half.collect::<candle_core::Result<_>>()?;
    let bytes = safetensors::serialize(half, None).map_err(|error| TrainError::io(path, error))?;
    replace(path, &bytes)
}

/// Writes a file that is whole or not there.
///
/// # Errors
/// Fails if the folder cannot be written.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    crate::files::write_durable(path, bytes).map_err(|error| TrainError::io(path, error))
}
