//! What can be wrong with a reward.

use crate::config::ConfigError;
use crate::grade::error::RuleError;

/// Why a reward cannot be opened.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RewardError {
    /// The definition has a mistake, or cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Definition(#[from] ConfigError),
    /// The rule of a component cannot be built.
    #[error("{place}: {source}")]
    Rule {
        /// The reward and its component, in words.
        place: String,
        /// What is wrong with the rule.
        #[diagnostic_source]
        source: RuleError,
    },
}
