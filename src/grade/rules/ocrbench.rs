//! `ocrbench`: OCRBench's rule (`OCRBench/example.py` of Yuliang-Liu/MultimodalOCR, commit 794c36d6).

mod official;
mod totals;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::reading::{From, quote, said};
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::python::whitespace::strip;
use crate::record::Item;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The data set whose answers are formulas.
const FORMULAS: &str = "HME100k";

/// Most answers that a reason lists.
const LISTED: usize = 5;

/// What the official script prints at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Averaging {
    /// Right answers by type, out of 1000: for the 1000 items of OCRBench.
    #[default]
    Totals,
    /// The share of right answers by data set: for the full test.
    Datasets,
}

/// `ocrbench`, described.
pub(super) const RULE: RuleDescription = RuleDescription::new::<OcrBenchOptions>(
    "ocrbench",
    "OCRBench: right when the text contains an answer.",
    &[Reads::Answer],
    |options| Ok(Box::new(OcrBench(options.read()?))),
)
.writing(&["OCRBench.json"]);

/// Options of `ocrbench`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OcrBenchOptions {
    /// What the official script prints at the end. Default: the totals.
    pub averaging: Averaging,
}

/// Score 1 when an answer is a part of the output's text, else 0: in lower case, with the ends stripped and
/// line feeds made blanks; for formulas with the case kept and all blanks removed. An answer that comes to
/// nothing occurs everywhere, an empty list of answers nowhere. The mean leaves out what has no score; the
/// totals count it as 0.
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

/// The text at one of the keys of an item's `expect`; the official file says `dataset_name` for `dataset`.
fn field<'a>(item: &'a Item, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| item.expect.get(*key)?.as_str())
}

fn dataset(item: &Item) -> Option<&str> {
    field(item, &["dataset", "dataset_name"])
}

/// `expect.answers`: a text or a list of texts.
fn answers(item: &Item) -> Result<Vec<&str>, String> {
    let wrong = || "the item's `expect.answers` is neither a text nor a list of texts".to_owned();
    match item.expect.get("answers") {
        Some(Value::String(answer)) => Ok(vec![answer]),
        Some(Value::Array(list)) => {
            let texts = list.iter().map(Value::as_str);
            texts.collect::<Option<_>>().ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

fn verdict(case: &Case<'_>) -> Result<Verdict, String> {
    let said = said(case, From::Output, None)?;
    let answers = answers(case.item)?;
    let dataset = dataset(case.item).ok_or("the item's `expect` has no `dataset`")?;
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
