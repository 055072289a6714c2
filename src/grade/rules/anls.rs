//! `anls`: average normalised Levenshtein similarity, the metric of text questions on pictures.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::evidence::TextReading;
use crate::text::distance;
use crate::text::normalise::Normalise;
use schemars::JsonSchema;
use serde::Deserialize;

/// The description of `anls`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<AnlsOptions>(
    "anls",
    "ANLS of DocVQA: how near the nearest answer is in edits, and 0 beyond a threshold.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(Anls::new(options.read()?)?)),
);

/// Options of `anls`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AnlsOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// What does not count in a comparison.
    pub normalise: Normalise,
    /// Normalised distance from which an answer is worth nothing, in 0..=1. Default: 0.5.
    pub threshold: f64,
    /// Whether a distance of exactly the threshold is still worth something, as in the script of DocVQA's
    /// leaderboard.
    pub inclusive: bool,
}

impl Default for AnlsOptions {
    fn default() -> Self {
        Self {
            from: From::default(),
            observer: None,
            normalise: Normalise::default(),
            threshold: 0.5,
            inclusive: false,
        }
    }
}

/// Biten et al., ICCV 2019: with d = Levenshtein distance of characters / length of the longer text, an
/// answer is worth 1 − d when d is below the threshold (strictly, unless `inclusive`) and 0 otherwise; the
/// best answer counts. `correct` means worth more than nothing. Two empty texts have distance 0.
#[derive(Debug)]
pub(super) struct Anls(AnlsOptions);

impl Anls {
    /// # Errors
    /// Fails if the threshold is outside 0..=1.
    pub(super) fn new(options: AnlsOptions) -> Result<Self, OptionError> {
        if !(0.0..=1.0).contains(&options.threshold) {
            return Err(OptionError::value(
                "threshold",
                options.threshold,
                "a number in 0..=1",
            ));
        }
        Ok(Self(options))
    }
}

impl Rule for Anls {
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
        let accepted =
            distance < options.threshold || (options.inclusive && distance == options.threshold);
        let score = if accepted { 1.0 - distance } else { 0.0 };
        let reason = format!(
            "said {}, nearest answer {}: normalised distance {distance:.4} {} {}",
            quote(reading.said),
            quote(&answer.given),
            match (accepted, options.inclusive) {
                (true, false) => "<",
                (true, true) => "≤",
                (false, false) => "≥",
                (false, true) => ">",
            },
            options.threshold
        );
        Verdict::scored(score, accepted, reason)
    }
}
