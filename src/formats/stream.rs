//! JSON with pictures inside, of any size: an array of objects, an object keyed by id, or an object a line.

use super::table::{Batches, Columns, MAX_ROW_BYTES, Read, Row, Sink, pictures_of, place};
use super::{Place, Record, jsonl, not_an_object, reason};
use crate::suite::error::{Problem, SuiteError};
use crate::text::json::Mended;
use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

/// Hands over the records of a file with an object a line.
pub(super) fn lines(path: &Path, columns: &Columns, sink: &mut Sink<'_>) -> Result<(), SuiteError> {
    let mut reader = open(path)?;
    let mut batches = Batches::new(sink);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        let limit = MAX_ROW_BYTES as u64 + 1;
        let read = reader.by_ref().take(limit).read_until(b'\n', &mut line);
        read.map_err(|error| unreadable(path, format!("cannot be read ({error})")))?;
        if line.is_empty() {
            return batches.finish();
        }
        if line.len() > MAX_ROW_BYTES {
            let message = format!("line {number} is longer than {} MB", MAX_ROW_BYTES >> 20);
            return Err(unreadable(path, message));
        }
        if number == 1 && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..3);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let record = match std::str::from_utf8(&line) {
            Ok(text) => jsonl::record(number, text),
            Err(_) => Err(Problem::new(
                Place::Line(number, None),
                "this is not UTF-8 text",
            )),
        };
        let row = record.map(|record| row(record, columns));
        batches.push(row, line.len())?;
    }
}

/// Hands over the records of a file with one JSON value.
pub(super) fn whole(path: &Path, columns: &Columns, sink: &mut Sink<'_>) -> Result<(), SuiteError> {
    let mut reader = open(path)?;
    let start = reader.fill_buf();
    let start = start.map_err(|error| unreadable(path, format!("cannot be read ({error})")))?;
    let mark = "\u{feff}".as_bytes();
    if start.starts_with(mark) {
        reader.consume(mark.len());
    }
    let mut records = Records {
        columns,
        batches: Batches::new(sink),
        count: 0,
        failed: None,
    };
    let mut json = serde_json::Deserializer::from_reader(Mended::new(reader));
    let read = json.deserialize_any(&mut records).and_then(|()| json.end());
    if let Some(failed) = records.failed {
        return Err(failed);
    }
    if let Err(error) = read {
        let place = Place::Line(error.line().max(1), Some(error.column().max(1)));
        let problem = Problem::new(place, reason(&error));
        records.batches.push(Err(problem), 0)?;
    }
    records.batches.finish()
}

fn open(path: &Path) -> Result<BufReader<File>, SuiteError> {
    let file =
        File::open(path).map_err(|error| unreadable(path, format!("cannot be read ({error})")))?;
    Ok(BufReader::with_capacity(1 << 20, file))
}

fn unreadable(path: &Path, problem: String) -> SuiteError {
    SuiteError::Unreadable {
        path: path.to_owned(),
        problem,
        help: None,
    }
}

/// Moves the pictures out of the record.
fn row(mut record: Record, columns: &Columns) -> Row {
    let mut pictures = Vec::new();
    for name in &columns.images {
        if let Some(value) = record.fields.shift_remove(name) {
            pictures.push((name.clone(), pictures_of(&value)));
        }
    }
    Row { record, pictures }
}

/// Takes the elements of an array or object one by one.
struct Records<'a, 'b> {
    columns: &'a Columns,
    batches: Batches<'a, 'b>,
    count: usize,
    /// What the taker of the records said; it ends the reading.
    failed: Option<SuiteError>,
}

impl Records<'_, '_> {
    fn take<E: serde::de::Error>(&mut self, key: Option<String>, value: Value) -> Result<(), E> {
        self.count += 1;
        let place = match &key {
            Some(key) => Place::Key(key.clone()),
            None => place(None, self.count),
        };
        let read: Read = match value {
            Value::Object(fields) => {
                let record = Record { place, key, fields };
                Ok(row(record, self.columns))
            }
            other => Err(Problem::new(place, not_an_object(&other))),
        };
        let bytes = read.as_ref().map_or(0, Row::weight);
        self.batches.push(read, bytes).map_err(|failed| {
            self.failed = Some(failed);
            E::custom("stopped")
        })
    }
}

impl<'de> Visitor<'de> for &mut Records<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element()? {
            self.take(None, value)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value()?;
            self.take(Some(key), value)?;
        }
        Ok(())
    }
}
