//! DPG-Bench's questions about a picture, for all observers that answer them.

use crate::record::Item;
use serde_json::Value;

/// The questions of an item with their ids, in order. If an id is repeated, its last question counts.
pub(super) fn questions(item: &Item) -> Vec<(String, String)> {
    let rows = item.expect.get("propositions").and_then(Value::as_array);
    let mut questions: Vec<(String, String)> = Vec::new();
    for row in rows.into_iter().flatten() {
        let id = match &row["id"] {
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        let Some(question) = row["question"].as_str() else {
            continue;
        };
        match questions.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = question.to_owned(),
            None => questions.push((id, question.to_owned())),
        }
    }
    questions
}
