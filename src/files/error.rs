//! An input or output fault, with the path it is about.

use std::io;
use std::path::{Path, PathBuf};

/// A fault of the disk or of its permissions.
#[derive(Debug, thiserror::Error)]
#[error("{action} `{path}`: {reason}", path = path.display(), reason = reason(source))]
pub struct FileError {
    /// What was tried, such as `cannot write`.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// What the system says, in words that need no knowledge of its error numbers.
pub fn reason(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let words = match error.kind() {
        Kind::NotFound => "there is no such file or folder",
        Kind::PermissionDenied => "permission denied",
        Kind::ReadOnlyFilesystem => "the file system is read-only",
        Kind::StorageFull | Kind::QuotaExceeded => "the disk is full",
        Kind::NotADirectory => "a part of the path is a file, not a folder",
        Kind::IsADirectory => "it is a folder, not a file",
        _ => return error.to_string(),
    };
    words.to_owned()
}

impl FileError {
    /// Makes a fault of an action on a path, for `map_err`.
    pub fn of_action(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
