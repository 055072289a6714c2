//! `ocrbench-v2`: OCRBench v2's rule (`OCRBench_v2/eval_scripts` of Yuliang-Liu/MultimodalOCR, commit
//! 794c36d6).

mod answers;
mod boxes;
mod chart;
mod choice;
mod counting;
mod dictionary;
mod document;
mod formula;
mod graded;
mod kie;
mod official;
mod patterns;
mod position;
mod question;
mod spotting;
mod table;
mod tasks;
/// The four measures of a long text.
pub(super) mod text4;
mod totals;
mod vqa;

#[cfg(test)]
mod text_tests;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::reading::quote;
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::record::Overall;
use crate::record::{Grade, Item, OutputKind};
use crate::text::wordnet::WordNet;
use graded::IGNORED;
use question::Question;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tasks::Task;

/// The description of `ocrbench-v2`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<OcrBenchV2Options>(
    "ocrbench-v2",
    "OCRBench v2: each of its thirty tasks by its own measure.",
    &[Reads::Answer],
    |options| Ok(Box::new(OcrBenchV2::new(options.read()?)?)),
)
.with_official_files(&["OCRBench_v2.json"]);

/// Options of `ocrbench-v2`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OcrBenchV2Options {
    /// WordNet's folder or archive, for METEOR's synonyms. Without it METEOR knows no synonyms, and a note
    /// of the summary says so.
    pub wordnet: Option<PathBuf>,
}

/// Scores in 0..=1 (tables may be below) by the metric of the item's `type`. Averages are taken over the
/// items of each capability of a language, and then over the capabilities. A missing prediction counts as 0
/// in the tasks for which the official script says so. In the other tasks the script stops, and the output
/// has no score.
#[derive(Debug)]
pub(super) struct OcrBenchV2 {
    wordnet: Option<WordNet>,
}

impl OcrBenchV2 {
    /// # Errors
    /// Fails if WordNet is named and cannot be read.
    pub(super) fn new(options: OcrBenchV2Options) -> Result<Self, OptionError> {
        let wordnet = options.wordnet.as_deref().map(WordNet::open).transpose()?;
        Ok(Self { wordnet })
    }

    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let output = case.output.ok_or(Lack::of_record(
            "missing output: this rule grades the output's text",
        ))?;
        if output.kind != OutputKind::Text {
            return Err(Lack::of_record(
                "the output is a picture, where a text was expected",
            ));
        }
        let question = Question::deserialize(&case.item.expect).map_err(|e| {
            Lack::of_record(format!("the item's `expect` is not OCRBench v2's: {e}"))
        })?;
        let task = Task::named(&question.task)
            .ok_or_else(|| format!("OCRBench v2 has no task {:?}", question.task))?;
        let said = output.text.as_deref();
        let graded = question.grade(task, said, self.wordnet.as_ref())?;
        let what = said.map_or_else(String::new, |said| format!("said {}; ", quote(said)));
        let mut parts: BTreeMap<String, f64> = (graded.parts.into_iter())
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        if graded.ignored {
            parts.insert(IGNORED.into(), 1.0);
        }
        Ok(Verdict {
            score: Some(graded.score),
            parts,
            reason: format!("{what}{}: {:.4}", graded.reason, graded.score),
            ..Verdict::default()
        })
    }
}

impl Rule for OcrBenchV2 {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn fraction(&self, grade: &Grade) -> Option<(f64, f64)> {
        let ignored = grade.parts.get(IGNORED).is_some();
        grade.score.filter(|_| !ignored).map(|score| (score, 1.0))
    }

    /// `type`, `language` and `capability` are those of the item's task.
    fn tag<'a>(&self, item: &'a Item, name: &str) -> Option<&'a str> {
        let known = Task::of_item(item).and_then(|task| match name {
            "type" => Some(task.name),
            "language" => Some(task.language()),
            "capability" => Some(task.capability),
            _ => None,
        });
        known.or_else(|| item.tags.get(name).map(String::as_str))
    }

    fn overall(&self) -> Overall {
        Overall::MacroBy("capability".into())
    }

    /// `en overall` and `cn overall`, each capability (`en text_recognition`), and each task's mean (`text
    /// recognition en`).
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        totals::metrics(self, board)
    }

    fn notes(&self, board: &Board<'_>) -> Vec<String> {
        totals::notes(board, self.wordnet.as_ref())
    }

    fn official_files(&self, board: &Board<'_>) -> Vec<OfficialFile> {
        vec![official::file(board)]
    }
}
