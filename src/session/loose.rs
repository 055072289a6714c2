//! Grades items, outputs and evidence of other programs, without a run folder.

use super::grading::{build_rule, with_rule};
use super::{Session, SessionError, TitledSummary};
use crate::config::{self, Settings};
use crate::grade::rule_description;
use crate::run::{Records, RunFolder, Scoring, Source, score};
use std::path::{Path, PathBuf};

/// Files of other programs, and how to grade them.
#[derive(Debug, Clone)]
pub struct LooseFiles {
    /// The suite whose rule grades: a name or a path.
    pub suite: String,
    /// The items: `items.jsonl`.
    pub items: PathBuf,
    /// The outputs: `outputs.jsonl`. Suites whose rule reads the outputs themselves need it.
    pub outputs: Option<PathBuf>,
    /// The evidence: `evidence.jsonl`, or the results of the benchmark's own script.
    pub evidence: Option<PathBuf>,
    /// The name of the model, for the summary.
    pub model: String,
    /// The folder for `grades.jsonl`, `grades.parquet` and `summary.json`.
    pub out: PathBuf,
    /// A rule that replaces the suite's own, by name. It takes none of the options of the suite.
    pub rule: Option<String>,
    /// Options of the rule that replace the suite's own. The summary records them.
    pub options: Settings,
}

impl Session {
    /// Grades loose files.
    ///
    /// # Errors
    /// Fails if a file is absent or damaged, or the rule's options have mistakes.
    pub fn grade_loose(&self, files: &LooseFiles) -> Result<TitledSummary, SessionError> {
        let suite = config::suite(&files.suite, Path::new(""))?.definition;
        let suite = with_rule(suite, files.rule.as_deref());
        let options = suite.grade.options.merged(&files.options);
        let rule = build_rule(self, &suite.grade.rule, &options)?;
        let records = Records::loose(
            &files.items,
            files.outputs.as_deref(),
            files.evidence.as_deref(),
            suite.task,
            rule_description(&suite.grade.rule)?
                .official_results
                .as_ref(),
        )?;
        let scoring = Scoring {
            suite: &suite,
            rule: rule.as_ref(),
            over: &files.options,
            source: Source::Loose {
                model: &files.model,
            },
        };
        let scored = score(&RunFolder::at(&files.out), records, &scoring)?;
        Ok(TitledSummary {
            summary: scored.summary,
            suite_title: suite.title,
            model_title: files.model.clone(),
        })
    }
}
