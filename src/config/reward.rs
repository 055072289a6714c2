//! The definition of a reward: which observers look, which rules grade what they saw, and how the numbers of
//! several rules become one.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::{Kind, Loaded, Origin, check_name, find};
use crate::config::reward_check;
use crate::config::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A reward (`configs/rewards/NAME.toml`).
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RewardDefinition {
    /// Short name: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// The name in tables and charts.
    #[serde(default)]
    pub title: String,
    /// What the reward is for, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// Where the reward comes from, and which of its numbers do not.
    #[serde(default)]
    pub source: String,
    /// How the values of the components become one number.
    #[serde(default)]
    pub combine: Combine,
    /// The reward of an output that the model failed to make, or whose picture is broken. Default: it has
    /// none. With `combine = "normalise"` it stands beside rewards whose mean is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_output: Option<f64>,
    /// The observers that look at an output. Evidence of other observers does not count.
    #[serde(default)]
    pub observers: Vec<String>,
    /// Options of the observers, by their names.
    #[serde(default)]
    pub observe: BTreeMap<String, Settings>,
    /// What a reader of the numbers must know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What is weighed.
    #[schemars(length(min = 1))]
    pub components: Vec<RewardComponent>,
    /// Classes of prompts, for weights that depend on the prompt.
    #[serde(default)]
    pub classes: Vec<PromptClass>,
}

/// How the values of several components become one number.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// Their weighted mean. Each value must be in 0..1, so the reward is too, for every prompt.
    #[default]
    Mean,
    /// Their weighted sum.
    Sum,
    /// The weighted mean of their z-scores within a group: the outputs of one item, or the rollouts of one
    /// prompt. Scales have no effect then.
    Normalise,
}

/// One number that is weighed: that of a grading rule, or of a pattern in the output's words.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RewardComponent {
    /// Short name: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// The grading rule whose score is the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The options of that rule.
    #[serde(default)]
    pub options: Settings,
    /// A regular expression, instead of a rule: the number is 1 if it matches anywhere, else 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The words that the pattern is looked for in.
    #[serde(default)]
    pub of: PatternOf,
    /// The two numbers of the rule that become 0 and 1, with a straight line between them and cut off at both
    /// ends. The first is the larger one where less is better. Default: the number stays what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f64; 2]>,
    /// How much it counts, before the multipliers of the prompt's classes.
    #[serde(default = "one")]
    pub weight: f64,
    /// The classes of prompts that it applies to. Default: every prompt.
    #[serde(default)]
    pub only: Vec<String>,
    /// What the value does to the reward.
    #[serde(default)]
    pub effect: Effect,
}

/// The words that a pattern is looked for in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PatternOf {
    /// The output's key `thought`: what the model wrote before it drew. An output without this key is
    /// searched in its text.
    #[default]
    Thought,
    /// The output's text.
    Text,
}

/// What the value of a component does to the reward.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is weighed with the others.
    #[default]
    Add,
    /// The reward is multiplied with it at the end, so 0 makes the whole reward 0. Its weight has no effect.
    Gate,
}

/// A class of prompts. A prompt has it if one of its conditions holds; a prompt may have several classes. An
/// item's tag `class` that is the name of a class, or `none`, replaces the conditions of all classes.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptClass {
    /// Short name: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// Condition: the item expects this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<Expects>,
    /// Condition: the prompt has a text in quotation marks.
    #[serde(default)]
    pub quotes: bool,
    /// Condition: the prompt has one of these words. English words are found as whole words, in small or
    /// capital letters, with or without an `s` at the end. Words with Chinese, Japanese or Korean characters
    /// are found anywhere, and such characters may stand beside an English word.
    #[serde(default)]
    pub words: Vec<String>,
    /// What the weights of components are multiplied with, by the components' names.
    #[serde(default)]
    pub weights: BTreeMap<String, f64>,
}

/// What an item may expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expects {
    /// Texts that the picture shows (`expect.texts`).
    Texts,
}

fn one() -> f64 {
    1.0
}

/// Loads a reward by name or by the path of its file; a relative path starts from `from`.
///
/// # Errors
/// Fails if there is no such reward or its definition has a mistake.
pub fn reward(name: &str, from: &Path) -> Result<Loaded<RewardDefinition>, ConfigError> {
    let (document, origin) = find(Kind::Reward, name, from)?;
    checked(document, origin)
}

/// The checks that go beyond types.
pub(super) fn checked(
    document: Document,
    origin: Origin,
) -> Result<Loaded<RewardDefinition>, ConfigError> {
    let mut reward: RewardDefinition = document.typed()?;
    check_name(&document, &reward.name)?;
    for (index, component) in reward.components.iter_mut().enumerate() {
        component.options = document.settings(&["components", &index.to_string(), "options"]);
    }
    for (observer, options) in &mut reward.observe {
        *options = document.settings(&["observe", observer]);
    }
    reward_check::check(&reward).map_err(|mistake| mistake.located(&document))?;
    Ok(Loaded {
        definition: reward,
        document,
        origin,
    })
}

impl RewardDefinition {
    /// Checks what the types cannot, for a definition that comes from no file.
    ///
    /// # Errors
    /// Fails if a name, a number or a pattern makes no sense; the message names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        reward_check::check(self).map_err(|mistake| mistake.unlocated(&self.name))
    }
}
