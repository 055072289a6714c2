//! What can go wrong with a run folder.

use crate::files::{FileError, reason};
use crate::observe::{Halt, ObserveError};
use std::io;
use std::path::{Path, PathBuf};

/// An error of the run folder or the engine. Each says which file and what to do.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RunError {
    /// A file or folder cannot be read or written.
    #[error("{action} `{path}`: {reason}")]
    Io {
        /// What was tried, such as `cannot read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        #[help]
        help: Option<String>,
        /// Whether the environment is at fault, such as a disk that is full or read-only.
        environment: bool,
    },
    /// A line of a file of records is not what is expected.
    #[error("`{path}` line {line}: {reason}")]
    Line {
        /// The file or folder.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// Another process writes into the folder.
    #[error("another run is writing to `{folder}`: {holder}")]
    #[diagnostic(help(
        "wait for it (`--wait-lock SECONDS` does), stop it, or give this run another folder with `--run NAME` or `--out DIR`"
    ))]
    Busy {
        /// The run folder.
        folder: PathBuf,
        /// What is known of the other process: its number, its machine, since when, and when it was last
        /// seen.
        holder: String,
    },
    /// A folder is not a run folder.
    #[error("`{path}` is not a run folder: {reason}")]
    #[diagnostic(help(
        "a run folder contains manifest.json and items.jsonl; `unigauge list runs` shows the run folders"
    ))]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What it lacks, or what is wrong with it.
        reason: String,
    },
    /// The shards of a run cannot be joined.
    #[error("the shards of `{folder}` are not complete: {reason}")]
    #[diagnostic(help("{help}"))]
    Shards {
        /// The run folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// The generator cannot continue.
    #[error("{message}")]
    Generator {
        /// What happened.
        message: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// An observer ends the run.
    #[error("{message}")]
    Observer {
        /// What happened.
        message: String,
        /// What to do about it.
        #[help]
        help: String,
        /// Whether a bound that the user set is reached. Otherwise the environment lacks something.
        incomplete: bool,
    },
    /// The rule does not believe the evidence.
    #[error("the evidence is implausible: {message}")]
    #[diagnostic(help(
        "check the pictures, evidence.jsonl, and the weights and settings of the observer"
    ))]
    Doubt {
        /// What is implausible.
        message: String,
    },
    /// A fault of the program itself, such as a record that cannot be written.
    #[error("{0}")]
    Invalid(String),
}

impl RunError {
    /// The end of a run that an observer asks for.
    pub fn observer(error: ObserveError) -> Self {
        let (help, incomplete) = match error.halt {
            Some(Halt::Incomplete { help }) => (help, true),
            Some(Halt::Environment { help }) => (help, false),
            _ => ("run the same command again to continue".into(), false),
        };
        Self::Observer {
            message: error.message,
            help,
            incomplete,
        }
    }

    /// An error about one line of a file of records, counted from 1.
    pub fn line(path: &Path, line: usize, reason: impl Into<String>, help: &str) -> Self {
        Self::Line {
            path: path.to_path_buf(),
            line,
            reason: reason.into(),
            help: help.to_owned(),
        }
    }

    /// An input/output error in words a user can act on.
    pub fn io(action: &'static str, path: &Path, error: &io::Error) -> Self {
        let (help, environment) = remedy(error);
        Self::Io {
            action,
            path: path.to_path_buf(),
            reason: reason(error),
            help: help.map(String::from),
            environment,
        }
    }
}

impl From<FileError> for RunError {
    fn from(error: FileError) -> Self {
        Self::io(error.action, &error.path, &error.source)
    }
}

/// What to do about a fault, and whether the environment is at fault.
fn remedy(error: &io::Error) -> (Option<&'static str>, bool) {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => (
            Some(
                "choose a folder that you may write to with `--out DIR`, or change its permissions",
            ),
            true,
        ),
        Kind::ReadOnlyFilesystem => (Some("choose another folder with `--out DIR`"), true),
        Kind::StorageFull | Kind::QuotaExceeded => (
            Some(
                "everything written so far is safe: free some space and run the same command again to continue",
            ),
            true,
        ),
        _ => (None, false),
    }
}
