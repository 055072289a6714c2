//! Notes on single outputs: facts that do not change the record but that a reader of the numbers must know.
//!
//! A record of any stage keeps them under the key `notes`, a list of short sentences without a number of
//! their own, so that the summary can count equal ones: "2 of 8 outputs: the answer was cut by the token
//! limit".

use super::Object;
use serde_json::Value;

/// The key of the notes in a record.
pub const NOTES: &str = "notes";

/// Adds a note to a record, unless the record has it already.
pub fn add_note(record: &mut Object, note: &str) {
    let notes = record
        .entry(NOTES)
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::String(single) = notes {
        *notes = Value::Array(vec![std::mem::take(single).into()]);
    }
    if let Value::Array(list) = notes
        && !list.iter().any(|known| known.as_str() == Some(note))
    {
        list.push(note.into());
    }
}

/// The notes of a record; a single text counts as one note.
pub fn notes(record: &Object) -> impl Iterator<Item = &str> {
    let notes = record.get(NOTES);
    let single = notes.and_then(Value::as_str);
    let list = notes.and_then(Value::as_array).into_iter().flatten();
    single.into_iter().chain(list.filter_map(Value::as_str))
}

/// Whether a server's `finish_reason` says that the limit of tokens ended the text.
pub fn ended_by_limit(finish_reason: &str) -> bool {
    ["length", "max_tokens", "max_output_tokens", "model_length"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(finish_reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_note_is_kept_once_beside_others() {
        let mut record = Object::new();
        for note in ["turned", "cut", "turned"] {
            add_note(&mut record, note);
        }
        assert_eq!(
            Value::Object(record.clone()),
            json!({"notes": ["turned", "cut"]})
        );
        assert_eq!(notes(&record).collect::<Vec<_>>(), ["turned", "cut"]);
        record.insert(NOTES.into(), "alone".into());
        assert_eq!(notes(&record).collect::<Vec<_>>(), ["alone"]);
        add_note(&mut record, "cut");
        assert_eq!(notes(&record).collect::<Vec<_>>(), ["alone", "cut"]);
    }
}
