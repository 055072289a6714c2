//! JSON lines. Lines end at U+000A and nowhere else: texts may hold raw U+0085 or U+2028.

use super::{Place, Raw, Record, kind, reason_in};
use crate::suite::error::Problem;
use crate::text::json;
use serde_json::Value;

/// The lines that are not blank.
pub(super) fn read(text: &str) -> Vec<Raw<'_>> {
    text.split('\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(index, text)| Raw::Line {
            number: index + 1,
            text,
        })
        .collect()
}

/// The object of one line. A carriage return at its end is blank to JSON.
pub(super) fn record(number: usize, text: &str) -> Result<Record, Problem> {
    match json::read(text.as_bytes()) {
        Ok(Value::Object(fields)) => Ok(Record {
            place: Place::Line(number, None),
            key: None,
            fields,
        }),
        Ok(other) => Err(Problem::new(
            Place::Line(number, None),
            format!("a JSON object was expected, found {}", kind(&other)),
        )),
        Err(error) => {
            let place = Place::Line(number, Some(error.column().max(1)));
            Err(Problem::new(place, reason_in(text, &error)))
        }
    }
}
