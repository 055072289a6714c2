//! `text`: what is written in a picture.

use super::field::{Field, Text};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an engine reads in a picture. `L` holds the lines; [`ReadText`] skips them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TextReading<'a, L = Vec<Field<Line<'a>>>> {
    /// The engine's name, such as `PP-OCRv4`, or that of a model behind a server.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub engine: Field<Text<'a>>,
    /// The lines with their positions. Empty if the engine gives no lines.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub lines: Field<L>,
    /// The whole text. Line feeds join the lines.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub text: Field<Text<'a>>,
    /// The number of tiles in which the picture was read.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub tiles: Option<usize>,
    /// Whether the limit of tokens ended the text.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    /// What the server says about its answer.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
    /// The model's thought, if the server sends it separately.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The whole reply, if a thought was left out of the text.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Short sentences that the summary counts ([`crate::record::NOTES`]).
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A reading of which only the text matters.
pub type ReadText<'a> = TextReading<'a, IgnoredAny>;

/// The whole text of an evidence object. The lines, which may be many, are not read.
pub fn text_alone(evidence: &Value) -> Option<&str> {
    evidence.get(TextReading::KEY)?.as_str()
}

/// The name of the engine that read a text. `None` if the evidence has no text, or does not say who read it.
pub fn text_engine(evidence: &Value) -> Option<&str> {
    evidence.get(TextReading::KEY)?;
    evidence.get("engine")?.as_str()
}

/// The observers whose text a language model writes. Such a text may have thoughts next to the answer. The
/// text of an OCR engine has none, even if the picture shows their marks.
pub const LANGUAGE_MODEL_READERS: [&str; 2] = ["openai-ocr", "qwen-ocr"];

/// One line. `P` is its polygon: points, each of two numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Line<'a, P = Vec<Vec<f64>>> {
    /// Its characters.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub text: Field<Text<'a>>,
    /// Mean probability of the characters, 0 to 1.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub score: Field<f64>,
    /// The corners of its box as x and y, in pixels.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub polygon: Field<P>,
}

/// What a server says about an answer, word for word.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Server {
    /// The model that answered. Null if the server names none.
    pub model: Value,
    /// Tokens as the server counts them. Null if it does not.
    pub usage: Value,
}

impl TextReading<'_> {
    /// The key that shows this kind.
    pub const KEY: &'static str = "text";
}

#[cfg(test)]
mod tests {
    use super::super::{read, written};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_keys_and_their_order_are_those_of_the_files() {
        let line = Line {
            text: Text::from("AB").into(),
            score: 0.5.into(),
            polygon: vec![vec![1.0, 2.5], vec![3.0, 4.0]].into(),
        };
        let seen = TextReading {
            engine: Text::from("PP-OCRv4").into(),
            lines: vec![line.into()].into(),
            text: Text::from("AB").into(),
            tiles: Some(1),
            truncated: Some(false),
            server: Some(Server {
                model: "m".into(),
                usage: Value::Null,
            }),
            reasoning: Some("hm".into()),
            reply: Some("whole".into()),
            notes: vec!["a note".into()],
        };
        let value = written(&seen).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"engine":"PP-OCRv4","lines":[{"text":"AB","score":0.5,"polygon":[[1.0,2.5],[3.0,4.0]]}],"text":"AB","tiles":1,"truncated":false,"server":{"model":"m","usage":null},"reasoning":"hm","reply":"whole","notes":["a note"]}"#
        );
        let again: TextReading<'_> = read(&value);
        assert_eq!(again.lines, seen.lines);
        assert_eq!(read::<ReadText<'_>>(&value).text.text(), "AB");
    }

    #[test]
    fn lines_that_are_none_do_not_spoil_the_text() {
        let value = json!({"lines": [3, {"polygon": [1, 2]}], "text": "AB"});
        let seen: TextReading<'_> = read(&value);
        assert_eq!(seen.text.text(), "AB");
        let lines = seen.lines.get().unwrap();
        assert!(lines[0].get().is_none());
        assert!(lines[1].get().unwrap().polygon.get().is_none());
        let value = json!({"lines": null, "text": 5});
        let seen: ReadText<'_> = read(&value);
        assert!(!seen.lines.is_absent() && !seen.text.is_absent());
        assert!(seen.text.get().is_none() && text_alone(&value).is_none());
        let value = json!({"engine": "PP-OCRv4", "text": "AB"});
        assert_eq!(text_alone(&value), Some("AB"));
        assert_eq!(text_engine(&value), Some("PP-OCRv4"));
        assert_eq!(text_engine(&json!({"engine": "clip-flant5"})), None);
    }
}
