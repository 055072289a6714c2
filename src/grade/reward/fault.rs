//! Why a component of a reward has no value.

use crate::grade::lack::{Lack, LackKind};
use crate::record::Failure;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind of fault it is, for programs.
    pub kind: FaultKind,
    /// What happened and what to do, for people.
    pub message: String,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A request does not have the form that it must have.
    Schema,
    /// No reward or component has the name that was asked for.
    UnknownReward,
    /// The output's picture is absent or broken.
    Picture,
    /// The item or the output lacks what the rule needs, or has it in another form.
    Metadata,
    /// An observer failed or refused, or its evidence is absent or cannot be read.
    Observer,
    /// An observer took too long.
    Timeout,
    /// There is no room for more work at present.
    Overload,
    /// The number is outside of 0..1 where it must be inside, or it is not finite.
    OutOfScale,
    /// The group has too few outputs to compare them.
    Group,
}

impl FaultKind {
    /// The word for it in files and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::UnknownReward => "unknown_reward",
            Self::Picture => "picture",
            Self::Metadata => "metadata",
            Self::Observer => "observer",
            Self::Timeout => "timeout",
            Self::Overload => "overload",
            Self::OutOfScale => "out_of_scale",
            Self::Group => "group",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl Fault {
    /// A fault.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// Why the model made no output.
    pub(super) fn of_output(failure: &Failure) -> Self {
        let message = format!(
            "the output failed: {}: {}: {}",
            failure.stage, failure.kind, failure.message
        );
        Self::new(FaultKind::Picture, message)
    }

    /// What a rule says of an output that it cannot score.
    pub(super) fn of_rule(lack: Lack) -> Self {
        let (kind, remedy) = match lack.kind() {
            LackKind::Unseen => (FaultKind::Observer, UNSEEN),
            LackKind::Observer => (FaultKind::Observer, ""),
            LackKind::Record => (FaultKind::Metadata, ""),
            LackKind::Picture => (FaultKind::Picture, ""),
            LackKind::Timeout => (FaultKind::Timeout, ""),
            LackKind::Overload => (FaultKind::Overload, ""),
        };
        Self::new(kind, String::from(lack) + remedy)
    }
}

/// What to do where an observer has not looked.
const UNSEEN: &str =
    "; the reward's observers must look at the output: name them in the `observers` of the suite";
