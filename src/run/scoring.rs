//! The grade stage: evidence and items in, grades and official numbers out. No model, no network, no clock.

use super::definition::grading_note;
use super::error::RunError;
use super::folder::RunFolder;
use super::journal::write_lines;
use super::manifest::Manifest;
use super::records::Records;
use super::remarks;
use super::store::write_json;
use crate::config::{Settings, SuiteFile};
use crate::files::write_durable;
use crate::grade::{self, Board, Rule, SuiteFacts};
use crate::observe::OBSERVERS;
use crate::record::evidence::text_engine;
use crate::record::judged;
use crate::record::{Evidence, Grade, Output, Summary};
use std::path::Path;

/// Records that were graded.
#[derive(Debug)]
pub struct Scored {
    /// What was read.
    pub records: Records,
    /// One for each output that was asked for.
    pub grades: Vec<Grade>,
    /// The official numbers.
    pub summary: Summary,
}

/// How records are graded, and whose they are.
pub struct Scoring<'a> {
    /// The suite whose rule grades, and in whose groups.
    pub suite: &'a SuiteFile,
    /// Its rule, built with its options and those of `over`.
    pub rule: &'a dyn Rule,
    /// Options of the rule that this grading alone has; the summary notes them.
    pub over: &'a Settings,
    /// Whose records they are.
    pub source: Source<'a>,
}

/// Whose records are graded.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Those of a run.
    Run(&'a Manifest),
    /// Those of files that others wrote.
    Loose {
        /// The name that the numbers go under.
        model: &'a str,
    },
}

impl Source<'_> {
    fn model(&self) -> &str {
        match self {
            Self::Run(manifest) => match manifest.model.name() {
                "" => "model",
                name => name,
            },
            Self::Loose { model } => model,
        }
    }

    fn run(&self) -> &str {
        match self {
            Self::Run(manifest) => &manifest.run,
            Self::Loose { .. } => "loose",
        }
    }

    /// How many outputs of each item were asked for. For loose outputs it is the number that the item with
    /// the most outputs has.
    fn repeats(&self, outputs: &[Output]) -> u32 {
        match self {
            Self::Run(manifest) => manifest.repeats,
            Self::Loose { .. } => {
                let repeats = outputs.iter().map(|output| output.repeat + 1);
                repeats.max().unwrap_or(1)
            }
        }
    }
}

/// The one way to a summary: grades records, annotates the numbers, and writes into a folder the benchmark's
/// official files, `grades.jsonl`, `grades.parquet` and, last of all and once, `summary.json`.
///
/// # Errors
/// Fails if the evidence cannot be believed, or a file cannot be written.
pub fn score(
    folder: &RunFolder,
    records: Records,
    scoring: &Scoring<'_>,
) -> Result<Scored, RunError> {
    let outputs = records.outputs.as_deref();
    let grades = grade::grade_all(
        scoring.rule,
        &records.items,
        scoring.source.repeats(outputs.unwrap_or_default()),
        outputs,
        &records.evidence,
    );
    if let Some(message) = scoring.rule.doubt(&records.evidence) {
        return Err(RunError::Doubt { message });
    }
    let board = Board {
        model: scoring.source.model(),
        root: folder.root(),
        items: &records.items,
        outputs,
        evidence: &records.evidence,
        grades: &grades,
    };
    let facts = SuiteFacts {
        name: scoring.suite.name.clone(),
        version: scoring.suite.version.clone(),
        group_by: scoring.suite.report.group_by.clone(),
    };
    let mut summary = grade::summarize(scoring.rule, &facts, scoring.source.run(), &board);
    annotate(&mut summary, folder, &records, &grades, scoring);
    for file in scoring.rule.official_files(&board) {
        write_durable(&folder.official().join(file.name), file.text.as_bytes())?;
    }
    write_lines(&folder.grades(), &grades)?;
    super::parquet::write_grades(&folder.grades_parquet(), &grades)?;
    write_json(&folder.summary(), &summary)?;
    Ok(Scored {
        records,
        grades,
        summary,
    })
}

/// Says in the summary what a reader must know beside the numbers.
fn annotate(
    summary: &mut Summary,
    folder: &RunFolder,
    records: &Records,
    grades: &[Grade],
    scoring: &Scoring<'_>,
) {
    summary
        .notes
        .extend(remarks::counted_remarks(records, grades));
    summary.notes.extend(judged::judge_remarks(&summary.judges));
    let (of_run, of_observers) = match scoring.source {
        Source::Run(manifest) => (
            other_rule(scoring.suite, manifest)
                .into_iter()
                .chain(run_notes(scoring.suite, manifest))
                .collect::<Vec<_>>(),
            observer_notes(folder.root()),
        ),
        Source::Loose { .. } => (Vec::new(), Vec::new()),
    };
    summary.notes.extend(of_run);
    summary.notes.extend(records.notes.iter().cloned());
    summary.notes.extend(of_observers);
    summary.notes.extend(other_options(scoring.over));
    if let Source::Run(_) = scoring.source {
        let options = scoring.suite.grade.options.merged(scoring.over);
        let grading = grading_note(&scoring.suite.grade.rule, &options);
        summary.extra.insert(Summary::GRADING.into(), grading);
    }
    let engines = engines(&records.evidence);
    if !engines.is_empty() {
        let engines = engines.into();
        summary.extra.insert(Summary::READ_BY.into(), engines);
    }
}

/// The notes of the suite and of the model, and what the run leaves out.
fn run_notes(suite: &SuiteFile, manifest: &Manifest) -> Vec<String> {
    let of_model = manifest.model.notes().map(str::to_owned);
    let of_suite = suite.notes.iter().cloned();
    of_suite
        .chain(of_model)
        .chain(manifest.left_out.iter().cloned())
        .collect()
}

/// What the observers of a run left in its folder for readers of the numbers.
fn observer_notes(root: &Path) -> Vec<String> {
    let kinds = OBSERVERS.iter();
    kinds.flat_map(|kind| (kind.notes)(root)).collect()
}

/// Says that another rule than the suite's own grades. `None` if it is the same.
fn other_rule(suite: &SuiteFile, manifest: &Manifest) -> Option<String> {
    let own = manifest.suite.as_json()["grade"]["rule"].as_str()?;
    let rule = &suite.grade.rule;
    let other = own != rule && manifest.suite.name() == suite.name;
    other.then(|| format!("graded by the rule {rule}, not by the suite's own rule {own}"))
}

/// Says that other options than the suite's own are set for the rule. `None` if none are.
fn other_options(options: &Settings) -> Option<String> {
    (!options.is_empty()).then(|| {
        let options = options.to_json();
        format!("graded with other options than the suite's own: {options}")
    })
}

/// The OCR engines that wrote the evidence, by the names that they go by there.
fn engines(evidence: &[Evidence]) -> Vec<&str> {
    let mut engines = Vec::new();
    let seen = evidence
        .iter()
        .filter_map(|record| record.evidence.as_ref());
    for engine in seen.filter_map(text_engine) {
        if !engines.contains(&engine) {
            engines.push(engine);
        }
    }
    engines
}
