//! What can be wrong with a checkpoint, or with the input of a network.

use std::path::{Path, PathBuf};

/// `Result` with a [`ModelError`].
pub type Result<T, E = ModelError> = std::result::Result<T, E>;

/// Why a network cannot be loaded or run.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ModelError {
    /// A file cannot be read, or its content is wrong.
    #[error("{path}: {message}")]
    #[diagnostic(help("{help}"))]
    File {
        /// The path of the file or folder.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// A configuration has an error.
    #[error("{path}: {message}")]
    #[diagnostic(help("the configuration must be the one that was published with these weights"))]
    Config {
        /// The path of the file or folder.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The weights do not fit the configuration.
    #[error("{path}: the weights do not fit the configuration:\n{list}", list = .problems.join("\n"))]
    #[diagnostic(help(
        "config.json and weights must come from the same checkpoint, in the layout that its authors publish"
    ))]
    Weights {
        /// The path of the file or folder.
        path: PathBuf,
        /// One line for each missing or different tensor.
        problems: Vec<String>,
    },
    /// A weight is not finite.
    #[error("tensor `{tensor}` contains a value that is not finite")]
    #[diagnostic(help("the file is damaged, or its training diverged: fetch the weights again"))]
    NotFinite {
        /// The name of the tensor.
        tensor: String,
    },
    /// An input of a network is wrong.
    #[error("{0}")]
    Input(String),
    /// An operation on tensors failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl ModelError {
    /// A file that cannot be read.
    pub fn io(path: &Path, error: &std::io::Error) -> Self {
        let cached = || {
            path.parent()
                .is_some_and(|root| root.join("snapshots").is_dir())
        };
        match error.kind() {
            std::io::ErrorKind::NotFound if cached() => Self::file(
                path,
                "no such file: its folder is the root of a repository in the hub's cache",
                "give the folder of a snapshot, below `snapshots/`",
            ),
            std::io::ErrorKind::NotFound => Self::file(
                path,
                "no such file",
                "the checkpoint is incomplete, or this is another folder: compare it with the published list of files",
            ),
            _ => Self::file(path, error.to_string(), "check the permissions of the file"),
        }
    }

    /// A file whose content is wrong.
    pub fn file(path: &Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::File {
            path: path.into(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// An error in a configuration.
    pub fn config(path: &Path, message: impl Into<String>) -> Self {
        Self::Config {
            path: path.into(),
            message: message.into(),
        }
    }
}
