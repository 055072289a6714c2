//! One JSON value: an array of objects, or an object keyed by id.

use super::{Place, Raw, kind, not_an_object, reason_in};
use crate::record::Object;
use crate::text::json;
use serde_json::Value;

pub(super) fn read(text: &str) -> Vec<Raw<'static>> {
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
