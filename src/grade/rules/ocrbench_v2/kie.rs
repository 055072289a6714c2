//! Key information: the keys that have the right value.

use super::dictionary::Pairs;
use crate::python;
use crate::python::value::{Dict, Value};
use crate::python::whitespace::strip;
use serde_json::Value as Json;

/// The right values: for each key, all that are accepted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gold(Vec<(String, Vec<Value>)>);

impl Gold {
    /// Reads `answers[0]`. The values of a JSON object are lists of accepted values. A value that is a text
    /// is read character by character, as the official script does. In a text with an object, a value that is
    /// not a list is the only accepted one. An unreadable text gives `None`: nothing is accepted, and the
    /// score is 0.
    ///
    /// # Errors
    /// Fails if the official script would stop here.
    pub(super) fn read(answer: &Json) -> Result<Option<Self>, String> {
        match answer {
            Json::Object(map) => {
                let pairs = map.iter().map(|(key, value)| {
                    let accepted = match value {
                        Json::Array(all) => all.iter().map(Value::from_json).collect(),
                        Json::String(text) => characters(text),
                        Json::Object(all) => all.keys().cloned().map(Value::Str).collect(),
                        other => {
                            return Err(format!(
                                "the answer's `{key}` is {other}, where a list was expected"
                            ));
                        }
                    };
                    Ok((key.clone(), accepted))
                });
                Ok(Some(Self(pairs.collect::<Result<_, _>>()?)))
            }
            Json::String(text) => Self::read_text(text),
            other => Err(format!(
                "the answer is {other}, where an object or a text with one was expected"
            )),
        }
    }

    /// Reads the text of `answers[0]` in the Chinese task: a Python literal.
    ///
    /// # Errors
    /// Fails if it is not a Python dict.
    pub(super) fn read_literal(answer: &Json) -> Result<Option<Self>, String> {
        let Json::String(text) = answer else {
            return Self::read(answer);
        };
        match python::literal::parse(text) {
            Some(Value::Dict(dict)) => Ok(Some(Self::of_dict(&dict))),
            _ => Err("the answer is not a Python dict".into()),
        }
    }

    fn read_text(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim_matches('"');
        let value = match python::json::loads(text) {
            Some(value) => value,
            None => match python::literal::parse(text) {
                Some(Value::Str(inner)) => match python::literal::parse(&inner) {
                    Some(value) => value,
                    None => return Ok(None),
                },
                Some(dict @ Value::Dict(_)) => dict,
                _ => return Ok(None),
            },
        };
        match value {
            Value::Dict(dict) => Ok(Some(Self::of_dict(&dict))),
            _ => Err("the answer's text has no object".into()),
        }
    }

    fn of_dict(dict: &Dict) -> Self {
        let pairs = dict.iter().map(|(key, value)| {
            let accepted = match value {
                Value::List(all) => all.clone(),
                other => vec![other.clone()],
            };
            // A key that is not text equals no key of the prediction.
            let key = match key {
                Value::Str(key) => key.clone(),
                other => format!("\0{}", other.repr()),
            };
            (key, accepted)
        });
        Self(pairs.collect())
    }

    /// How many ways there are to choose one accepted value for each key.
    pub(super) fn combinations(&self) -> usize {
        self.0.iter().fold(1, |count: usize, (_, accepted)| {
            count.saturating_mul(accepted.len())
        })
    }
}

fn characters(text: &str) -> Vec<Value> {
    text.chars().map(|c| Value::Str(c.to_string())).collect()
}

/// The number of keys that are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Keys {
    /// Keys with the right value.
    pub(super) right: usize,
    /// All keys of the prediction or the answer.
    pub(super) all: usize,
}

impl Keys {
    /// The share of right keys. It is 0 if there are none.
    pub(super) fn score(self) -> f64 {
        if self.all == 0 {
            return 0.0;
        }
        self.right as f64 / self.all as f64
    }
}

/// Compares with the best choice of accepted values.
///
/// The official script tries every choice of one accepted value for each key. Keys do not depend on each
/// other, so the best choice is the best of each key. A key that is absent from the prediction and `None` in
/// the answer is not a key.
pub(super) fn compare(predicted: &Pairs, gold: &Gold) -> Keys {
    if gold.combinations() == 0 {
        return Keys::default();
    }
    let mut keys = Keys::default();
    for (key, accepted) in &gold.0 {
        let said = predicted.iter().find(|(known, _)| known == key);
        let Some((_, said)) = said else {
            keys.all += usize::from(!accepted.contains(&Value::None));
            continue;
        };
        keys.all += 1;
        let said = comparable(said);
        keys.right += usize::from(accepted.iter().any(|value| match value {
            Value::None => false,
            Value::Str(text) => comparable(text) == said,
            // A number or list: the official script stops at those that are true and finds the others
            // unequal.
            other => other.truth() && comparable(&other.to_str()) == said,
        }));
    }
    let more = predicted
        .iter()
        .filter(|(key, _)| !gold.0.iter().any(|(known, _)| known == key));
    keys.all += more.count();
    keys
}

/// The text in lower case and without blanks.
fn comparable(text: &str) -> String {
    let lower = text.to_lowercase();
    strip(&lower).replace(['\n', ' '], "")
}
