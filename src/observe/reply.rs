//! The text that a language model read in a picture, without its thoughts.

use super::ObserveError;
use crate::record::evidence::{Field, Text, TextReading};
use crate::text::thinking::{NO_ANSWER, split_reply};

/// The note on a reading whose thought was left out.
const LEFT_OUT: &str = "a reader's thought was left out of the text of the picture";

/// A reading that contains the text but no lines. If a thought was left out, the reading has the whole reply
/// and a note too.
///
/// # Errors
/// Fails if the reply contains only a thought.
pub(super) fn reading(engine: &str, reply: &str) -> Result<TextReading<'static>, ObserveError> {
    let parted = split_reply(reply);
    if !parted.answered() {
        return Err(no_answer("ocr"));
    }
    let thought = (!parted.thought().is_empty()).then(|| LEFT_OUT.to_owned());
    Ok(TextReading {
        engine: Text::from(engine.to_owned()).into(),
        lines: Field::Given(Vec::new()),
        text: Text::from(parted.reading().to_owned()).into(),
        reply: (parted.reading() != reply).then(|| reply.to_owned()),
        notes: thought.into_iter().collect(),
        ..TextReading::default()
    })
}

/// The error of a reply that contains only a thought.
pub(super) fn no_answer(kind: &'static str) -> ObserveError {
    let help = "allow longer answers, or limit its reasoning";
    ObserveError::new(kind, format!("{NO_ANSWER}; {help}"))
}
