//! `edit-distance`: how near the text comes to the nearest answer.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::evidence::TextReading;
use crate::text::distance;
use crate::text::normalise::Normalise;
use schemars::JsonSchema;
use serde::Deserialize;

/// The description of `edit-distance`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<EditDistanceOptions>(
    "edit-distance",
    "One minus the normalised edit distance to the nearest answer.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(EditDistance(options.read()?))),
);

/// Options of `edit-distance`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EditDistanceOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// What does not count in a comparison.
    pub normalise: Normalise,
}

/// Score = 1 − Levenshtein distance of characters / length of the longer text, for the nearest answer. It is
/// 1 for two empty texts. `correct` means equal.
pub(super) struct EditDistance(pub EditDistanceOptions);

impl Rule for EditDistance {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let options = &self.0;
        let observer = options.observer.as_deref();
        let reading = match reading::read(case, options.from, observer, &options.normalise) {
            Ok(reading) => reading,
            Err(why) => return Verdict::unscored(why),
        };
        let best = reading
            .answers
            .iter()
            .map(|a| (distance::normalised(&reading.compared, &a.compared), a))
            .min_by(|x, y| x.0.total_cmp(&y.0));
        let Some((distance, answer)) = best else {
            return Verdict::unscored(Lack::of_record("the item has no answer"));
        };
        let reason = format!(
            "said {}, nearest answer {}: normalised distance {distance:.4}",
            quote(reading.said),
            quote(&answer.given)
        );
        Verdict::scored(1.0 - distance, distance == 0.0, reason)
    }
}
