//! Loose evidence: an item and what was seen, or the results that the benchmark's own script writes.

use super::row::Row;
use super::rows::{LooseFile, Rows};
use crate::grade::OfficialResults;
use crate::record::{Evidence, Failure, Item};
use crate::run::error::RunError;
use std::path::Path;

/// The observer of evidence that names none.
const OBSERVER: &str = "loose";

/// The evidence of a file; `official` is how the rule reads the results of the benchmark's own script.
///
/// # Errors
/// Fails if a line is not an object. What is wrong with an object is next to its row.
pub(super) fn read(
    file: LooseFile,
    items: &[Item],
    official: Option<&OfficialResults>,
) -> Result<Rows<Evidence>, RunError> {
    let first = file.first();
    let is_of = |results: &&OfficialResults| {
        first
            .as_ref()
            .is_some_and(|row| (results.recognise)(&row.fields))
    };
    let Some(results) = official.filter(is_of) else {
        return file.records(evidence);
    };
    let mut rows = file.records(|path, row| {
        (results.read)(&row.fields, items)
            .map_err(|reason| RunError::line(path, row.line, reason, results.format))
    })?;
    // The file's names number the outputs.
    for row in &mut rows.rows {
        row.implies_repeat = false;
    }
    Ok(rows)
}

/// The evidence of a row. Evidence with `NaN` or an infinite number gives no score, and its record says why.
///
/// # Errors
/// Fails if the row has no item, or a field is not as expected.
fn evidence(path: &Path, mut row: Row) -> Result<Evidence, RunError> {
    row.item(path)?;
    row.whole_numbers(&["repeat"]);
    let mut why = None;
    for odd in std::mem::take(&mut row.not_numbers) {
        if odd.field == "evidence" {
            why.get_or_insert(format!(
                "`{}` is {}, which is not a number",
                odd.at, odd.written
            ));
        }
        row.fields.shift_remove(&odd.field);
    }
    row.drop_nulls();
    row.set_default("observer", OBSERVER);
    let mut record: Evidence = row.record(path)?;
    if let Some(message) = why {
        record.error.get_or_insert(Failure {
            stage: "observe".into(),
            kind: "number".into(),
            message,
        });
    }
    Ok(record)
}
