//! `page-ocr`: how near the text of a whole page comes to its reference, by the four measures of OCRBench v2.

use super::ocrbench_v2::text4::{meteor_note, text4};
use crate::grade::description::{OptionAsset, Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::evidence::TextReading;
use crate::text::wordnet::WordNet;
use schemars::JsonSchema;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The description of `page-ocr`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<PageOcrOptions>(
    "page-ocr",
    "The text of a whole page: the mean of BLEU, METEOR, F-measure and edit similarity.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(PageOcr::new(options.read()?)?)),
)
.with_assets(&[OptionAsset {
    option: "wordnet",
    asset: "wordnet",
}]);

/// Options of `page-ocr`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PageOcrOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// WordNet's folder or archive, for METEOR's synonyms. Default: that of `unigauge fetch wordnet`, if
    /// it was fetched.
    pub wordnet: Option<PathBuf>,
}

/// The mean of BLEU, METEOR, F-measure and 1 − edit distance. The best answer counts. A page on which nothing
/// was read is worth 0. Parts: `bleu`, `meteor`, `f_measure`, `edit_distance`. Metrics are their means over
/// outputs.
#[derive(Debug)]
pub(super) struct PageOcr {
    options: PageOcrOptions,
    wordnet: Option<WordNet>,
}

impl PageOcr {
    /// # Errors
    /// Fails if WordNet is named and cannot be read.
    pub(super) fn new(options: PageOcrOptions) -> Result<Self, OptionError> {
        let wordnet = options.wordnet.as_deref().map(WordNet::open).transpose()?;
        Ok(Self { options, wordnet })
    }
}

/// What was read, and the references.
fn read_both<'a>(
    case: &Case<'a>,
    options: &PageOcrOptions,
) -> Result<(&'a str, Vec<Cow<'a, str>>), Lack> {
    let said = reading::model_words(case, options.from, options.observer.as_deref())?;
    Ok((said, reading::answers(case)?))
}

impl Rule for PageOcr {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        let (said, answers) = match read_both(case, &self.options) {
            Ok(both) => both,
            Err(why) => return Verdict::unscored(why),
        };
        let compare = |answer| (text4(said, answer, self.wordnet.as_ref()), answer);
        let best = answers
            .iter()
            .filter(|answer| !answer.is_empty())
            .map(|answer| compare(&**answer));
        let Some((measures, answer)) = best.max_by(|(a, _), (b, _)| a.score.total_cmp(&b.score))
        else {
            return Verdict::unscored(Lack::of_record("every reference of the item is empty"));
        };
        let reason = format!(
            "said {}, reference {}: {}",
            quote(said),
            quote(answer),
            measures
        );
        let f_measure = measures.f_measure.map(|f| ("f_measure".to_owned(), f));
        let parts = [
            ("bleu".to_owned(), measures.bleu),
            ("meteor".to_owned(), measures.meteor),
            ("edit_distance".to_owned(), measures.edit_distance),
        ];
        Verdict {
            score: Some(if said.is_empty() { 0.0 } else { measures.score }),
            parts: parts.into_iter().chain(f_measure).collect(),
            reason,
            ..Verdict::default()
        }
    }

    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        let mut count = 0.0;
        for grade in board.grades.iter().filter(|grade| grade.score.is_some()) {
            for part in ["bleu", "meteor", "f_measure", "edit_distance"] {
                *sums.entry(part.to_owned()).or_default() += grade.parts.get(part).unwrap_or(&0.0);
            }
            count += 1.0;
        }
        sums.into_iter()
            .map(|(part, sum)| (part, sum / count))
            .collect()
    }

    fn notes(&self, _board: &Board<'_>) -> Vec<String> {
        vec![meteor_note(self.wordnet.as_ref())]
    }
}
