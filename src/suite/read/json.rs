//! One JSON value: an array of objects, or an object keyed by id.

use super::{Place, Record, Records, kind, reason};
use crate::record::Object;
use serde_json::Value;

pub(super) fn read(text: &str) -> Records {
    let mut records = Records::default();
    if text.trim_ascii().is_empty() {
        return records;
    }
    match serde_json::from_str(text) {
        Ok(Value::Array(values)) => {
            for (index, value) in values.into_iter().enumerate() {
                let place = Place::Record(index + 1);
                match value {
                    Value::Object(fields) => records.add(place, fields),
                    other => records.refuse(place, not_an_object(&other)),
                }
            }
        }
        Ok(Value::Object(entries)) => {
            for (key, value) in entries {
                keyed(&mut records, key, value);
            }
        }
        Ok(other) => records.refuse(
            Place::Line(1, None),
            format!("an array or an object was expected, found {}", kind(&other)),
        ),
        Err(error) => {
            let place = Place::Line(error.line().max(1), Some(error.column().max(1)));
            records.refuse(place, reason(&error));
        }
    }
    records
}

/// The value is an object, or the prompt itself.
fn keyed(records: &mut Records, key: String, value: Value) {
    let place = Place::Key(key.clone());
    let fields = match value {
        Value::Object(fields) => fields,
        Value::String(prompt) => Object::from_iter([("prompt".to_owned(), prompt.into())]),
        other => return records.refuse(place, not_an_object(&other)),
    };
    records.good.push(Record {
        place,
        key: Some(key),
        fields,
    });
}

fn not_an_object(value: &Value) -> String {
    format!("an object was expected, found {}", kind(value))
}
