//! Rules by the names that suites and summaries give them.

use super::description::RuleDescription;
use super::error::RuleError;
use super::rule::Rule;
use super::rules::RULES;
use crate::config::Settings;
use serde_json::Value;

/// The description of the rule with a name.
///
/// # Errors
/// Fails if there is no such rule.
pub fn rule_description(name: &str) -> Result<&'static RuleDescription, RuleError> {
    let rule = RULES.iter().copied().find(|rule| rule.name == name);
    rule.ok_or_else(|| unknown_rule(name))
}

/// Builds a rule from the options of its suite.
///
/// # Errors
/// Fails if there is no such rule, an option is unknown or of the wrong type, or a value is out of range.
pub fn build(name: &str, options: &Settings) -> Result<Box<dyn Rule>, RuleError> {
    rule_description(name)?.build(options)
}

/// Builds the rule that a summary names in a note `{"rule", "options"}`.
///
/// # Errors
/// Fails when [`build`] fails.
pub fn build_from_note(note: &Value) -> Result<Box<dyn Rule>, RuleError> {
    let name = note["rule"].as_str().unwrap_or_default();
    let options: toml::Table = serde_json::from_value(note["options"].clone()).unwrap_or_default();
    let options = Settings::from_table(&options).map_err(|source| RuleError::Options {
        rule: name.to_owned(),
        source,
    })?;
    build(name, &options)
}

fn unknown_rule(name: &str) -> RuleError {
    let known: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len() / 2);
    let suggestion = match nearest {
        Some((_, candidate)) => format!("did you mean {candidate:?}? "),
        None => String::new(),
    };
    RuleError::Unknown {
        name: name.to_owned(),
        help: format!("{suggestion}the rules are {}", known.join(", ")),
    }
}
