//! Lines that the program writes, and the answers in them.

use crate::generate::error::GenerateError;
use crate::generate::generator::{Answer, Generated};
use crate::generate::picture;
use crate::record::Object;
use crate::text::json;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The kinds of lines on stdout.
pub(super) enum Line {
    /// A reply, with the id of its request.
    Reply(Value, Reply),
    /// The weights are loaded.
    Ready(Batch),
    /// Something else, such as a progress bar.
    Stray,
}

/// The number of requests that the program wants in a line, at most.
pub(super) enum Batch {
    /// The program names no number, so each line is one request.
    Unnamed,
    /// The program answers `{"requests": […]}`.
    AtMost(usize),
    /// What the program wrote is not such a number.
    Wrong(Value),
}

/// A reply that is not checked yet.
pub(super) struct Reply(Object);

/// Reads a line.
pub(super) fn read(line: &[u8]) -> Line {
    let Ok(Value::Object(object)) = json::read(line) else {
        return Line::Stray;
    };
    match object.get("id") {
        Some(id) => Line::Reply(id.clone(), Reply(object)),
        None if object.get("ready") == Some(&Value::Bool(true)) => {
            Line::Ready(Batch::read(object.get("batch")))
        }
        None => Line::Stray,
    }
}

impl Batch {
    fn read(value: Option<&Value>) -> Self {
        let number = |value: &Value| usize::try_from(value.as_u64()?).ok().filter(|&n| n > 0);
        match value {
            None | Some(Value::Null) => Self::Unnamed,
            Some(value) => number(value).map_or_else(|| Self::Wrong(value.clone()), Self::AtMost),
        }
    }
}

impl Reply {
    /// Whether the program ends after this reply, so that no further request reaches it.
    pub(super) fn is_last(&self) -> bool {
        self.0.get("last") == Some(&Value::Bool(true))
    }

    /// Checks the reply and reads its picture. Relative paths are relative to `folder`.
    ///
    /// # Errors
    /// Fails if the program says that it failed, or the reply has no answer that can be used.
    pub(super) fn into_generated(mut self, folder: &Path) -> Result<Generated, GenerateError> {
        let wrong =
            |what: &str| GenerateError::item("protocol", format!("the program's reply: {what}"));
        if let Some(error) = self.0.remove("error").filter(|error| !error.is_null()) {
            let message = error
                .as_str()
                .map_or_else(|| error.to_string(), str::to_owned);
            return Err(GenerateError::item("program", message));
        }
        let mut text = |key: &str| match self.0.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(&format!("`{key}` is not a string"))),
        };
        let answer = match (text("image")?, text("image_base64")?, text("text")?) {
            (Some(path), None, None) => read_picture(&folder.join(path))?,
            (None, Some(encoded), None) => {
                let bytes = picture::from_base64(&encoded)
                    .map_err(|why| wrong(&format!("`image_base64` is {why}")))?;
                picture::answer(bytes).map_err(|what| {
                    GenerateError::item("image", format!("`image_base64` contains {what}"))
                })?
            }
            (None, None, Some(text)) => Answer::Text(text),
            _ => {
                return Err(wrong(
                    "expected exactly one of `image`, `image_base64`, `text` and `error`",
                ));
            }
        };
        let timings: BTreeMap<String, f64> = match self.0.remove("timings") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(value) => serde_json::from_value(value)
                .map_err(|_| wrong("`timings` is not an object of seconds"))?,
        };
        let extra = match self.0.remove("extra") {
            None | Some(Value::Null) => Object::new(),
            Some(Value::Object(extra)) => extra,
            Some(_) => return Err(wrong("`extra` is not an object")),
        };
        Ok(Generated {
            answer,
            timings,
            extra,
        })
    }
}

fn read_picture(path: &Path) -> Result<Answer, GenerateError> {
    let wrong = |what: &str| GenerateError::item("image", format!("{}: {what}", path.display()));
    // The type is checked before opening, since opening a pipe would wait for its other end.
    let data = std::fs::metadata(path).map_err(|error| wrong(&error.to_string()))?;
    if !data.is_file() {
        return Err(wrong("is not a file"));
    }
    if data.len() > picture::MAX_BYTES {
        return Err(wrong(&format!(
            "is larger than {} MiB",
            picture::MAX_BYTES >> 20
        )));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(picture::MAX_BYTES).read_to_end(&mut bytes))
        .map_err(|error| wrong(&error.to_string()))?;
    picture::answer(bytes).map_err(|what| wrong(&format!("contains {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_line_is_taken_for_something(line in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!matches!(read(&line), Line::Reply(..) | Line::Ready(_)));
        }
    }

    #[test]
    fn a_batch_is_a_whole_number_from_one() {
        for (line, expected) in [
            (r#"{"ready":true}"#, "unnamed"),
            (r#"{"ready":true,"batch":null}"#, "unnamed"),
            (r#"{"ready":true,"batch":1}"#, "1"),
            (r#"{"ready":true,"batch":64}"#, "64"),
            (r#"{"ready":true,"batch":0}"#, "wrong 0"),
            (r#"{"ready":true,"batch":-1}"#, "wrong -1"),
            (r#"{"ready":true,"batch":8.5}"#, "wrong 8.5"),
            (r#"{"ready":true,"batch":"8"}"#, "wrong \"8\""),
            (r#"{"ready":true,"batch":true}"#, "wrong true"),
        ] {
            let Line::Ready(batch) = read(line.as_bytes()) else {
                panic!("{line}")
            };
            let found = match batch {
                Batch::Unnamed => "unnamed".to_owned(),
                Batch::AtMost(most) => most.to_string(),
                Batch::Wrong(value) => format!("wrong {value}"),
            };
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn a_reply_with_two_answers_or_none_is_refused() {
        for body in [
            r#"{"id":"a"}"#,
            r#"{"id":"a","text":"x","image":"y"}"#,
            r#"{"id":"a","text":5}"#,
            r#"{"id":"a","text":"x","timings":{"a":"b"}}"#,
        ] {
            let Line::Reply(_, reply) = read(body.as_bytes()) else {
                panic!("{body}")
            };
            let error = reply.into_generated(Path::new("/")).unwrap_err();
            assert!(
                matches!(
                    error,
                    GenerateError::Item {
                        kind: "protocol",
                        ..
                    }
                ),
                "{body}: {error}"
            );
        }
    }
}
