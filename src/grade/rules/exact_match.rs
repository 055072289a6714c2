//! `exact-match`: right when the text equals one of the answers.

use super::reading::{self, From, quote};
use super::{Case, Rule, Verdict};
use crate::text::normalise::Normalise;
use serde::Deserialize;

/// Options of `exact-match`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    pub from: From,
    /// The OCR observer to believe where there are several.
    pub observer: Option<String>,
    pub normalise: Normalise,
}

/// Score 1 when the normalised text equals a normalised answer, else 0.
pub struct ExactMatch(pub Options);

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
