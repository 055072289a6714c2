//! Loose items: an id, and what the grader needs.

use super::row::{HELP, Row};
use super::rows::LooseFile;
use crate::record::{Item, Task};
use crate::run::error::RunError;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// The items of a file. Fields that no rule reads have defaults. `task` is the task of items that do not name
/// theirs.
///
/// # Errors
/// Fails if a row has no id or one that was used before, a field is not as expected, or a value is `NaN`.
pub(super) fn read(file: LooseFile, task: Task) -> Result<Vec<Item>, RunError> {
    let task = serde_json::to_value(task).unwrap_or(Value::Null);
    let rows = file.records(|path, row| item(path, row, &task))?;
    if let Some(note) = rows.note {
        return Err(RunError::Invalid(format!(
            "{note}; an item with missing data cannot be graded"
        )));
    }
    let mut lines: HashMap<&str, usize> = HashMap::with_capacity(rows.rows.len());
    for (row, item) in rows.good() {
        if let Some(first) = lines.insert(&item.item, row.line) {
            let message = format!("the id `{}` was used before, at line {first}", item.item);
            return Err(RunError::line(&rows.path, row.line, message, HELP));
        }
    }
    drop(lines);
    rows.into_records()
}

/// The item of a row.
fn item(path: &Path, mut row: Row, task: &Value) -> Result<Item, RunError> {
    row.item(path)?;
    if let Some(odd) = row.not_numbers.first() {
        let message = format!(
            "`{}` is {}, which is not a JSON number",
            odd.at, odd.written
        );
        return Err(RunError::line(
            path,
            row.line,
            message,
            "write the expected value, or leave out the field",
        ));
    }
    row.set_default("task", task.clone());
    row.set_default("prompt", "");
    for name in ["images", "expect", "tags"] {
        if row.fields.get(name).is_some_and(Value::is_null) {
            row.fields.shift_remove(name);
        }
    }
    row.record(path)
}
