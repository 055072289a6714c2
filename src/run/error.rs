//! What can go wrong with a run folder.

use crate::files::FileError;
use crate::observe::{Halt, ObserveError};
use std::io;
use std::path::{Path, PathBuf};

/// An error of the run folder or the engine. Each says which file and what to do.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RunError {
    /// An input or output error.
    #[error("{action} `{path}`: {reason}")]
    Io {
        /// What failed, in words.
        action: &'static str,
        /// Path of the file or folder.
        path: PathBuf,
        /// The reason, in words.
        reason: String,
        /// What to do.
        #[help]
        help: Option<String>,
        /// The disk is full or read-only, or the like: the environment's fault.
        environment: bool,
    },
    /// A line of a file of records is wrong.
    #[error("`{path}` line {line}: {reason}")]
    Line {
        /// Path of the file or folder.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// The reason, in words.
        reason: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// Another process writes to the folder.
    #[error("another run is writing to `{folder}`: {holder}")]
    #[diagnostic(help(
        "wait for it, stop it, or give this run another folder with `--run NAME` or `--out DIR`"
    ))]
    Locked {
        /// The run folder.
        folder: PathBuf,

        /// The process that holds the lock.
        holder: String,
    },
    /// The folder is not a run folder.
    #[error("`{path}` is not a run folder: {reason}")]
    #[diagnostic(help(
        "a run folder contains manifest.json and items.jsonl; `unigauge list runs` shows the run folders"
    ))]
    NotARun {
        /// Path of the file or folder.
        path: PathBuf,

        /// The reason, in words.
        reason: String,
    },
    /// The shards are not complete.
    #[error("the shards of `{folder}` are not complete: {reason}")]
    #[diagnostic(help("{help}"))]
    Shards {
        /// The run folder.
        folder: PathBuf,
        /// The reason, in words.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The generator cannot continue.
    #[error("{message}")]
    Generator {
        /// What happened, in words.
        message: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// An observer cannot continue.
    #[error("{message}")]
    Observer {
        /// What happened, in words.
        message: String,
        /// What to do.
        #[help]
        help: String,
        /// A bound that the user set is reached; else the environment lacks something.
        incomplete: bool,
    },
    /// The evidence is implausible.
    #[error("the evidence is implausible: {message}")]
    #[diagnostic(help(
        "check the pictures, evidence.jsonl, and the weights and settings of the observer"
    ))]
    Doubt {
        /// What happened, in words.
        message: String,
    },
    /// Anything else.
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
        let (reason, help, environment) = explain(error);
        Self::Io {
            action,
            path: path.to_path_buf(),
            reason,
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

fn explain(error: &io::Error) -> (String, Option<&'static str>, bool) {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound => ("there is no such file or folder".into(), None, false),
        Kind::PermissionDenied => (
            "permission denied".into(),
            Some(
                "choose a folder that you may write to with `--out DIR`, or change its permissions",
            ),
            true,
        ),
        Kind::ReadOnlyFilesystem => (
            "the file system is read-only".into(),
            Some("choose another folder with `--out DIR`"),
            true,
        ),
        Kind::StorageFull | Kind::QuotaExceeded => (
            "the disk is full".into(),
            Some(
                "everything written so far is safe: free some space and run the same command again to continue",
            ),
            true,
        ),
        Kind::NotADirectory => (
            "a part of the path is a file, not a folder".into(),
            None,
            false,
        ),
        Kind::IsADirectory => ("it is a folder, not a file".into(), None, false),
        _ => (error.to_string(), None, false),
    }
}
