//! The answers that an item of OCRBench v2 accepts.

use crate::python::value::Value;
use serde_json::Value as Json;

/// One text or several. Numbers are strings already. The official metrics treat a bare text differently from
/// a list with one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answers {
    /// A bare text.
    One(String),
    /// A list of texts.
    List(Vec<String>),
}

impl Answers {
    /// Reads `answers`. Numbers become texts as Python prints them.
    ///
    /// # Errors
    /// Fails if another value is among them.
    pub(super) fn read(answers: &Json) -> Result<Self, String> {
        match answers {
            Json::Array(all) => {
                let texts = all.iter().map(answer_text);
                texts.collect::<Result<_, _>>().map(Self::List)
            }
            one => answer_text(one).map(Self::One),
        }
    }

    /// All texts.
    pub(super) fn texts(&self) -> &[String] {
        match self {
            Self::One(answer) => std::slice::from_ref(answer),
            Self::List(answers) => answers,
        }
    }
}

fn answer_text(answer: &Json) -> Result<String, String> {
    match answer {
        Json::String(_) | Json::Number(_) | Json::Bool(_) => Ok(Value::from_json(answer).to_str()),
        other => Err(format!(
            "`answers` has {other}, where a text or a number was expected"
        )),
    }
}
