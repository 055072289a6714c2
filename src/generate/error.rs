//! Why a generator or an output cannot be made.

use crate::config::ConfigError;
use crate::image::ImageError;
use crate::remote::RemoteError;

/// Why one output could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GenerateError {
    /// This output fails, and the run continues.
    #[error("{message}")]
    Item {
        /// A short stable word for the record.
        kind: &'static str,
        /// What went wrong, for people.
        message: String,
    },
    /// No further output can be made, for example because the server refuses the key or the program is not
    /// found. The run stops cleanly.
    #[error("{message}")]
    Fatal {
        /// What went wrong, for people.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// Ctrl-C was pressed while waiting.
    #[error("interrupted")]
    Cancelled,
}

impl GenerateError {
    /// The failure of one output. The run continues.
    pub fn item(kind: &'static str, message: impl Into<String>) -> Self {
        Self::Item {
            kind,
            message: message.into(),
        }
    }

    /// A failure that stops the run.
    pub fn fatal(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Fatal {
            message: message.into(),
            help: help.into(),
        }
    }
}

/// A picture that cannot be read is the failure of one output.
impl From<ImageError> for GenerateError {
    fn from(error: ImageError) -> Self {
        Self::item("image", error.to_string())
    }
}

impl From<RemoteError> for GenerateError {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Item { kind, message } => Self::Item { kind, message },
            RemoteError::Fatal { message, help } => Self::Fatal { message, help },
            RemoteError::Cancelled => Self::Cancelled,
        }
    }
}

/// Why a generator cannot be made.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BuildError {
    /// No generator has the name that the model's definition gives.
    #[error("there is no generator named `{name}`")]
    Unknown {
        /// The requested name.
        name: String,
        /// The names of all generators.
        #[help]
        help: String,
    },
    /// The settings have an unknown key or a value of the wrong type.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Settings(#[from] ConfigError),
    /// The generator's own code reports a mistake in the settings, or in a file that they name.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Own(Box<dyn miette::Diagnostic + Send + Sync>),
    /// The generator refuses to start.
    #[error("{message}")]
    Refused {
        /// What went wrong, for people.
        message: String,
        /// What to do about it.
        #[help]
        help: String,
    },
}

impl BuildError {
    /// An error that the generator's own file defines.
    pub fn own(error: impl miette::Diagnostic + Send + Sync + 'static) -> Self {
        Self::Own(Box::new(error))
    }
}

impl From<GenerateError> for BuildError {
    fn from(error: GenerateError) -> Self {
        let message = error.to_string();
        match error {
            GenerateError::Fatal { help, .. } => Self::Refused { message, help },
            GenerateError::Item { .. } | GenerateError::Cancelled => Self::Refused {
                message,
                help: "check the settings of the model".into(),
            },
        }
    }
}
