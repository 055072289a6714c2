//! `relaxed-accuracy`: right when a number is near enough, or a text is the same.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Case, Rule, Verdict};
use crate::python;
use crate::python::whitespace::strip;
use crate::record::evidence::TextReading;
use schemars::JsonSchema;
use serde::Deserialize;

/// The description of `relaxed-accuracy`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<RelaxedAccuracyOptions>(
    "relaxed-accuracy",
    "ChartQA: right when a number is near enough to the answer, or the text is the same.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(RelaxedAccuracy::new(options.read()?)?)),
);

/// Options of `relaxed-accuracy`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RelaxedAccuracyOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// Largest accepted difference as a part of the answer. Default: 0.05.
    pub relative: f64,
}

impl Default for RelaxedAccuracyOptions {
    fn default() -> Self {
        Self {
            from: From::default(),
            observer: None,
            relative: 0.05,
        }
    }
}

/// ChartQA's measure (Masry et al., ACL Findings 2022, section 5.1; the test as in Qwen-VL's
/// `evaluate_vqa.py`). The whole reply, without white space around it, is the answer. If it and the right
/// answer are both numbers (`12%` is 0.12; a number with a comma is a text) and the right one is not 0, they
/// may differ by `relative`. Everything else must be equal except for case. The best of several answers
/// counts. No number is looked for inside a sentence.
#[derive(Debug)]
pub(super) struct RelaxedAccuracy(RelaxedAccuracyOptions);

impl RelaxedAccuracy {
    /// # Errors
    /// Fails if the tolerance is negative or not finite.
    pub(super) fn new(options: RelaxedAccuracyOptions) -> Result<Self, OptionError> {
        if !(options.relative >= 0.0 && options.relative.is_finite()) {
            return Err(OptionError::value(
                "relative",
                options.relative,
                "0 or more",
            ));
        }
        Ok(Self(options))
    }

    fn compare(&self, said: &str, answer: &str) -> Comparison {
        let wanted = number(answer).filter(|wanted| *wanted != 0.0);
        match (number(said), wanted) {
            (Some(given), Some(wanted)) => {
                let difference = (given - wanted).abs() / wanted.abs();
                Comparison {
                    right: difference <= self.0.relative,
                    how: format!(
                        "as numbers, {given} differs from {wanted} by {difference:.4} of it (up to {} is right)",
                        self.0.relative
                    ),
                }
            }
            _ => {
                let right = said.to_lowercase() == answer.to_lowercase();
                let equal = if right { "equal" } else { "not equal" };
                Comparison {
                    right,
                    how: format!("as texts, {equal} to {}", quote(answer)),
                }
            }
        }
    }
}

struct Comparison {
    right: bool,
    how: String,
}

/// A number as ChartQA's script reads it.
fn number(text: &str) -> Option<f64> {
    match text.strip_suffix('%') {
        Some(_) => python::float::parse(text.trim_end_matches('%')).map(|value| value / 100.0),
        None => python::float::parse(text),
    }
}

impl Rule for RelaxedAccuracy {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let observer = self.0.observer.as_deref();
        let read = reading::model_words(case, self.0.from, observer)
            .and_then(|said| Ok((said, reading::answers(case)?)));
        let (said, answers) = match read {
            Ok(read) => read,
            Err(why) => return Verdict::unscored(why),
        };
        let compared: Vec<Comparison> = answers
            .iter()
            .map(|answer| self.compare(strip(said), answer))
            .collect();
        let best = compared.iter().find(|one| one.right).or(compared.first());
        match best {
            Some(Comparison { right, how }) => Verdict::scored(
                f64::from(u8::from(*right)),
                *right,
                format!("said {}; {how}", quote(said)),
            ),
            None => Verdict::unscored(Lack::of_record("the item has no answer")),
        }
    }
}
