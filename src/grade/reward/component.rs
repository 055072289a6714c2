//! One component of a reward: when it applies, and its value.

use super::error::RewardError;
use super::fault::{Fault, FaultKind};
use crate::config::{Combine, ConfigError, Effect, PatternOf, RewardComponent};
use crate::grade::answer;
use crate::grade::by_name::build;
use crate::grade::rule::{Case, Rule};
use crate::record::Output;
use regex::Regex;

/// The key of an output under which its thought stands.
const THOUGHT: &str = "thought";

/// A component with its rule built.
pub(super) struct Component {
    definition: RewardComponent,
    source: Source,
}

/// Where the number comes from.
enum Source {
    Rule(Box<dyn Rule>),
    Pattern(Regex),
}

/// What a component says of an output.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Value {
        /// The number of the rule.
        raw: f64,
        /// The same through the scale.
        value: f64,
    },
    Fault(Fault),
}

impl Component {
    /// # Errors
    /// Fails if the rule or its options have mistakes, or the pattern is no regular expression.
    pub(super) fn open(reward: &str, definition: &RewardComponent) -> Result<Self, RewardError> {
        let place = || format!("reward `{reward}`, component `{}`", definition.name);
        let source = match (&definition.rule, &definition.pattern) {
            (Some(rule), _) => {
                let rule = build(rule, &definition.options);
                Source::Rule(rule.map_err(|source| RewardError::Rule {
                    place: place(),
                    source,
                })?)
            }
            (None, pattern) => {
                let pattern = Regex::new(pattern.as_deref().unwrap_or_default());
                let told = |error| ConfigError::new(format!("{}: {error}", place()), None);
                Source::Pattern(pattern.map_err(told)?)
            }
        };
        Ok(Self {
            definition: definition.clone(),
            source,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.definition.name
    }

    /// The weight before the multipliers of classes.
    pub(super) fn weight(&self) -> f64 {
        self.definition.weight
    }

    pub(super) fn is_gate(&self) -> bool {
        self.definition.effect == Effect::Gate
    }

    /// The rule, if it has one.
    pub(super) fn rule(&self) -> Option<&dyn Rule> {
        match &self.source {
            Source::Rule(rule) => Some(rule.as_ref()),
            Source::Pattern(_) => None,
        }
    }

    /// Whether it applies to the prompt of a case: by its classes, and by what its rule needs.
    pub(super) fn applies(&self, case: &Case<'_>, classes: &[String]) -> bool {
        let only = &self.definition.only;
        if !only.is_empty() && !only.iter().any(|class| classes.contains(class)) {
            return false;
        }
        match &self.source {
            Source::Rule(rule) => {
                let needed = rule.needs();
                let has = |key: &&str| case.item.expect.get(*key).is_some_and(is_something);
                needed.is_empty() || needed.iter().any(has)
            }
            Source::Pattern(_) => case
                .output
                .is_some_and(|output| self.words(output).is_some()),
        }
    }

    /// The words that the pattern is looked for in. `None` if the model writes none.
    fn words<'a>(&self, output: &'a Output) -> Option<&'a str> {
        let text = output.text.as_deref();
        match self.definition.of {
            PatternOf::Text => text,
            PatternOf::Thought => {
                let thought = output
                    .extra
                    .get(THOUGHT)
                    .and_then(serde_json::Value::as_str);
                thought.or(text)
            }
        }
    }

    /// The value for a case to which it applies.
    pub(super) fn value(&self, case: &Case<'_>, combine: Combine) -> Outcome {
        match self.raw(case) {
            Ok(raw) if !raw.is_finite() => Outcome::Fault(Fault::new(
                FaultKind::OutOfScale,
                format!("the number is {raw}, which is not finite"),
            )),
            Ok(raw) => self.scaled(raw, combine),
            Err(fault) => Outcome::Fault(fault),
        }
    }

    fn raw(&self, case: &Case<'_>) -> Result<f64, Fault> {
        match &self.source {
            Source::Rule(rule) => {
                let verdict = answer::grade(rule.as_ref(), case);
                let why = || Fault::of_rule(verdict.why_unscored());
                verdict.score.ok_or_else(why)
            }
            Source::Pattern(pattern) => {
                let words = case.output.and_then(|output| self.words(output));
                let found = words.is_some_and(|words| pattern.is_match(words));
                Ok(f64::from(u8::from(found)))
            }
        }
    }

    fn scaled(&self, raw: f64, combine: Combine) -> Outcome {
        let bounded = combine == Combine::Mean || self.is_gate();
        let value = match self.definition.scale {
            // A z-score takes the place of the scale.
            Some(_) if combine == Combine::Normalise && !self.is_gate() => raw,
            // Adding 0 makes −0 a 0.
            Some([zero, one]) => ((raw - zero) / (one - zero)).clamp(0.0, 1.0) + 0.0,
            None if bounded && !(0.0..=1.0).contains(&raw) => {
                let name = self.name();
                let message = format!(
                    "out of scale: the number is {raw}, and it must be in 0..1; give component `{name}` a `scale`"
                );
                return Outcome::Fault(Fault::new(FaultKind::OutOfScale, message));
            }
            None => raw,
        };
        Outcome::Value { raw, value }
    }
}

/// Whether a value of an item's `expect` is something: neither null nor empty.
fn is_something(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null => false,
        serde_json::Value::Array(list) => !list.is_empty(),
        serde_json::Value::String(text) => !text.is_empty(),
        _ => true,
    }
}
