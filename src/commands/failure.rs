//! How a command fails: a report for the user and an exit code.

use crate::config::ConfigError;
use crate::exit::Exit;
use crate::files::FileError;
use crate::gate::BaselineError;
use crate::generate::folder::FolderError;
use crate::grade::RuleError;
use crate::grade::reward::RewardError;
use crate::hub::HubError;
use crate::report::ReportError;
use crate::run::RunError;
use crate::session::SessionError;
use crate::submit::SubmitError;
use crate::suite::SuiteError;
use crate::sync::SyncError;
use crate::table::FormatError;

/// A failed command.
#[derive(Debug)]
pub(super) struct Failure {
    /// The report for the user.
    pub report: miette::Report,
    /// The exit code for scripts.
    pub exit: Exit,
}

impl Failure {
    /// An error with its exit code.
    pub(super) fn new(exit: Exit, report: impl Into<miette::Report>) -> Self {
        Self {
            exit,
            report: report.into(),
        }
    }

    /// Wrong usage, with what to do.
    pub(super) fn usage(message: impl std::fmt::Display, help: impl std::fmt::Display) -> Self {
        Self::with_help(Exit::Usage, message, help)
    }

    /// The environment lacks something.
    pub(super) fn environment(
        message: impl std::fmt::Display,
        help: impl std::fmt::Display,
    ) -> Self {
        Self::with_help(Exit::Environment, message, help)
    }

    /// Nothing was selected.
    pub(super) fn nothing(message: impl std::fmt::Display, help: impl std::fmt::Display) -> Self {
        Self::with_help(Exit::NothingSelected, message, help)
    }

    /// Outputs are missing, failed or not scored.
    pub(super) fn incomplete(
        message: impl std::fmt::Display,
        help: impl std::fmt::Display,
    ) -> Self {
        Self::with_help(Exit::Incomplete, message, help)
    }

    /// Reading or writing failed in the middle of work.
    pub(super) fn io(error: std::io::Error) -> Self {
        Self::with_help(
            Exit::Unexpected,
            error,
            "check the disk and its permissions",
        )
    }

    fn with_help(
        exit: Exit,
        message: impl std::fmt::Display,
        help: impl std::fmt::Display,
    ) -> Self {
        Self {
            exit,
            report: miette::miette!(help = help.to_string(), "{message}"),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match &error {
            RunError::Io {
                environment: true, ..
            }
            | RunError::Generator { .. }
            | RunError::Observer {
                incomplete: false, ..
            } => Exit::Environment,
            RunError::Busy { .. } => Exit::Busy,
            RunError::Observer { .. } => Exit::Incomplete,
            RunError::NotARun { .. } | RunError::Line { .. } => Exit::Usage,
            RunError::Shards { .. } => Exit::Incomplete,
            RunError::Doubt { .. } => Exit::CheckFailed,
            RunError::Io { .. } | RunError::Invalid(_) => Exit::Unexpected,
        };
        Self::new(exit, error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        RunError::from(error).into()
    }
}

/// Errors with a fixed exit code.
macro_rules! ends_in {
    ($($error:ty => $exit:ident),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(Exit::$exit, error)
            }
        })+
    };
}

ends_in! {
    ConfigError => Usage,
    RuleError => Usage,
    RewardError => Usage,
    FolderError => Environment,
    HubError => Environment,
    ReportError => Unexpected,
    FormatError => Unexpected,
}

impl From<BaselineError> for Failure {
    fn from(error: BaselineError) -> Self {
        match error {
            BaselineError::Write(error) => error.into(),
            error => Self::new(Exit::Usage, error),
        }
    }
}

impl From<SuiteError> for Failure {
    fn from(error: SuiteError) -> Self {
        let exit = match error {
            SuiteError::Asset { .. } | SuiteError::NoPictureFolder { .. } => Exit::Environment,
            _ => Exit::Usage,
        };
        Self::new(exit, error)
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::File(error) => error.into(),
            error @ SubmitError::Template { .. } => Self::new(Exit::Usage, error),
            error => Self::new(Exit::Environment, error),
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        let exit = match error {
            SyncError::File(error) => return error.into(),
            SyncError::Run(error) => return error.into(),
            SyncError::Address { .. } | SyncError::Behind { .. } | SyncError::NoRun { .. } => {
                Exit::Usage
            }
            SyncError::Store { .. } => Exit::Environment,
            SyncError::Busy { .. } => Exit::Busy,
            SyncError::Name { .. } => Exit::Unexpected,
        };
        Self::new(exit, error)
    }
}

impl From<crate::generate::BuildError> for Failure {
    fn from(error: crate::generate::BuildError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<crate::observe::BuildError> for Failure {
    fn from(error: crate::observe::BuildError) -> Self {
        let exit = if error.is_usage() {
            Exit::Usage
        } else {
            Exit::Environment
        };
        Self::new(exit, error)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        use SessionError as Error;
        let exit = match error {
            Error::Config(error) => return error.into(),
            Error::Suite(error) => return error.into(),
            Error::Rule(error) => return error.into(),
            Error::Reward(error) => return error.into(),
            Error::Generator(error) => return error.into(),
            Error::Observer(error) => return error.into(),
            Error::Pictures(error) => return error.into(),
            Error::Asset(error) => return error.into(),
            Error::Run(error) => return error.into(),
            Error::Report(error) => return error.into(),
            Error::Sync(error) => return error.into(),
            Error::SharedName { .. }
            | Error::SharedModel { .. }
            | Error::SharedReward { .. }
            | Error::NoModel { .. }
            | Error::RunName { .. }
            | Error::Shard { .. }
            | Error::NotListed { .. }
            | Error::OtherPictures { .. }
            | Error::NoEngine { .. }
            | Error::NotAnEngine { .. }
            | Error::NotShipped { .. }
            | Error::OfflineStore { .. }
            | Error::ManifestSuite { .. } => Exit::Usage,
            Error::NothingSelected { .. }
            | Error::UnknownItems { .. }
            | Error::NoObservers { .. } => Exit::NothingSelected,
            Error::NotGraded { .. } => Exit::Incomplete,
            Error::NotTrained { .. } | Error::Device { .. } => Exit::Environment,
            Error::Unwritable { .. } => Exit::Unexpected,
        };
        Self::new(exit, error)
    }
}
