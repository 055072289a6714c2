//! The right answers as texts.

use crate::text::python_value::Value;
use serde_json::Value as Json;

/// Accepted answers. The official rules tell one text from a list with one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    One(String),
    List(Vec<String>),
}

impl Answers {
    /// Reads `answers`. Numbers become texts as Python prints them.
    ///
    /// # Errors
    /// When something else is among them.
    pub(super) fn read(answers: &Json) -> Result<Self, String> {
        match answers {
            Json::Array(all) => Ok(Self::List(all.iter().map(text).collect::<Result<_, _>>()?)),
            one => text(one).map(Self::One),
        }
    }

    /// All of them.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::List(all) => all,
        }
    }
}

fn text(answer: &Json) -> Result<String, String> {
    match answer {
        Json::String(_) | Json::Number(_) | Json::Bool(_) => Ok(Value::from_json(answer).to_str()),
        other => Err(format!("`answers` holds {other}, where a text or a number was expected")),
    }
}
