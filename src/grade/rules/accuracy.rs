//! `accuracy`: character or word accuracy of a transcription.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Case, Rule, Verdict};
use crate::python::whitespace;
use crate::record::Grade;
use crate::record::evidence::TextReading;
use crate::text::count::counted;
use crate::text::normalise::Normalise;
use crate::text::{distance, multiset};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::hash::Hash;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
    #[default]
    /// Characters.
    Character,
    /// Parts between whitespace.
    Word,
}

/// How it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Measure {
    /// 1 − CER or 1 − WER. The order counts, and additions cost.
    #[default]
    Error,
    /// Share of the reference units found, in any order. Additions cost nothing.
    Recall,
}

/// The description of `accuracy`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<AccuracyOptions>(
    "accuracy",
    "One minus the rate of wrong characters or words, or the share of them that is found.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(Accuracy(options.read()?))),
);

/// Options of `accuracy`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AccuracyOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// What does not count in a comparison.
    pub normalise: Normalise,
    /// What is counted. Default: characters.
    pub unit: Unit,
    /// How it is counted. Default: the errors.
    pub measure: Measure,
}

/// Accuracy = (reference units − errors) / reference units. With the measure `error`, errors are the
/// Levenshtein edits. With the measure `recall`, they are the units of the reference without an equal unit of
/// their own in the text. The best answer counts.
///
/// An output's score is at least 0. Averages divide sums with unclipped errors, so that the overall value of
/// measure `error` is 1 − the corpus CER (WER). It is below 0 for a model that writes far too much. `correct`
/// means no error. Parts: `errors`, `reference` (units).
pub(super) struct Accuracy(pub AccuracyOptions);

struct Count {
    errors: usize,
    reference: usize,
}

impl Accuracy {
    fn count(&self, said: &str, answer: &str) -> Count {
        match self.0.unit {
            Unit::Character => self.count_units(said.chars(), answer.chars()),
            Unit::Word => self.count_units(whitespace::words(said), whitespace::words(answer)),
        }
    }

    fn count_units<T: Eq + Hash + Copy>(
        &self,
        said: impl Iterator<Item = T>,
        answer: impl Iterator<Item = T>,
    ) -> Count {
        let answer: Vec<T> = answer.collect();
        let errors = match self.0.measure {
            Measure::Error => distance::levenshtein(&answer, &said.collect::<Vec<T>>()),
            Measure::Recall => multiset::intersect(answer.iter().copied(), said)
                .missing
                .len(),
        };
        Count {
            errors,
            reference: answer.len(),
        }
    }

    fn unit_name(&self) -> &'static str {
        match self.0.unit {
            Unit::Character => "character",
            Unit::Word => "word",
        }
    }
}

impl Rule for Accuracy {
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
            .map(|a| (self.count(&reading.compared, &a.compared), a))
            .filter(|(count, _)| count.reference > 0)
            .min_by(|(x, _), (y, _)| (x.errors * y.reference).cmp(&(y.errors * x.reference)));
        let Some((Count { errors, reference }, answer)) = best else {
            return Verdict::unscored(Lack::of_record(
                "every answer of the item normalises to nothing",
            ));
        };
        let reason = format!(
            "said {}, reference {}: {} in {}",
            quote(reading.said),
            quote(&answer.given),
            counted(errors, "error"),
            counted(reference, self.unit_name())
        );
        let (errors, reference) = (errors as f64, reference as f64);
        Verdict {
            parts: BTreeMap::from([("errors".into(), errors), ("reference".into(), reference)]),
            ..Verdict::scored((1.0 - errors / reference).max(0.0), errors == 0.0, reason)
        }
    }

    fn fraction(&self, grade: &Grade) -> Option<(f64, f64)> {
        grade.score?;
        let (errors, reference) = (grade.parts.get("errors")?, grade.parts.get("reference")?);
        Some((reference - errors, *reference))
    }
}
