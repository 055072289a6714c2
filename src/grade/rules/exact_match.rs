//! `exact-match`: right when the text equals one of the answers.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::evidence::TextReading;
use crate::text::normalise::Normalise;
use schemars::JsonSchema;
use serde::Deserialize;

/// The description of `exact-match`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<ExactMatchOptions>(
    "exact-match",
    "Right when the text equals an answer.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(ExactMatch(options.read()?))),
);

/// Options of `exact-match`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExactMatchOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// What does not count in a comparison.
    pub normalise: Normalise,
}

/// Score 1 when the normalised text equals a normalised answer, else 0.
pub(super) struct ExactMatch(pub ExactMatchOptions);

impl Rule for ExactMatch {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let options = &self.0;
        let observer = options.observer.as_deref();
        let reading = match reading::read(case, options.from, observer, &options.normalise) {
            Ok(reading) => reading,
            Err(why) => return Verdict::unscored(why),
        };
        let equal = reading
            .answers
            .iter()
            .find(|a| a.compared == reading.compared);
        let said = quote(reading.said);
        match equal {
            Some(answer) => Verdict::scored(
                1.0,
                true,
                format!("said {said}, equal to {}", quote(&answer.given)),
            ),
            None => {
                let expected = quote(&reading.answers[0].given);
                Verdict::scored(0.0, false, format!("said {said}, expected {expected}"))
            }
        }
    }
}
