//! Loose evidence: an item, and what was seen; or the results that the benchmark's own script writes.

use super::row::Row;
use crate::grade::OfficialResults;
use crate::record::{Evidence, Failure, Item};
use crate::run::error::RunError;
use std::path::Path;

/// The observer of evidence that names none.
const OBSERVER: &str = "loose";

/// The evidence of a row. What holds `NaN` or an infinite number gives no score, and says why.
///
/// # Errors
/// When the row has no item, or a field is not as expected.
pub fn evidence(path: &Path, mut row: Row) -> Result<Evidence, RunError> {
    row.item(path)?;
    row.whole(&["repeat"]);
    let mut why = None;
    for odd in std::mem::take(&mut row.not_numbers) {
        if odd.field == "evidence" {
            why.get_or_insert(format!(
                "`{}` is {}, which is no number",
                odd.at, odd.written
            ));
        }
        row.fields.shift_remove(&odd.field);
    }
    row.drop_nulls();
    row.or_else("observer", OBSERVER);
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

/// A row of the results of a benchmark's own script as evidence.
///
/// # Errors
/// When the row is about none of the items, with what is wrong with it.
pub fn official(
    path: &Path,
    row: &Row,
    items: &[Item],
    results: &OfficialResults,
) -> Result<Evidence, RunError> {
    (results.read)(&row.fields, items)
        .map_err(|reason| RunError::line(path, row.line, reason, results.format))
}
