//! Why a judge cannot be had.

use crate::hub::HubError;
use crate::model::ModelError;
use std::path::Path;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum JudgeError {
    /// A definition is at fault.
    #[error("{message}")]
    Settings {
        message: String,
        #[help]
        help: String,
    },
    #[error("the device cannot be opened: {reason}")]
    #[diagnostic(help("take another `--device`"))]
    Device { reason: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Asset(#[from] HubError),
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
            "`prompts` is \"own\", \"official\", or a file whose path starts from the current folder",
        )
    }

    /// Whether a definition is at fault, not the machine.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Settings { .. })
    }
}
