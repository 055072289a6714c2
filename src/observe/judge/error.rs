//! Why a judge cannot be obtained.

use crate::hub::HubError;
use crate::model::ModelError;
use std::path::Path;

/// Why a judge cannot be obtained.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum JudgeError {
    /// A definition is at fault.
    #[error("{message}")]
    Settings {
        /// What is wrong.
        message: String,
        /// What can be done.
        #[help]
        help: String,
    },
    /// The device of a judge in this process does not open.
    #[error("the device cannot be opened: {reason}")]
    #[diagnostic(help("choose another `--device`"))]
    Device {
        /// What the device says.
        reason: String,
    },
    /// The official wording of the benchmark cannot be obtained.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Asset(#[from] HubError),
    /// The network of a judge in this process cannot be loaded.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] ModelError),
}

impl JudgeError {
    pub(super) fn settings(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Settings {
            message: message.into(),
            help: help.into(),
        }
    }

    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::settings(
            format!("cannot read {}: {error}", path.display()),
            "`prompts` must be \"own\", \"official\", or a file with a path from the current folder",
        )
    }

    /// Whether a definition is at fault, not the machine.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Settings { .. })
    }
}
