//! What a language model said about a picture, without the thoughts beside it.

use super::ObserveError;
use crate::record::{Object, add_note};
use crate::text::thinking::{NO_ANSWER, part};
use serde_json::Value;

/// Said of a reading with a thought.
const LEFT_OUT: &str = "a reader's thought was left out of the text of the picture";

/// The keys of a reading's evidence: `text`, and where a thought was left out the whole `reply` and a note.
///
/// # Errors
/// When the reply is a thought alone.
pub(super) fn reading(reply: &str) -> Result<Object, ObserveError> {
    let parted = part(reply);
    if !parted.answered() {
        return Err(no_answer("ocr"));
    }
    let mut seen = Object::new();
    seen.insert("text".into(), parted.reading().into());
    if parted.reading() != reply {
        seen.insert("reply".into(), reply.into());
    }
    if !parted.thought().is_empty() {
        add_note(&mut seen, LEFT_OUT);
    }
    Ok(seen)
}

/// The error of a reply that is a thought alone.
pub(super) fn no_answer(kind: &'static str) -> ObserveError {
    let help = "let it write longer answers, or tell it to think less";
    ObserveError::new(kind, format!("{NO_ANSWER}; {help}"))
}

/// Evidence with further keys.
pub(super) fn with(mut evidence: Value, more: Object) -> Value {
    if let Value::Object(keys) = &mut evidence {
        keys.extend(more);
    }
    evidence
}
