//! Loose items: an id, and what the grader needs.

use super::row::{HELP, Rows};
use crate::record::{Item, Task};
use crate::run::error::RunError;
use serde_json::Value;
use std::collections::HashMap;

/// The items of a file. What no grader reads has a default.
///
/// # Errors
/// When a row has no id or one that was used before, a field is not as expected, or a value is `NaN`.
pub fn read(rows: Rows, task: Task) -> Result<Vec<Item>, RunError> {
    let path = rows.path;
    if let Some(note) = rows.note {
        return Err(RunError::Invalid(format!(
            "{note}; what is not known of an item cannot be graded"
        )));
    }
    let task = serde_json::to_value(task).unwrap_or(Value::Null);
    let mut lines: HashMap<String, usize> = HashMap::with_capacity(rows.rows.len());
    let mut items = Vec::with_capacity(rows.rows.len());
    for mut row in rows.rows {
        let line = row.line;
        row.item(&path)?;
        if let Some(odd) = row.not_numbers.first() {
            let message = format!("`{}` is {}, which is no JSON number", odd.at, odd.written);
            return Err(RunError::line(
                &path,
                line,
                message,
                "write the value that is expected, or leave the field out",
            ));
        }
        row.or_else("task", task.clone());
        row.or_else("prompt", "");
        for name in ["images", "expect", "tags"] {
            if row.fields.get(name).is_some_and(Value::is_null) {
                row.fields.shift_remove(name);
            }
        }
        let item: Item = row.record(&path)?;
        if let Some(first) = lines.insert(item.item.clone(), line) {
            let message = format!("the id `{}` was used before, at line {first}", item.item);
            return Err(RunError::line(&path, line, message, HELP));
        }
        items.push(item);
    }
    Ok(items)
}
