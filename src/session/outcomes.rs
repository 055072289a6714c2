//! The parts of a graded run that a comparison reads.

use super::SessionError;
use super::grading::manifest_suite;
use super::summary::{model_title, open_graded};
use crate::compare::Recount;
use crate::config::SuiteFile;
use crate::grade::{self, Board, Rule};
use crate::record::{Grade, Item, ItemOutcome, Outcomes, OutputOutcome, RunFacts, Summary};
use crate::run::{Manifest, RunFolder, read_all, read_json};
use crate::stats::formula::{Formula, Terms};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

/// Reads the scores of a graded run folder.
///
/// # Errors
/// Fails if it is not a run folder, is not graded yet, or its rule is not known to this version.
pub fn read_outcomes(path: &Path) -> Result<Outcomes, SessionError> {
    let (folder, manifest) = open_graded(path)?;
    let summary: Summary = read_json(&folder.summary())?;
    let suite = manifest_suite(&manifest)?;
    let grading = manifest.grading(&summary);
    let rule = grade::build_from_note(&grading)?;
    let items: Vec<Item> = read_all(&folder.items())?;
    let grades: Vec<Grade> = read_all(&folder.grades())?;
    Ok(Outcomes {
        items: grade::outcomes(
            rule.as_ref(),
            &items,
            &suite.report.group_by,
            &grades,
            manifest.repeats,
        ),
        facts: run_facts(summary, suite, &manifest, grading, rule.as_ref()),
    })
}

/// The rule of a run, which makes the run's numbers again from outcomes.
pub struct RecountedRun {
    rule: Box<dyn Rule>,
    folder: RunFolder,
    /// The items, which are read when they are needed.
    items: OnceLock<Vec<Item>>,
}

impl RecountedRun {
    /// Opens a graded run folder.
    ///
    /// # Errors
    /// Fails when [`read_outcomes`] fails.
    pub fn open(path: &Path) -> Result<Self, SessionError> {
        let (folder, manifest) = open_graded(path)?;
        let summary: Summary = read_json(&folder.summary())?;
        Ok(Self {
            rule: grade::build_from_note(&manifest.grading(&summary))?,
            folder,
            items: OnceLock::new(),
        })
    }

    /// The items. They were read before, so there are none only if the file is gone.
    fn items(&self) -> &[Item] {
        let read = || read_all(&self.folder.items()).unwrap_or_default();
        self.items.get_or_init(read)
    }
}

impl Recount for RecountedRun {
    fn formula(&self) -> Option<&dyn Formula> {
        self.rule.pooled().map(|pooled| pooled as &dyn Formula)
    }

    fn terms(&self, output: &OutputOutcome) -> Option<Terms> {
        output.sums?;
        self.rule.pooled()?.terms(&as_grade(output))
    }

    fn metrics(&self, outcomes: &[&ItemOutcome]) -> BTreeMap<String, f64> {
        let grades = outcomes.iter().flat_map(|outcome| {
            let outputs = outcome.outputs.iter().enumerate();
            outputs.map(|(repeat, output)| Grade {
                item: outcome.item.clone(),
                repeat: u32::try_from(repeat).unwrap_or(u32::MAX),
                tags: outcome.tags.clone(),
                ..as_grade(output)
            })
        });
        let grades: Vec<Grade> = grades.collect();
        self.rule.metrics(&Board {
            model: "",
            root: Path::new(""),
            items: self.items(),
            outputs: None,
            evidence: &[],
            grades: &grades,
        })
    }
}

/// The parts of an output's grade that its outcome keeps.
fn as_grade(output: &OutputOutcome) -> Grade {
    Grade {
        score: output.score,
        correct: output.correct,
        parts: output.parts.clone().into(),
        ..Grade::default()
    }
}

fn run_facts(
    summary: Summary,
    suite: &SuiteFile,
    manifest: &Manifest,
    grading: Value,
    rule: &dyn Rule,
) -> RunFacts {
    RunFacts {
        suite: summary.suite,
        suite_title: suite.title.clone(),
        suite_version: summary.suite_version,
        model_title: match model_title(manifest, &summary.judges) {
            title if title.is_empty() => summary.model.clone(),
            title => title,
        },
        model: summary.model,
        run: summary.run,
        repeats: manifest.repeats,
        grading,
        observers: manifest.observers.clone(),
        overall: rule.overall(),
        group_by: suite.report.group_by.clone(),
        expected: summary.expected,
        scored: summary.scored,
        failed: summary.failed,
        unscored: summary.unscored,
        value: summary.overall.value,
        judges: summary.judges,
    }
}
