//! JSON lines. Lines end at U+000A and nowhere else: texts may hold raw U+0085 or U+2028.

use super::description::{FormatDescription, Reading};
use super::error::Unreadable;
use super::json_reason::{kind, reason_in};
use super::record::{Place, Raw, Record, RecordFault};
use super::table::{Batches, Columns, MAX_ROW_BYTES, Sink, open_large, row_of};
use crate::text::json;
use serde_json::Value;
use std::io::{BufRead as _, Read as _};
use std::path::Path;

/// One JSON object on each line.
pub(super) static JSONL: FormatDescription = FormatDescription {
    name: "jsonl",
    about: "One JSON object on each line.",
    expected: "one JSON object on each line",
    extensions: &["jsonl", "ndjson"],
    own_json: None,
    reading: Reading::TextOrRows(read, lines),
};

/// The lines that are not blank.
fn read<'a>(text: &'a str, _stem: &str) -> Result<Vec<Raw<'a>>, String> {
    let lines = text
        .split('\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(index, text)| Raw::Line {
            number: index + 1,
            text,
            parse: record,
        });
    Ok(lines.collect())
}

/// The object of one line. A carriage return at its end is blank to JSON.
fn record(number: usize, text: &str) -> Result<Record, RecordFault> {
    match json::read(text.as_bytes()) {
        Ok(Value::Object(fields)) => Ok(Record {
            place: Place::Line(number, None),
            key: None,
            fields,
        }),
        Ok(other) => Err(RecordFault::new(
            Place::Line(number, None),
            format!("a JSON object was expected, found {}", kind(&other)),
        )),
        Err(error) => {
            let place = Place::Line(number, Some(error.column().max(1)));
            Err(RecordFault::new(place, reason_in(text, &error)))
        }
    }
}

/// Hands over the records of a file with an object on each line.
///
/// # Errors
/// Fails if the file cannot be read, or a line is too long.
fn lines(
    path: &Path,
    _name: Option<&str>,
    columns: &Columns,
    sink: &mut Sink<'_>,
) -> Result<(), Unreadable> {
    let mut reader = open_large(path)?;
    let mut batches = Batches::new(sink);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        let limit = MAX_ROW_BYTES as u64 + 1;
        let read = reader.by_ref().take(limit).read_until(b'\n', &mut line);
        read.map_err(|error| Unreadable::new(path, format!("cannot be read ({error})")))?;
        if line.is_empty() {
            batches.finish();
            return Ok(());
        }
        if line.len() > MAX_ROW_BYTES {
            let message = format!("line {number} is longer than {} MB", MAX_ROW_BYTES >> 20);
            return Err(Unreadable::new(path, message));
        }
        if number == 1 && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..3);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let record = match std::str::from_utf8(&line) {
            Ok(text) => record(number, text),
            Err(_) => Err(RecordFault::new(
                Place::Line(number, None),
                "this is not UTF-8 text",
            )),
        };
        let row = record.map(|record| row_of(record, columns));
        batches.push(row, line.len());
    }
}
