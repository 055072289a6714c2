//! `mmmu`: MMMU's rule, options and open questions (Yue et al., CVPR 2024; `eval/eval_utils.py` of
//! MMMU-Benchmark/MMMU at 51ce7f3e829c16bb44bc5445782686b4c3508794).

mod open;

use super::multiple_choice;
use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::evidence::TextReading;
use schemars::JsonSchema;
use serde::Deserialize;

/// The description of `mmmu`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<MmmuOptions>(
    "mmmu",
    "MMMU: multiple-choice and open questions.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(Mmmu(options.read()?))),
);

/// Options of `mmmu`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MmmuOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
}

/// An item with `expect.options` is graded as `multiple-choice` does. If the official script reads no option,
/// it guesses one, but here that reply is wrong. Any other item is an open question, which is read in the
/// official way: it is right when one of `expect.answers` is among the phrases and numbers that the reply
/// gives as its answer.
pub(super) struct Mmmu(pub MmmuOptions);

impl Rule for Mmmu {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }
}

impl Mmmu {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let said = reading::model_words(case, self.0.from, self.0.observer.as_deref())?;
        if case.item.expect.contains_key("options") {
            return multiple_choice::verdict(said, case.item);
        }
        let answers = reading::answers(case)?;
        let found = open::read(said);
        let right = answers.iter().find(|answer| open::is_right(&found, answer));
        let extracted: Vec<String> = found.iter().take(6).map(ToString::to_string).collect();
        let extracted = match extracted.as_slice() {
            [] => "nothing".to_owned(),
            some => some.join(", "),
        };
        let expected = right
            .or(answers.first())
            .map_or("", |answer| answer.as_ref());
        let reason = format!(
            "said {}, extracted {extracted} (open question: what follows words of conclusion, and the numbers in it), expected {}",
            quote(said),
            quote(expected)
        );
        let correct = right.is_some();
        Ok(Verdict::scored(
            f64::from(u8::from(correct)),
            correct,
            reason,
        ))
    }
}
