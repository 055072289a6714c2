//! JSON files of a run folder.

use super::error::RunError;
use crate::files;
use std::path::Path;

/// Writes a value as indented JSON, durably.
///
/// # Errors
/// Fails if the disk refuses.
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), RunError> {
    Ok(files::write_json(path, value)?)
}

/// Reads a JSON file.
///
/// # Errors
/// Fails if it cannot be read or does not hold what is expected, with line and column.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let bytes = std::fs::read(path).map_err(|error| RunError::io("cannot read", path, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| RunError::Line {
        path: path.to_path_buf(),
        line: error.line(),
        reason: error.to_string(),
        help:
            "the file was changed or damaged after it was written; restore it, or start a new run"
                .into(),
    })
}
