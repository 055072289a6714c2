//! One JSON value: an array of objects, or an object keyed by id.

use super::description::{FormatDescription, Reading};
use super::error::Unreadable;
use super::json_reason::{kind, not_an_object, reason, reason_in};
use super::record::{Place, Raw, Record, RecordFault};
use super::table::{Batches, Columns, Row, RowResult, Sink, open_large, row_of, row_place};
use crate::record::Object;
use crate::text::json::{self, Mended};
use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::io::BufRead as _;
use std::path::Path;

/// One JSON value.
pub(super) static JSON: FormatDescription = FormatDescription {
    name: "json",
    about: "A JSON array of objects, or an object whose keys are ids and whose values are objects or prompts.",
    expected: "a JSON array of objects, or an object keyed by id",
    extensions: &["json"],
    own_json: None,
    reading: Reading::TextOrRows(|text, _| Ok(records(text)), whole),
};

/// The records of one JSON value.
pub(super) fn records(text: &str) -> Vec<Raw<'static>> {
    if text.trim_ascii().is_empty() {
        return Vec::new();
    }
    match json::read(text.as_bytes()) {
        Ok(Value::Array(values)) => values.into_iter().enumerate().map(element).collect(),
        Ok(Value::Object(fields)) => entries(fields).collect(),
        Ok(other) => {
            let message = format!("an array or an object was expected, found {}", kind(&other));
            vec![Raw::broken(Place::Line(1, None), message)]
        }
        Err(error) => {
            let place = Place::Line(error.line().max(1), Some(error.column().max(1)));
            let line = text.split('\n').nth(error.line().saturating_sub(1));
            vec![Raw::broken(
                place,
                reason_in(line.unwrap_or_default(), &error),
            )]
        }
    }
}

/// The records of an object keyed by id.
pub(super) fn entries(fields: Object) -> impl Iterator<Item = Raw<'static>> {
    fields.into_iter().map(entry)
}

fn element((index, value): (usize, Value)) -> Raw<'static> {
    let place = Place::Record(index + 1);
    match value {
        Value::Object(fields) => Raw::parsed(place, None, fields),
        other => Raw::broken(place, not_an_object(&other)),
    }
}

/// The value is an object, or the prompt itself.
fn entry((key, value): (String, Value)) -> Raw<'static> {
    let place = Place::Key(key.clone());
    let fields = match value {
        Value::Object(fields) => fields,
        Value::String(prompt) => Object::from_iter([("prompt".to_owned(), prompt.into())]),
        other => return Raw::broken(place, not_an_object(&other)),
    };
    Raw::parsed(place, Some(key), fields)
}

/// Hands over the records of a file with one JSON value.
///
/// # Errors
/// Fails if the file cannot be read.
fn whole(
    path: &Path,
    _name: Option<&str>,
    columns: &Columns,
    sink: &mut Sink<'_>,
) -> Result<(), Unreadable> {
    let mut reader = open_large(path)?;
    let start = reader.fill_buf();
    let start =
        start.map_err(|error| Unreadable::new(path, format!("cannot be read ({error})")))?;
    let mark = "\u{feff}".as_bytes();
    if start.starts_with(mark) {
        reader.consume(mark.len());
    }
    let mut records = Records {
        columns,
        batches: Batches::new(sink),
        count: 0,
    };
    let mut json = serde_json::Deserializer::from_reader(Mended::new(reader));
    let read = json.deserialize_any(&mut records).and_then(|()| json.end());
    if let Err(error) = read {
        let place = Place::Line(error.line().max(1), Some(error.column().max(1)));
        let problem = RecordFault::new(place, reason(&error));
        records.batches.push(Err(problem), 0);
    }
    records.batches.finish();
    Ok(())
}

/// Takes the elements of an array or object one by one.
struct Records<'a, 'b> {
    columns: &'a Columns,
    batches: Batches<'a, 'b>,
    count: usize,
}

impl Records<'_, '_> {
    fn add_value(&mut self, key: Option<String>, value: Value) {
        self.count += 1;
        let place = match &key {
            Some(key) => Place::Key(key.clone()),
            None => row_place(None, self.count),
        };
        let read: RowResult = match value {
            Value::Object(fields) => {
                let record = Record { place, key, fields };
                Ok(row_of(record, self.columns))
            }
            other => Err(RecordFault::new(place, not_an_object(&other))),
        };
        let bytes = read.as_ref().map_or(0, Row::weight);
        self.batches.push(read, bytes);
    }
}

impl<'de> Visitor<'de> for &mut Records<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element()? {
            self.add_value(None, value);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value()?;
            self.add_value(Some(key), value);
        }
        Ok(())
    }
}
