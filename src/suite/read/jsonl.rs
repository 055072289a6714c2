//! JSON lines. Lines end at U+000A and nowhere else: texts may hold raw U+0085 or U+2028.

use super::{Place, Records, kind, reason};
use serde_json::Value;

/// One object a line; blank lines are skipped, a carriage return before the line's end is dropped.
pub(super) fn read(text: &str) -> Records {
    let mut records = Records::default();
    for (index, line) in text.split('\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(Value::Object(fields)) => records.add(Place::Line(index + 1, None), fields),
            Ok(other) => records.refuse(
                Place::Line(index + 1, None),
                format!("a JSON object was expected, found {}", kind(&other)),
            ),
            Err(error) => {
                let column = Some(error.column().max(1));
                records.refuse(Place::Line(index + 1, column), reason(&error));
            }
        }
    }
    records
}
