//! Checks the header of a safetensors file against its length, and recognises other files.

use crate::model::{ModelError, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The first bytes of files that are not safetensors, with what they are and what helps.
const OTHERS: [(&[u8], &str, &str); 3] = [
    (
        b"GGUF",
        "this is a GGUF file, whose quantised weights are not supported",
        "give the folder with the safetensors files from which the GGUF file was made",
    ),
    (
        b"version https://git-lfs",
        "this is a pointer of Git LFS, not the weights",
        "run `git lfs pull` in the repository, or fetch the file itself",
    ),
    (
        b"PK\x03\x04",
        "this is a torch pickle with the name of another format",
        "rename it, so that its name ends in .pt",
    ),
];

/// Whether the name of a file says that it has the GGUF format.
pub(super) fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

/// Why files in the GGUF format are not supported.
pub(super) fn gguf(path: &Path) -> ModelError {
    let [(_, message, help), ..] = OTHERS;
    ModelError::file(path, message, help)
}

/// Compares a safetensors header with the file's length, so that the message for a truncated file says so.
///
/// # Errors
/// Fails if the file cannot be read, was cut short or is of another format.
pub(super) fn check(path: &Path) -> Result<()> {
    let cut = |message: String| {
        ModelError::file(
            path,
            message,
            "the download was interrupted, or this is another file: fetch it again",
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
            "not a complete safetensors file: a header of {header} bytes in a file of {length} bytes"
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
            "truncated: the header requires {promised} bytes, but the file has {length}"
        )));
    }
    Ok(())
}
