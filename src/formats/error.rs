//! Why a source cannot be read.

use std::path::{Path, PathBuf};

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{path}: {problem}", path = path.display())]
pub struct Unreadable {
    /// The source, or the file of it that is meant.
    pub path: PathBuf,
    /// What is wrong, for a person.
    pub problem: String,
    /// What to do about it.
    #[help]
    pub help: Option<String>,
}

impl Unreadable {
    /// A source that has a problem.
    pub fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            problem: problem.into(),
            help: None,
        }
    }

    /// The same with what to do about it.
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}
