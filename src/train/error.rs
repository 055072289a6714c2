//! Why a training ends.

use crate::model::ModelError;
use std::path::{Path, PathBuf};

/// A training that cannot continue.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum TrainError {
    #[error("{path}: {problem}", path = path.display())]
    #[diagnostic(help(
        "check the disk, its permissions and its free space; the last saved state is complete"
    ))]
    /// A file cannot be read or written.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Another process trains in the folder.
    #[error("{folder}: {holder} is training here", folder = folder.display())]
    #[diagnostic(help("wait for it, or choose another folder with `--out`"))]
    Busy {
        /// The folder of the training.
        folder: PathBuf,
        /// The process that holds it, in words.
        holder: String,
    },
    /// A file of the training is damaged, or belongs to another training.
    #[error("{path}: {problem}", path = path.display())]
    #[diagnostic(help("choose another folder with `--out`, or start again with `--restart`"))]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    #[error("`from.{role}` = \"{named}\": there is no {path}", named = named.display(), path = path.display())]
    #[diagnostic(help(
        "train it first, into a folder next to this one, or give its folder: `--set 'from.{role}=\"a/folder\"'`"
    ))]
    /// A checkpoint that the training begins from is absent.
    Source {
        /// The role in `from`.
        role: String,
        /// What the definition names for it.
        named: PathBuf,
        /// Where it was looked for.
        path: PathBuf,
    },
    #[error("the {what} of step {step} is not finite")]
    #[diagnostic(help(
        "use a lower `optimizer.learning_rate`, a longer `warmup` or a shorter `clip`; the last saved state is complete"
    ))]
    /// A number of a step is not finite.
    NotFinite {
        /// Which number.
        what: &'static str,
        /// The step, from 1.
        step: u64,
    },
    /// A reward cannot look at pictures, or has too little to say of them.
    #[error("{message}")]
    #[diagnostic(help(
        "check what the observers of the reward need; the last saved state is complete, and the same command continues from \
         there"
    ))]
    Reward {
        /// What is wrong, for a person.
        message: String,
    },
    /// The definition has a mistake.
    #[error("{message}")]
    #[diagnostic(help("check the definition of the training"))]
    Definition {
        /// What is wrong, for a person.
        message: String,
    },
    /// A network cannot be made or computed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A tensor cannot be computed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl TrainError {
    /// A mistake in the definition.
    pub(crate) fn definition(error: impl std::fmt::Display) -> Self {
        Self::Definition {
            message: error.to_string(),
        }
    }

    pub(super) fn io(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Io {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}
