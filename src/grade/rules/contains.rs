//! `contains`: right when one of the answers occurs in the text.

use super::reading::{self, From, quote};
use super::{Case, Rule, Verdict};
use crate::text::normalise::Normalise;
use serde::Deserialize;

/// Options of `contains`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    pub from: From,
    /// The OCR observer to believe where there are several.
    pub observer: Option<String>,
    pub normalise: Normalise,
}

/// Score 1 when a normalised answer is a part of the normalised text, else 0. An answer that normalises to nothing
/// would occur everywhere and is passed over; when all do, the output is unscored.
pub struct Contains(pub Options);

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
            return Verdict::unscored("every answer of the item normalises to nothing");
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
