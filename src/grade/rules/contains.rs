//! `contains`: right when one of the answers occurs in the text.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::evidence::TextReading;
use crate::text::normalise::Normalise;
use schemars::JsonSchema;
use serde::Deserialize;

/// The description of `contains`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<ContainsOptions>(
    "contains",
    "Right when the text contains an answer.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(Contains(options.read()?))),
);

/// Options of `contains`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ContainsOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// What does not count in a comparison.
    pub normalise: Normalise,
}

/// Score 1 when a normalised answer is a part of the normalised text, else 0. An answer that normalises to
/// nothing would occur everywhere, so it is skipped. If all do, the output has no score.
pub(super) struct Contains(pub ContainsOptions);

impl Rule for Contains {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let options = &self.0;
        let observer = options.observer.as_deref();
        let mut reading = match reading::read(case, options.from, observer, &options.normalise) {
            Ok(reading) => reading,
            Err(why) => return Verdict::unscored(why),
        };
        reading.answers.retain(|a| !a.compared.is_empty());
        let Some(first) = reading.answers.first() else {
            return Verdict::unscored(Lack::of_record(
                "every answer of the item normalises to nothing",
            ));
        };
        let contained = reading
            .answers
            .iter()
            .find(|a| reading.compared.contains(&a.compared));
        let said = quote(reading.said);
        match contained {
            Some(answer) => {
                let reason = format!("said {said}, which contains {}", quote(&answer.given));
                Verdict::scored(1.0, true, reason)
            }
            None => {
                let reason = format!("said {said}, which lacks {}", quote(&first.given));
                Verdict::scored(0.0, false, reason)
            }
        }
    }
}
