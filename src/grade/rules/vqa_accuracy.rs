//! `vqa-accuracy`: agreement with ten people, the metric of VQAv2 and TextVQA.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Case, Rule, Verdict};
use crate::python::whitespace::strip;
use crate::record::evidence::TextReading;
use crate::text::vqa;
use schemars::JsonSchema;
use serde::Deserialize;

/// Whose evaluation script is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Normalisation {
    /// TextVQA's: reply and answers are always normalised.
    #[default]
    Textvqa,
    /// VQAv2's: both sides are normalised only when the people's answers differ among each other.
    VqaV2,
}

/// The description of `vqa-accuracy`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<VqaAccuracyOptions>(
    "vqa-accuracy",
    "VQAv2 and TextVQA: agreement with the answers of ten people.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(VqaAccuracy(options.read()?))),
);

/// Options of `vqa-accuracy`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct VqaAccuracyOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// Whose evaluation script is followed. Default: that of TextVQA.
    pub normalisation: Normalisation,
}

/// For each of the people's answers in turn: the number of the *other* answers that equal the reply, divided
/// by three, at most 1. The score is the mean (Goyal et al., CVPR 2017). `correct` means a score of 1. A
/// single answer has no other answers, so it scores 0.
pub(super) struct VqaAccuracy(pub VqaAccuracyOptions);

impl VqaAccuracy {
    /// Reply and answers as they are compared.
    fn comparable(&self, said: &str, answers: &[impl AsRef<str>]) -> (String, Vec<String>) {
        let all = |how: &dyn Fn(&str) -> String| {
            let answers = answers.iter().map(|answer| how(answer.as_ref()));
            (how(said), answers.collect::<Vec<String>>())
        };
        match self.0.normalisation {
            Normalisation::Textvqa => all(&vqa::textvqa),
            Normalisation::VqaV2 => {
                let tidy = |text: &str| strip(&text.replace(['\n', '\t'], " ")).to_owned();
                let (said, answers) = all(&tidy);
                if answers.windows(2).all(|pair| pair[0] == pair[1]) {
                    return (said, answers);
                }
                all(&|text| vqa::digits_and_articles(&vqa::punctuation(&tidy(text))))
            }
        }
    }
}

impl Rule for VqaAccuracy {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let observer = self.0.observer.as_deref();
        let read = reading::model_words(case, self.0.from, observer)
            .and_then(|said| Ok((said, reading::answers(case)?)));
        let (said, answers) = match read {
            Ok(read) => read,
            Err(why) => return Verdict::unscored(why),
        };
        let (compared, people) = self.comparable(said, &answers);
        let agreeing = people.iter().filter(|answer| **answer == compared).count();
        let score = agreement(agreeing, people.len());
        let mut reason = format!(
            "said {}, compared as {}: {agreeing} of {} answers agree",
            quote(said),
            quote(&compared),
            people.len()
        );
        if agreeing == 0 {
            let first = answers.first().map_or("", |answer| answer.as_ref());
            reason.push_str(&format!("; the first answer is {}", quote(first)));
        }
        Verdict::scored(score, score == 1.0, reason)
    }
}

/// The mean over all answers of min(1, agreeing others / 3).
fn agreement(agreeing: usize, people: usize) -> f64 {
    let worth = |others: usize| (others as f64 / 3.0).min(1.0);
    let disagreeing = people - agreeing;
    let sum =
        agreeing as f64 * worth(agreeing.saturating_sub(1)) + disagreeing as f64 * worth(agreeing);
    sum / people as f64
}
