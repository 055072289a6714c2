//! `first`: how likely a model is to begin its answer with each of some words.

use super::Answers;
use crate::record::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Probabilities of first tokens for each question, by the question's id.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FirstTokens {
    /// The name of the model that answers.
    pub engine: &'static str,
    /// Question's id → the most likely first token, as it is.
    pub answers: Object,
    /// Question's id → its [`FirstToken`].
    pub first: Object,
    /// How many of the most likely tokens are listed for each question.
    pub k: usize,
}

impl FirstTokens {
    /// The key that shows this kind.
    pub const KEY: &'static str = "first";

    /// The probabilities for one question. `None` if there are none.
    ///
    /// # Errors
    /// Fails if they are not a [`FirstToken`]. The error has serde's words.
    pub fn of(evidence: &Value, id: &str) -> Result<Option<FirstToken>, String> {
        let Some(value) = evidence.get(Self::KEY).and_then(|all| all.get(id)) else {
            return Ok(None);
        };
        let read = FirstToken::deserialize(value);
        read.map(Some).map_err(|error| error.to_string())
    }

    /// Whether the evidence has answers to questions, but no probabilities.
    pub fn are_missing(evidence: &Value) -> bool {
        evidence.get(Self::KEY).is_none() && evidence.get(Answers::KEY).is_some()
    }
}

/// How likely the model is to begin the answer to one question with each accepted form.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FirstToken {
    /// The accepted forms, in the official order, such as `Yes`.
    #[serde(default)]
    pub texts: Vec<String>,
    /// The id of the first token of each form. An id that several forms share is there several times.
    pub forms: Vec<u32>,
    /// Id → probability, 0 to 1, among all tokens of the vocabulary. An id that is not listed has 0.
    pub p: BTreeMap<u32, f64>,
    /// Id → the token as text, for the ids of `p`.
    #[serde(default)]
    pub words: BTreeMap<u32, String>,
    /// The ids of the most likely tokens, the most likely one first.
    #[serde(default)]
    pub top: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::super::written;
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read() {
        let token = FirstToken {
            texts: vec!["Yes".into(), " yes".into()],
            forms: vec![7, 3],
            p: BTreeMap::from([(3, 0.25), (7, 0.5)]),
            words: BTreeMap::from([(3, " ".into()), (7, "Yes".into())]),
            top: vec![7],
        };
        let all = FirstTokens {
            engine: "qwen3-vl",
            answers: Object::from_iter([("0".to_owned(), "Yes".into())]),
            first: Object::from_iter([("0".to_owned(), written(&token).unwrap())]),
            k: 1,
        };
        let value = written(&all).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"engine":"qwen3-vl","answers":{"0":"Yes"},"first":{"0":{"texts":["Yes"," yes"],"forms":[7,3],"p":{"3":0.25,"7":0.5},"words":{"3":" ","7":"Yes"},"top":[7]}},"k":1}"#
        );
        assert_eq!(FirstTokens::of(&value, "0"), Ok(Some(token)));
        assert_eq!(FirstTokens::of(&value, "1"), Ok(None));
        let broken = json!({"first": {"0": {"forms": "Yes"}}});
        assert!(FirstTokens::of(&broken, "0").is_err());
        assert!(FirstTokens::are_missing(&json!({"answers": {}})));
        assert!(!FirstTokens::are_missing(&value));
    }
}
