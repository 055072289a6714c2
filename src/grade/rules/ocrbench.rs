//! `ocrbench`: OCRBench's rule (`OCRBench/example.py` of Yuliang-Liu/MultimodalOCR, commit 794c36d6).

mod item;
mod official;
mod totals;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::reading::{From, model_words, quote};
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::python::whitespace::strip;
use item::{dataset, read_answers};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use totals::Averaging;

/// The data set whose answers are formulas.
const FORMULAS: &str = "HME100k";

/// The largest number of answers that a reason lists.
const LISTED: usize = 5;

/// The description of `ocrbench`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<OcrBenchOptions>(
    "ocrbench",
    "OCRBench: right when the text contains an answer.",
    &[Reads::Answer],
    |options| Ok(Box::new(OcrBench(options.read()?))),
)
.with_official_files(&["OCRBench.json"]);

/// Options of `ocrbench`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OcrBenchOptions {
    /// What the official script prints at the end. Default: the totals.
    pub averaging: Averaging,
}

/// Score 1 when an answer is a part of the output's text, else 0. Both are compared in lower case, with the
/// ends stripped and line feeds made blanks. In formulas the case is kept and all blanks are removed. An
/// answer that becomes empty occurs everywhere, and an empty list of answers nowhere. The mean leaves out
/// what has no score, but the totals count it as 0.
#[derive(Debug)]
pub(super) struct OcrBench(pub OcrBenchOptions);

/// How a data set's texts are compared.
struct Comparison {
    formula: bool,
}

impl Comparison {
    fn of_dataset(dataset: &str) -> Self {
        Self {
            formula: dataset == FORMULAS,
        }
    }

    fn normalise(&self, text: &str) -> String {
        if self.formula {
            strip(text).replace('\n', " ").replace(' ', "")
        } else {
            strip(&text.to_lowercase()).replace('\n', " ")
        }
    }

    fn describe(&self) -> &'static str {
        if self.formula {
            "blanks removed, case kept"
        } else {
            "in lower case"
        }
    }
}

fn verdict(case: &Case<'_>) -> Result<Verdict, Lack> {
    let said = model_words(case, From::Output, None)?;
    let answers = read_answers(case.item).map_err(Lack::of_record)?;
    let dataset = dataset(case.item);
    let dataset = dataset.ok_or(Lack::of_record("the item's `expect` has no `dataset`"))?;
    let comparison = Comparison::of_dataset(dataset);
    let compared = comparison.normalise(said);
    let found = answers
        .iter()
        .find(|answer| compared.contains(&comparison.normalise(answer)));
    let (said, how) = (quote(said), comparison.describe());
    Ok(match found {
        Some(answer) => {
            let reason = format!("said {said}, which contains {} ({how})", quote(answer));
            Verdict::scored(1.0, true, reason)
        }
        None => {
            let listed: Vec<String> = answers.iter().take(LISTED).map(|a| quote(a)).collect();
            let reason = match &listed[..] {
                [] => format!("said {said}; the item has no answer, so none is contained"),
                [only] => format!("said {said}, which lacks {only} ({how})"),
                all => format!("said {said}, which lacks all of {} ({how})", all.join(", ")),
            };
            Verdict::scored(0.0, false, reason)
        }
    })
}

impl Rule for OcrBench {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        verdict(case).unwrap_or_else(Verdict::unscored)
    }

    /// `text_recognition`, `scene_vqa`, `doc_vqa`, `kie`, `hmer`, `final` and each kind of text recognition,
    /// or `accuracy NAME` of every data set (0 to 1).
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        match self.0.averaging {
            Averaging::Totals => totals::by_type(board),
            Averaging::Datasets => totals::by_dataset(board),
        }
    }

    fn notes(&self, board: &Board<'_>) -> Vec<String> {
        totals::notes(board, self.0.averaging)
    }

    fn official_files(&self, board: &Board<'_>) -> Vec<OfficialFile> {
        vec![official::file(board)]
    }
}
