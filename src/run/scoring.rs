//! The grade stage: evidence and items in, grades and official numbers out. No model, no network, no clock.

use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::journal::{Lines, read_all, write_lines};
use super::remarks;
use super::store::{write_durable, write_json};
use crate::grade::{self, Board, Rule, SuiteFacts};
use crate::record::judged;
use crate::record::{Evidence, Grade, Item, Object, Output, Summary};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// The records that grading reads.
#[derive(Debug)]
pub struct Records {
    pub items: Arc<Vec<Item>>,
    /// None for loose evidence without outputs.
    pub outputs: Option<Vec<Output>>,
    pub evidence: Vec<Evidence>,
    /// Remarks on what was read.
    pub notes: Vec<String>,
}

impl Records {
    /// Reads a run folder; the last record of an output counts. `items` are those of the folder when the caller has
    /// them already.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn of_run(folder: &RunFolder, items: Option<Arc<Vec<Item>>>) -> Result<Self, RunError> {
        let items = items.map_or_else(|| read_all(&folder.items()).map(Arc::new), Ok)?;
        Self::read(
            items,
            Some(&folder.stream(Stream::Outputs, None)),
            &folder.stream(Stream::Evidence, None),
        )
    }

    /// Reads loose files.
    ///
    /// # Errors
    /// When a file is absent or damaged.
    pub fn loose(
        items: &Path,
        outputs: Option<&Path>,
        evidence: Option<&Path>,
    ) -> Result<Self, RunError> {
        for path in [Some(items), outputs, evidence].into_iter().flatten() {
            std::fs::metadata(path).map_err(|error| RunError::io("cannot read", path, &error))?;
        }
        Self::read(
            Arc::new(read_all(items)?),
            outputs,
            evidence.unwrap_or(Path::new("")),
        )
    }

    fn read(
        items: Arc<Vec<Item>>,
        outputs: Option<&Path>,
        evidence: &Path,
    ) -> Result<Self, RunError> {
        let mut notes = Vec::new();
        let outputs = match outputs {
            Some(path) => {
                let lines = Lines::read(path)?;
                notes.extend(lines.note.clone());
                Some(lines.parse()?)
            }
            None => None,
        };
        let lines = Lines::read(evidence)?;
        notes.extend(lines.note.clone());
        let official = !lines.is_empty() && official(lines.raw(0), &items).is_some();
        let evidence = match official {
            true => official_results(&lines, evidence, &items)?,
            false => lines.parse()?,
        };
        Ok(Self {
            items,
            outputs,
            evidence,
            notes,
        })
    }
}

/// A line of a file that a benchmark's own script wrote, as evidence.
fn official(line: &[u8], items: &[Item]) -> Option<Evidence> {
    grade::official_geneval_evidence(std::str::from_utf8(line).ok()?, items)
}

fn official_results(lines: &Lines, path: &Path, items: &[Item]) -> Result<Vec<Evidence>, RunError> {
    let record = |index: usize| {
        official(lines.raw(index), items).ok_or_else(|| RunError::Line {
            path: path.into(),
            line: index + 1,
            reason: "this is no official GenEval result of one of the items".into(),
            help: "a results file of evaluate_images.py has `filename`, `correct`, `reason` and `prompt` on every line"
                .into(),
        })
    };
    (0..lines.len()).map(record).collect()
}

/// What to grade, and under which name the numbers go.
pub struct Scoring<'a> {
    pub rule: &'a dyn Rule,
    pub facts: &'a SuiteFacts,
    pub model: &'a str,
    pub run: &'a str,
    /// Outputs asked per item; None takes what the loose evidence holds.
    pub repeats: Option<u32>,
    /// What the summary says behind the rule's own notes.
    pub notes: Vec<String>,
    /// Further keys of the summary.
    pub extra: Object,
}

/// Grades records and writes `grades.jsonl`, `grades.parquet` and, last of all and once, `summary.json` into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn score(
    folder: &RunFolder,
    records: &Records,
    scoring: &Scoring<'_>,
) -> Result<(Vec<Grade>, Summary), RunError> {
    let outputs = records.outputs.as_deref();
    let repeats = scoring.repeats.unwrap_or_else(|| {
        // Loose outputs: as many as the item with most of them has.
        outputs
            .unwrap_or_default()
            .iter()
            .map(|output| output.repeat + 1)
            .max()
            .unwrap_or(1)
    });
    let grades = grade::grade_all(
        scoring.rule,
        &records.items,
        repeats,
        outputs,
        &records.evidence,
    );
    let failed = failed(outputs.unwrap_or_default());
    if let Some(message) = scoring.rule.doubt(&records.evidence) {
        return Err(RunError::Doubt { message });
    }
    let mut summary = grade::summarize(
        scoring.rule,
        scoring.facts,
        scoring.model,
        scoring.run,
        &records.items,
        &grades,
        grades.len(),
        failed,
    );
    let board = Board {
        model: scoring.model,
        root: folder.root(),
        items: &records.items,
        outputs,
        evidence: &records.evidence,
        grades: &grades,
    };
    summary.metrics = scoring.rule.metrics(&board);
    summary.notes.extend(scoring.rule.notes(&board));
    summary.notes.extend(remarks::counted(records, &grades));
    summary.judges = grade::judges(&records.evidence);
    summary.notes.extend(judged::remarks(&summary.judges));
    summary.notes.extend(scoring.notes.iter().cloned());
    summary.extra.extend(scoring.extra.clone());
    let engines = engines(&records.evidence);
    if !engines.is_empty() {
        summary
            .extra
            .insert(Summary::READ_BY.into(), engines.into());
    }
    for file in scoring.rule.official_files(&board) {
        write_durable(&folder.official().join(file.name), file.text.as_bytes())?;
    }
    write_lines(&folder.grades(), &grades)?;
    super::parquet::write_grades(&folder.grades_parquet(), &grades)?;
    write_json(&folder.summary(), &summary)?;
    Ok((grades, summary))
}

/// The OCR engines that wrote the evidence, by the names that they go by there.
fn engines(evidence: &[Evidence]) -> Vec<&str> {
    let mut engines = Vec::new();
    for seen in evidence
        .iter()
        .filter_map(|record| record.evidence.as_ref())
    {
        if let (Some(engine), Some(_)) = (seen["engine"].as_str(), seen.get("text"))
            && !engines.contains(&engine)
        {
            engines.push(engine);
        }
    }
    engines
}

/// Outputs whose last record is a failure.
fn failed(outputs: &[Output]) -> usize {
    if outputs.iter().all(|output| output.error.is_none()) {
        return 0;
    }
    let last: HashMap<(&str, u32), bool> = outputs
        .iter()
        .map(|output| {
            (
                (output.item.as_str(), output.repeat),
                output.error.is_some(),
            )
        })
        .collect();
    last.values().filter(|failed| **failed).count()
}
