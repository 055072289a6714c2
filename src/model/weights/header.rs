//! The header of a safetensors file against its length, and other files that stand in its place.

use crate::model::{ModelError, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What a file begins with that is no safetensors file, what it is, and what helps.
const OTHERS: [(&[u8], &str, &str); 3] = [
    (
        b"GGUF",
        "this is a GGUF file, whose quantised weights are not read",
        "name the folder with the safetensors that the GGUF file was made from",
    ),
    (
        b"version https://git-lfs",
        "this is a pointer of Git LFS, not the weights",
        "run `git lfs pull` in the repository, or fetch the file itself",
    ),
    (
        b"PK\x03\x04",
        "this is a torch pickle under the name of another format",
        "give it a name that ends in .pt",
    ),
];

/// Whether a file's name says that it is quantised in the GGUF format.
pub(super) fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

/// Why files in the GGUF format are not read.
pub(super) fn gguf(path: &Path) -> ModelError {
    let [(_, message, help), ..] = OTHERS;
    ModelError::file(path, message, help)
}

/// Compares a safetensors header with the file's length, so that a file cut short is named as such.
///
/// # Errors
/// Fails if the file cannot be read, was cut short or is of another format.
pub(super) fn check(path: &Path) -> Result<()> {
    let cut = |message: String| {
        ModelError::file(
            path,
            message,
            "the download was cut short or is another file: fetch it again",
        )
    };
    let mut file = File::open(path).map_err(|error| ModelError::io(path, &error))?;
    let length = file
        .metadata()
        .map_err(|error| ModelError::io(path, &error))?
        .len();
    let mut size = [0; 8];
    file.read_exact(&mut size)
        .map_err(|_| cut(format!("{length} bytes are too few for a safetensors file")))?;
    for (start, message, help) in OTHERS {
        if start[..start.len().min(8)] == size[..start.len().min(8)] {
            return Err(ModelError::file(path, message, help));
        }
    }
    let header = u64::from_le_bytes(size);
    if header > 100_000_000 || header.saturating_add(8) > length {
        return Err(cut(format!(
            "not a whole safetensors file: a header of {header} bytes in a file of {length}"
        )));
    }
    let mut bytes = vec![0; header as usize];
    file.read_exact(&mut bytes)
        .map_err(|error| ModelError::io(path, &error))?;
    let header_json: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes)
        .map_err(|error| cut(format!("the safetensors header is not JSON: {error}")))?;
    let end = header_json
        .values()
        .filter_map(|tensor| tensor.get("data_offsets")?.get(1)?.as_u64())
        .max()
        .unwrap_or(0);
    let promised = (header + 8).saturating_add(end);
    if promised > length {
        return Err(cut(format!(
            "truncated: the header promises {promised} bytes, the file has {length}"
        )));
    }
    Ok(())
}
