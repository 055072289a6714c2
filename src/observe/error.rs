//! Why an observer cannot be made, and why one output could not be observed.

use super::judge::JudgeError;
use super::ppocr::PpOcrError;
use crate::config::ConfigError;
use crate::hub::HubError;
use crate::model::ModelError;
use crate::remote::RemoteError;

/// Why an observer cannot be made.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BuildError {
    /// There is no observer with this name.
    #[error("there is no observer named `{name}` in this version")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// What can be done.
        #[help]
        help: String,
    },
    /// The settings have a mistake.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Settings(#[from] ConfigError),
    /// An asset cannot be obtained.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Asset(#[from] HubError),
    /// PP-OCR cannot be made ready.
    #[error(transparent)]
    #[diagnostic(transparent)]
    PpOcr(#[from] PpOcrError),
    /// A network cannot be loaded.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] ModelError),
    /// A server cannot be asked.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Remote(#[from] RemoteError),
    /// A judge cannot be obtained.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Judge(#[from] JudgeError),
    /// A setting has an impossible value.
    #[error("{mistake}")]
    #[diagnostic(help("correct it in the suite, or leave it out for the default"))]
    Value {
        /// The setting, its value, and what was expected.
        mistake: String,
    },
    /// The device does not open.
    #[error("{reason}")]
    #[diagnostic(help("choose another `--device`"))]
    Device {
        /// What the device says.
        reason: String,
    },
}

impl BuildError {
    /// Whether a definition is at fault, not the machine.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Settings(_) | Self::Value { .. } | Self::Remote(_) => true,
            Self::PpOcr(error) => error.is_usage(),
            Self::Judge(error) => error.is_usage(),
            Self::Asset(_) | Self::Model(_) | Self::Device { .. } => false,
        }
    }
}

/// Why one output could not be observed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ObserveError {
    /// A short stable word for the record.
    pub kind: &'static str,
    /// What happened, for people.
    pub message: String,
    /// Set when no further output can be observed.
    pub halt: Option<Halt>,
}

/// Why the run ends. What is finished is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// Ctrl-C was pressed while waiting.
    Interrupted,
    /// A bound that the user set is reached, such as a budget.
    Incomplete {
        /// What can be done.
        help: String,
    },
    /// Something that the observer needs is no longer there.
    Environment {
        /// What can be done.
        help: String,
    },
}

impl ObserveError {
    /// An error of one output.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            halt: None,
        }
    }

    /// The same error, which also ends the run.
    #[must_use]
    pub fn halting(mut self, halt: Halt) -> Self {
        self.halt = Some(halt);
        self
    }
}

impl From<serde_json::Error> for ObserveError {
    fn from(error: serde_json::Error) -> Self {
        Self::new("json", format!("a record has no JSON form: {error}"))
    }
}
