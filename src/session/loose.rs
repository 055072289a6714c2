//! Grades items, outputs and evidence that others wrote, without a run folder.

use super::grading::{build_rule, options_note, suite_facts};
use super::{Session, SessionError, TitledSummary};
use crate::config::{self, Settings};
use crate::record::Object;
use crate::run::{Records, RunFolder, Scoring, score};
use std::path::{Path, PathBuf};

/// Files that others wrote, and how to grade them.
#[derive(Debug, Clone)]
pub struct LooseFiles {
    /// The suite whose rule grades: a name or a path.
    pub suite: String,
    /// What was asked: `items.jsonl`.
    pub items: PathBuf,
    /// What was answered: `outputs.jsonl`; for suites whose rule reads the outputs themselves.
    pub outputs: Option<PathBuf>,
    /// What was seen: `evidence.jsonl`, or what the benchmark's own script wrote.
    pub evidence: Option<PathBuf>,
    /// The name of the model, for the summary.
    pub model: String,
    /// The folder for `grades.jsonl`, `grades.parquet` and `summary.json`.
    pub out: PathBuf,
    /// Options of the rule that override the suite's own; the summary notes them.
    pub options: Settings,
}

impl Session {
    /// Grades loose files.
    ///
    /// # Errors
    /// When a file is absent or damaged, or the rule's options have mistakes.
    pub fn grade_loose(&self, files: &LooseFiles) -> Result<TitledSummary, SessionError> {
        let suite = config::suite(&files.suite, Path::new(""))?.definition;
        let options = suite.grade.options.merged(&files.options);
        let rule = build_rule(self, &suite.grade.rule, &options)?;
        let records = Records::loose(
            &files.items,
            files.outputs.as_deref(),
            files.evidence.as_deref(),
            suite.task,
        )?;
        let mut notes = records.notes.clone();
        notes.extend(options_note(&files.options));
        let scoring = Scoring {
            rule: rule.as_ref(),
            facts: &suite_facts(&suite),
            model: &files.model,
            run: "loose",
            repeats: None,
            notes,
            extra: Object::new(),
        };
        let (_, summary) = score(&RunFolder::at(&files.out), &records, &scoring)?;
        Ok(TitledSummary {
            summary,
            suite_title: suite.title,
            model_title: files.model.clone(),
        })
    }
}
