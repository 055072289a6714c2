//! How a command fails: a report for the user and an exit code.

use crate::config::ConfigError;
use crate::exit::Exit;
use crate::run::RunError;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    pub report: miette::Report,
    pub exit: Exit,
}

impl Failure {
    pub fn new(exit: Exit, report: impl Into<miette::Report>) -> Self {
        Self { exit, report: report.into() }
    }

    /// Wrong usage, in one sentence and a remedy.
    pub fn usage(message: impl std::fmt::Display, help: impl std::fmt::Display) -> Self {
        Self::told(Exit::Usage, message, help)
    }

    /// The environment lacks something.
    pub fn environment(message: impl std::fmt::Display, help: impl std::fmt::Display) -> Self {
        Self::told(Exit::Environment, message, help)
    }

    /// Nothing was selected.
    pub fn nothing(message: impl std::fmt::Display, help: impl std::fmt::Display) -> Self {
        Self::told(Exit::NothingSelected, message, help)
    }

    /// Outputs are missing, failed or not scored.
    pub fn incomplete(message: impl std::fmt::Display, help: impl std::fmt::Display) -> Self {
        Self::told(Exit::Incomplete, message, help)
    }

    fn told(exit: Exit, message: impl std::fmt::Display, help: impl std::fmt::Display) -> Self {
        Self { exit, report: miette::miette!(help = help.to_string(), "{message}") }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match &error {
            RunError::Io { environment: true, .. } | RunError::Generator { .. } | RunError::Locked { .. } => {
                Exit::Environment
            }
            RunError::NotARun { .. } | RunError::Line { .. } => Exit::Usage,
            RunError::Shards { .. } => Exit::Incomplete,
            RunError::Io { .. } | RunError::Invalid(_) => Exit::Unexpected,
        };
        Self::new(exit, error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Usage, error)
    }
}
