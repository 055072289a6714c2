//! What is wrong with a JSON text, in words.

use crate::text::json_fault;
use serde_json::Value;

/// A JSON value in words.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What is wrong with a value that should have been an object.
pub(super) fn not_an_object(value: &Value) -> String {
    format!("an object was expected, found {}", kind(value))
}

/// serde_json's message about a line without its own "at line 1 column 2".
pub(super) fn reason_in(text: &str, error: &serde_json::Error) -> String {
    match json_fault::word(text.as_bytes(), error) {
        Some((word, what)) => format!("this is not JSON: `{word}` is {what}"),
        None => reason(error),
    }
}

/// serde_json's message without its own "at line 1 column 2".
pub(super) fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let reason = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(reason, _)| reason);
    match reason.strip_prefix("EOF while parsing ") {
        Some(inside) => format!("this is not JSON: it ends inside {inside}"),
        None => format!("this is not JSON: {reason}"),
    }
}
