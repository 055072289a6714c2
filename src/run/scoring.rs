//! The grade stage: evidence and items in, grades and official numbers out. No model, no network, no clock.

use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::journal::{Lines, read_all, write_lines};
use super::remarks;
use super::store::write_json;
use crate::files::write_durable;
use crate::grade::{self, Board, Rule, SuiteFacts};
use crate::record::judged;
use crate::record::{Evidence, Grade, Item, Object, Output, Summary};
use std::collections::HashMap;
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
        let outputs = Lines::read(&folder.stream(Stream::Outputs, None))?;
        let evidence = Lines::read(&folder.stream(Stream::Evidence, None))?;
        Ok(Self {
            items,
            outputs: Some(outputs.parse()?),
            evidence: evidence.parse()?,
            notes: [outputs.note, evidence.note]
                .into_iter()
                .flatten()
                .collect(),
        })
    }
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
