//! An input or output fault, with the path it is about.

use std::io;
use std::path::{Path, PathBuf};

/// A fault of the disk or of its permissions.
#[derive(Debug, thiserror::Error)]
#[error("{action} `{path}`: {source}", path = path.display())]
pub struct FileError {
    /// What was tried, such as `cannot write`.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: the fault of an action on a path.
    pub fn at(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
