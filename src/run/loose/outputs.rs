//! Loose outputs: an item, and a text or a picture.

use super::row::{HELP, Row};
use crate::record::Output;
use crate::run::error::RunError;
use serde_json::{Value, json};
use std::path::Path;

/// The largest `repeat`: nobody asks for more answers to one item. A larger number means something else, such
/// as a seed.
const MOST_REPEATS: u32 = 1_000_000;

/// The output of a row. `repeat` and `seed` are 0 where they are left out. A `kind` that is left out follows
/// from the fields that are there.
///
/// # Errors
/// Fails if the row has no item or nothing to grade, or a field is not as expected.
pub(super) fn output(path: &Path, mut row: Row) -> Result<Output, RunError> {
    row.item(path)?;
    row.whole_numbers(&["repeat", "seed", "width", "height"]);
    let has = |row: &Row, name: &str| row.fields.get(name).is_some_and(|value| !value.is_null());
    if let Some(odd) = row.not_numbers.iter().find(|odd| odd.field == "text") {
        let message = format!("`{}` is {}, not a text", odd.at, odd.written);
        row.set_default("error", failure(message));
    }
    // `NaN` is no value, and a field with `NaN` inside has no value either.
    for odd in std::mem::take(&mut row.not_numbers) {
        row.fields.insert(odd.field, Value::Null);
    }
    if !has(&row, "kind") {
        let kind = match (row.fields.contains_key("text"), has(&row, "file")) {
            (true, _) => "text",
            (false, true) => "image",
            (false, false) if has(&row, "error") => "text",
            (false, false) => {
                return Err(RunError::line(
                    path,
                    row.line,
                    "there is neither `text` nor `file`, so there is nothing to grade",
                    HELP,
                ));
            }
        };
        row.fields.insert("kind".into(), kind.into());
    }
    if !row.fields.get("seed").is_some_and(Value::is_u64) {
        row.fields.insert("seed".into(), 0.into());
    }
    if let Some(error) = row.fields.get_mut("error").filter(|error| !error.is_null()) {
        *error = whole_failure(error.take());
    }
    row.drop_nulls();
    row.set_default("repeat", 0);
    let line = row.line;
    let output: Output = row.record(path)?;
    match output.repeat {
        repeat if repeat > MOST_REPEATS => {
            let message = format!("`repeat` is {repeat}, but it must be at most {MOST_REPEATS}");
            Err(RunError::line(
                path,
                line,
                message,
                "number the answers of each item from 0",
            ))
        }
        _ => Ok(output),
    }
}

/// A failure with all its keys, made of a message or of an object with some of the keys.
fn whole_failure(error: Value) -> Value {
    match error {
        Value::Object(mut fields) => {
            let text = Value::Object(fields.clone()).to_string();
            for (name, usual) in [("stage", "generate"), ("kind", "error"), ("message", &text)] {
                if !fields.get(name).is_some_and(Value::is_string) {
                    fields.insert(name.into(), usual.into());
                }
            }
            Value::Object(fields)
        }
        Value::String(message) => failure(message),
        other => failure(other.to_string()),
    }
}

fn failure(message: String) -> Value {
    json!({"stage": "generate", "kind": "error", "message": message})
}
