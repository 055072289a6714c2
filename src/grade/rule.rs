//! The trait of a grading rule: what it reads, and what it returns.

use super::lack::{Lack, LackKind};
use super::pooled::Pooled;
use crate::record::{Evidence, Failure, Grade, Item, Output, Overall};
use std::collections::BTreeMap;

/// What a rule reads for one output.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What was asked.
    pub item: &'a Item,
    /// Which of the item's outputs it is, from 0.
    pub repeat: u32,
    /// Absent for loose evidence without an outputs file.
    pub output: Option<&'a Output>,
    /// All evidence of this output, in file order; the last record of an observer counts.
    pub evidence: &'a [&'a Evidence],
}

/// Everything that was graded together.
#[derive(Debug, Clone, Copy)]
pub struct Board<'a> {
    /// The model's name.
    pub model: &'a str,
    /// The folder at which the paths of the outputs start.
    pub root: &'a std::path::Path,
    /// All items, in the suite's order.
    pub items: &'a [Item],
    /// Absent for loose evidence without an outputs file.
    pub outputs: Option<&'a [Output]>,
    /// All evidence, in file order.
    pub evidence: &'a [Evidence],
    /// One grade for each output that was asked for.
    pub grades: &'a [Grade],
}

impl Board<'_> {
    /// The mean of each part over the outputs that have it.
    pub(super) fn mean_parts(&self) -> BTreeMap<String, f64> {
        let mut sums: BTreeMap<&str, (f64, u32)> = BTreeMap::new();
        let parts = self.grades.iter().flat_map(|grade| grade.parts.iter());
        for (name, value) in parts {
            let sum = sums.entry(name).or_default();
            *sum = (sum.0 + value, sum.1 + 1);
        }
        let means = sums.into_iter();
        means
            .map(|(name, (sum, count))| (name.to_owned(), sum / f64::from(count)))
            .collect()
    }
}

/// A file as a benchmark's own script writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficialFile {
    /// Without a folder.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// The rule's verdict on one output, before the item's name and tags are added.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// `None` if it cannot be scored; then `unscored` says why.
    pub score: Option<f64>,
    /// Right or wrong, if the rule says so.
    pub correct: Option<bool>,
    /// Parts of the score, and measures beside it.
    pub parts: BTreeMap<String, f64>,
    /// Why it has this score, for a reader of the report.
    pub reason: String,
    /// Why there is no score. The first words name its state.
    pub unscored: Option<String>,
    /// What is at fault then.
    pub lack: Option<LackKind>,
    /// What the summary counts: see [`crate::record::add_note`].
    pub notes: Vec<String>,
}

/// A benchmark's grading rule.
pub trait Rule: Send + Sync {
    /// Grades one output.
    fn grade(&self, case: &Case<'_>) -> Verdict;

    /// Keys of an item's `expect`, of which it must have one at least. Without any the rule needs nothing of
    /// an item, or says so when it grades. A reward leaves the rule out for items that lack all of them.
    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether the rule grades every output as it was written: with the thoughts of a model beside its
    /// answer, and outputs that failed.
    fn takes_all(&self) -> bool {
        false
    }

    /// The grade of an output that the model did not make, if the probe counts it as an answer. `None` leaves
    /// it without a score.
    fn grade_failure(&self, _failure: &Failure) -> Option<Verdict> {
        None
    }

    /// The numerator and the denominator that this grade adds to every average: `(score, 1)` unless the
    /// benchmark divides sums. `None` leaves the output out. If it has a score, the benchmark's own rule
    /// ignores it.
    fn fraction(&self, grade: &Grade) -> Option<(f64, f64)> {
        grade.score.map(|score| (score, 1.0))
    }

    /// The key under which an item is grouped by a tag: the item's own, or else the text of that name that
    /// its grader gets.
    fn tag<'a>(&self, item: &'a Item, name: &str) -> Option<&'a str> {
        let own = item.tags.get(name).map(String::as_str);
        own.or_else(|| item.expect.get(name)?.as_str())
    }

    /// How the official rule combines the scores into one number.
    fn overall(&self) -> Overall {
        Overall::Micro
    }

    /// The official number as a function of sums, if it is not an average of [`Rule::fraction`]. It then
    /// replaces [`Rule::overall`], also in groups.
    fn pooled(&self) -> Option<&dyn Pooled> {
        None
    }

    /// Why all the evidence together is doubtful, such as that of a detector that finds nothing anywhere.
    fn doubt(&self, _evidence: &[Evidence]) -> Option<String> {
        None
    }

    /// Changes grades that depend on each other, such as those of one item.
    fn settle(&self, _items: &[Item], _grades: &mut [Grade]) {}

    /// Further official numbers, by name.
    fn metrics(&self, _board: &Board<'_>) -> BTreeMap<String, f64> {
        BTreeMap::new()
    }

    /// What a reader of the numbers must know.
    fn notes(&self, _board: &Board<'_>) -> Vec<String> {
        Vec::new()
    }

    /// The files that the benchmark's own scripts write, for tooling that reads those.
    fn official_files(&self, _board: &Board<'_>) -> Vec<OfficialFile> {
        Vec::new()
    }
}

impl Verdict {
    /// A score in 0..=1 of an output that is either right or not.
    pub(super) fn scored(score: f64, correct: bool, reason: String) -> Self {
        Self {
            score: Some(score),
            correct: Some(correct),
            reason,
            ..Self::default()
        }
    }

    /// No score, and why.
    pub(super) fn unscored(why: impl Into<Lack>) -> Self {
        let lack = why.into();
        Self {
            lack: Some(lack.kind()),
            unscored: Some(lack.into()),
            ..Self::default()
        }
    }

    /// Why there is no score, as it was said.
    pub(super) fn why_unscored(&self) -> Lack {
        let words = self.unscored.clone();
        let words = words.unwrap_or_else(|| "the rule gives no score".to_owned());
        Lack::new(self.lack.unwrap_or_default(), words)
    }
}
