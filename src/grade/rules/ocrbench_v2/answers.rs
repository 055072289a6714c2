//! What an item of OCRBench v2 accepts.

use crate::python::value::Value;
use serde_json::Value as Json;

/// One text or several, with numbers made strings already. Official metrics treat a bare text and a list of
/// one differently.
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
    /// Fails if something else is among them.
    pub(super) fn read(answers: &Json) -> Result<Self, String> {
        match answers {
            Json::Array(all) => {
                let texts = all.iter().map(text);
                texts.collect::<Result<_, _>>().map(Self::List)
            }
            one => text(one).map(Self::One),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(answer) => std::slice::from_ref(answer),
            Self::List(answers) => answers,
        }
    }
}

fn text(answer: &Json) -> Result<String, String> {
    match answer {
        Json::String(_) | Json::Number(_) | Json::Bool(_) => Ok(Value::from_json(answer).to_str()),
        other => Err(format!(
            "`answers` holds {other}, where a text or a number was expected"
        )),
    }
}
