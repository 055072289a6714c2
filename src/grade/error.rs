//! What can be wrong with a suite's choice of rule.

use super::reward::RewardError;
use crate::config::ConfigError;
use crate::text::wordnet::WordNetError;

/// A mistake in a suite's choice of rule.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RuleError {
    /// No rule has this name.
    #[error("unknown grading rule {name:?}")]
    #[diagnostic(help("{help}"))]
    Unknown {
        /// The name that the suite gives.
        name: String,
        /// The rules that there are.
        help: String,
    },
    /// An option has the wrong type, or no rule of this name has it.
    #[error("options of grading rule {rule}: {source}")]
    Options {
        /// The rule's name.
        rule: String,
        /// The mistake, with its place.
        #[diagnostic_source]
        source: ConfigError,
    },
    /// A number is out of range.
    #[error("option `{option}` of grading rule {rule} is {value}; expected {expected}")]
    #[diagnostic(help("leave the option out to take the default"))]
    Value {
        /// The rule's name.
        rule: &'static str,
        /// The option's name.
        option: &'static str,
        /// The number that the suite gives.
        value: f64,
        /// The numbers that are possible, in words.
        expected: &'static str,
    },
    /// WordNet cannot be read.
    #[error("option `wordnet` of grading rule {rule}: {problem}")]
    #[diagnostic(help(
        "name the folder with WordNet's `index.noun` and the like, or the archive wordnet.zip of NLTK's data; `unigauge fetch wordnet` fetches it"
    ))]
    WordNet {
        /// The rule's name.
        rule: &'static str,
        /// Why it cannot be read.
        problem: WordNetError,
    },
    /// The reward that the rule grades by has a mistake, or there is none of its name.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Reward(Box<dyn miette::Diagnostic + Send + Sync>),
    /// A word is none of those that the rule knows.
    #[error("option `{option}` of grading rule {rule} is {value:?}; expected {expected}")]
    #[diagnostic(help("leave the option out to take the default"))]
    Choice {
        /// The rule's name.
        rule: &'static str,
        /// The option's name.
        option: &'static str,
        /// The word that the suite gives.
        value: &'static str,
        /// The words that are possible.
        expected: &'static str,
    },
}

/// A mistake in a rule's options, as the rule itself finds it: its description adds the rule's name.
#[derive(Debug)]
pub(super) enum OptionError {
    /// An option is unknown or has the wrong type.
    Settings(ConfigError),
    /// A number is out of range.
    Value {
        /// The option's name.
        option: &'static str,
        /// The number that the suite gives.
        value: f64,
        /// The numbers that are possible, in words.
        expected: &'static str,
    },
    /// A word is none of those that the rule knows.
    Choice {
        /// The option's name.
        option: &'static str,
        /// The word that the suite gives.
        value: &'static str,
        /// The words that are possible.
        expected: &'static str,
    },
    /// WordNet cannot be read.
    WordNet(WordNetError),
    /// A reward cannot be opened.
    Reward(Box<RewardError>),
}

impl OptionError {
    /// A number that is out of range.
    pub(super) fn value(option: &'static str, value: f64, expected: &'static str) -> Self {
        Self::Value {
            option,
            value,
            expected,
        }
    }

    /// The same mistake with the name of the rule.
    pub(super) fn with_rule(self, rule: &'static str) -> RuleError {
        match self {
            Self::Settings(source) => RuleError::Options {
                rule: rule.to_owned(),
                source,
            },
            Self::Value {
                option,
                value,
                expected,
            } => RuleError::Value {
                rule,
                option,
                value,
                expected,
            },
            Self::Choice {
                option,
                value,
                expected,
            } => RuleError::Choice {
                rule,
                option,
                value,
                expected,
            },
            Self::WordNet(problem) => RuleError::WordNet { rule, problem },
            Self::Reward(error) => RuleError::Reward(error),
        }
    }
}

impl From<ConfigError> for OptionError {
    fn from(error: ConfigError) -> Self {
        Self::Settings(error)
    }
}

impl From<RewardError> for OptionError {
    fn from(error: RewardError) -> Self {
        Self::Reward(Box::new(error))
    }
}

impl From<WordNetError> for OptionError {
    fn from(error: WordNetError) -> Self {
        Self::WordNet(error)
    }
}
