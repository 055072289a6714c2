//! `answers`: answers to the questions about a picture.

use crate::record::Object;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// One answer for each question, by the question's id.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Answers {
    /// The name of the model that answers. Absent if the observer's name says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<&'static str>,
    /// Question's id → the word that is graded, such as `yes`.
    pub answers: Object,
    /// Question's id → the whole reply, if the answer is a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<Object>,
}

impl Answers {
    /// The key that shows this kind.
    pub const KEY: &'static str = "answers";
}

/// The answers of an evidence object.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a>(&'a Object);

impl<'a> Answered<'a> {
    /// The answers. `None` if `answers` is not an object.
    pub fn read(evidence: &'a Value) -> Option<Self> {
        evidence.get(Answers::KEY)?.as_object().map(Self)
    }

    /// The answer to a question; one that is not text is its JSON.
    pub fn word(&self, id: &str) -> Option<Cow<'a, str>> {
        Some(match self.0.get(id)? {
            Value::String(word) => Cow::Borrowed(word.as_str()),
            other => Cow::Owned(other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::written;
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_words_by_question() {
        let words = |word: &str| Object::from_iter([("2".to_owned(), word.into())]);
        let alone = Answers {
            answers: words("yes"),
            ..Answers::default()
        };
        assert_eq!(
            written(&alone).unwrap().to_string(),
            r#"{"answers":{"2":"yes"}}"#
        );
        let all = Answers {
            engine: Some("qwen2.5-vl"),
            answers: words("yes"),
            replies: Some(words("Yes.")),
        };
        let value = written(&all).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"engine":"qwen2.5-vl","answers":{"2":"yes"},"replies":{"2":"Yes."}}"#
        );
        let answered = Answered::read(&value).unwrap();
        assert_eq!(answered.word("2").as_deref(), Some("yes"));
        assert_eq!(answered.word("3"), None);
        assert!(Answered::read(&json!({"answers": ["yes"]})).is_none());
        let number = json!({"answers": {"1": 3}});
        let answered = Answered::read(&number).unwrap();
        assert_eq!(answered.word("1").as_deref(), Some("3"));
    }
}
