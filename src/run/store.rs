//! Durable files: a file under its final name is whole, or it is not there.

use super::error::RunError;
use std::io::Write;
use std::path::Path;

/// What the name of a file begins with that is being written; one that is left stems from a killed process.
pub(super) const PARTIAL: &str = ".partial-";

/// Writes a file by temp file, fsync and rename, making its folder when needed.
///
/// # Errors
/// When the folder or file cannot be written; nothing is left under the final name then.
pub fn write_durable(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    write_durable_by(path, |file| file.write_all(bytes))
}

/// As [`write_durable`], for content that is made piece by piece.
///
/// # Errors
/// As [`write_durable`].
pub fn write_durable_by(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), RunError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|error| RunError::io("cannot make the folder", folder, &error))?;
    let failed = |error: std::io::Error| RunError::io("cannot write", path, &error);
    let mut file = tempfile::Builder::new()
        .prefix(PARTIAL)
        .tempfile_in(folder)
        .map_err(failed)?;
    write(&mut file).map_err(failed)?;
    make_world_readable(file.as_file());
    file.as_file().sync_data().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Temp files are private by default; results are not.
fn make_world_readable(file: &std::fs::File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o644));
    }
}

/// Writes a value as indented JSON, durably.
///
/// # Errors
/// As [`write_durable`].
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), RunError> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|error| RunError::Invalid(error.to_string()))?;
    bytes.push(b'\n');
    write_durable(path, &bytes)
}

/// Reads a JSON file.
///
/// # Errors
/// When it cannot be read or does not hold what is expected, with line and column.
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
