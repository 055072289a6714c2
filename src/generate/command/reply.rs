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
    Reply(Reply),
    Ready,
    /// A reply to a request that is not the current one.
    OtherId(String),
    /// Something else, such as a progress bar.
    Stray,
}

/// A reply with the right id. It is not checked yet.
pub(super) struct Reply(Object);

/// Reads a line; `id` is that of the current request.
pub(super) fn read(line: &[u8], id: &str) -> Line {
    let Ok(Value::Object(object)) = json::read(line) else {
        return Line::Stray;
    };
    match object.get("id") {
        Some(Value::String(other)) if other == id => Line::Reply(Reply(object)),
        Some(other) => Line::OtherId(other.to_string()),
        None if object.get("ready") == Some(&Value::Bool(true)) => Line::Ready,
        None => Line::Stray,
    }
}

impl Reply {
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
            prop_assert!(!matches!(read(&line, "a#0"), Line::Reply(_) | Line::Ready));
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
            let Line::Reply(reply) = read(body.as_bytes(), "a") else {
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
