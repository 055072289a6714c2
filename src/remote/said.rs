//! What a server says about an error: its words, and the status that its code or type means.

use super::codes;
use super::snippet::snippet;
use crate::text::json;
use serde_json::Value;

/// Longest text of a server that a message repeats, in characters.
const LONGEST: usize = 1000;

/// An error in the words of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// The words of the error.
    pub message: String,
    /// The field of the request that caused the error, if the server names one.
    pub param: String,
    /// The codes and types, in the form of [`codes`].
    words: Vec<String>,
    /// A code that is the HTTP status of an error.
    number: Option<u16>,
}

impl Said {
    /// Reads the body of an answer whose status is not a success.
    pub(super) fn of_body(body: &[u8]) -> Self {
        let json: Value = json::read(body).unwrap_or_default();
        // Google's servers put the object into a list.
        let json = json.get(0).cloned().unwrap_or(json);
        let told = ["error", "errors"]
            .iter()
            .find_map(|key| first_error(&json[*key]));
        let mut said = Self::read(told.unwrap_or(&Value::Null), &json);
        if said.message.is_empty() {
            said.message = snippet(body);
        }
        said
    }

    /// Reads an answer whose status is a success. `None` if it reports no error.
    pub(super) fn under_success(answer: &Value) -> Option<Self> {
        let answer = answer.get(0).unwrap_or(answer);
        let choice = &answer["choices"][0];
        let told = first_error(&answer["error"]).or_else(|| first_error(&choice["error"]));
        let ended = choice["finish_reason"].as_str() == Some("error");
        let lacks = |key: &str| answer[key].as_array().is_none_or(Vec::is_empty);
        let instead = || (lacks("choices") && lacks("data") && is_error(answer)).then_some(answer);
        let told = told
            .or_else(|| {
                first_error(&answer["errors"]).filter(|_| lacks("choices") && lacks("data"))
            })
            .or_else(|| ended.then_some(choice))
            .or_else(instead)?;
        let mut said = Self::read(told, answer);
        if said.message.is_empty() {
            said.message = if ended {
                "the server ended the answer with an error".into()
            } else {
                snippet(told.to_string().as_bytes())
            };
        }
        Some(said)
    }

    /// Reads `error` together with the object next to it.
    fn read(error: &Value, beside: &Value) -> Self {
        let mut message = [error, beside]
            .into_iter()
            .find_map(words_of)
            .unwrap_or_default();
        // A gateway's own words say little. It keeps the words of the server behind it in `raw`.
        if let Some(raw) = error["metadata"]["raw"].as_str()
            && !message.contains(raw)
        {
            message = format!("{message}: {raw}");
        }
        let message = snippet_of(&message);
        let mut said = Self {
            message,
            param: error["param"].as_str().unwrap_or_default().to_owned(),
            words: Vec::new(),
            number: None,
        };
        for object in [error, beside] {
            for key in [
                "code",
                "status",
                "type",
                "error_code",
                "errorCode",
                "status_code",
                "statusCode",
                "error_type",
            ] {
                said.note_code(&object[key]);
            }
        }
        said
    }

    fn note_code(&mut self, code: &Value) {
        let number = match code {
            Value::Number(number) => number.as_f64().map(|number| number.to_string()),
            Value::String(text) => Some(text.trim().to_owned()),
            _ => None,
        };
        let Some(text) = number else { return };
        // The form is `503` or `503 Service Unavailable`.
        let first = text.split_whitespace().next().unwrap_or_default();
        match first.parse::<u16>() {
            Ok(status @ 400..=599) => self.number = self.number.or(Some(status)),
            Ok(_) => {}
            Err(_) => self
                .words
                .push(text.to_lowercase().replace(['-', ' ', '.'], "_")),
        }
    }

    /// The HTTP status that the code or the type means.
    pub(super) fn status(&self) -> Option<u16> {
        self.number.or_else(|| codes::status(&self.words))
    }

    /// Whether the error has this code or type.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }

    /// Whether the account has no credit left.
    pub(super) fn no_credit(&self) -> bool {
        self.number == Some(codes::NO_CREDIT) || codes::no_credit(&self.words)
    }

    /// Whether a content filter rejects the request.
    pub(super) fn refused(&self) -> bool {
        codes::filtered(&self.words)
    }
}

/// An error with content, or the first error of a list.
fn first_error(error: &Value) -> Option<&Value> {
    match error {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) => (!text.trim().is_empty()).then_some(error),
        Value::Object(fields) => (!fields.is_empty()).then_some(error),
        Value::Array(errors) => errors.first().and_then(first_error),
        Value::Number(number) => (number.as_f64() != Some(0.0)).then_some(error),
        Value::Bool(true) => Some(error),
    }
}

/// Whether an object without an answer reports an error without the key `error`.
fn is_error(answer: &Value) -> bool {
    let named = |key: &str| answer[key].as_str() == Some("error");
    let coded = || {
        let mut said = Said {
            message: String::new(),
            param: String::new(),
            words: Vec::new(),
            number: None,
        };
        ["code", "status", "status_code", "statusCode", "error_code"]
            .iter()
            .for_each(|key| said.note_code(&answer[*key]));
        said.status().is_some()
    };
    named("object") || named("type") || named("status") || words_of(answer).is_some() || coded()
}

/// The words of an error: the error itself, or the value of one of the usual keys.
fn words_of(error: &Value) -> Option<String> {
    let keys = [
        "message",
        "detail",
        "msg",
        "error_msg",
        "errorMessage",
        "error_description",
        "reason",
        "error",
    ];
    let inner = keys.iter().filter_map(|key| error[*key].as_str());
    let mut words = error.as_str().into_iter().chain(inner);
    words
        .find(|text| !text.trim().is_empty())
        .map(str::to_owned)
}

fn snippet_of(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_is_found_in_every_usual_place() {
        let choice = |choice: Value| json!({"choices": [choice]});
        for (answer, status, words) in [
            (
                json!({"error": {"message": "slow down", "code": 429}}),
                Some(429),
                "slow down",
            ),
            (
                json!({"error": {"message": "slow down", "code": "429"}}),
                Some(429),
                "slow down",
            ),
            (
                json!({"error": "slow down", "code": 429, "choices": null}),
                Some(429),
                "slow down",
            ),
            (
                json!({"error": {"message": "x", "type": "overloaded_error"}}),
                Some(503),
                "x",
            ),
            (
                json!({"error": {"message": "x", "code": 8, "status": "RESOURCE_EXHAUSTED"}}),
                Some(429),
                "x",
            ),
            (
                json!([{"error": {"message": "x", "status": "UNAVAILABLE"}}]),
                Some(503),
                "x",
            ),
            (
                json!({"type": "error", "error": {"type": "rate_limit_error", "message": "x"}}),
                Some(429),
                "x",
            ),
            (
                json!({"error": {"message": "x", "type": "invalid_request_error", "code": null}}),
                Some(400),
                "x",
            ),
            (
                json!({"error": {"message": "x", "code": "insufficient_quota"}}),
                Some(402),
                "x",
            ),
            (
                json!({"object": "error", "message": "x", "type": "BadRequestError", "code": 400}),
                Some(400),
                "x",
            ),
            (
                json!({"success": false, "errors": [{"code": 1, "message": "x"}]}),
                None,
                "x",
            ),
            (json!({"detail": "no such thing"}), None, "no such thing"),
            (
                json!({"error": {"message": "x", "code": "503 Service Unavailable"}}),
                Some(503),
                "x",
            ),
            (
                json!({"error": {"message": "x", "type": "UpstreamRateLimited", "code": "E17"}}),
                Some(429),
                "x",
            ),
            (
                json!({"error": {"message": "x", "type": "invalid_prompt"}}),
                Some(400),
                "x",
            ),
            (json!({"error": true, "message": "x"}), None, "x"),
            (json!({"error": {"status": 500}}), Some(500), "500"),
            (json!({"code": 503, "choices": []}), Some(503), "503"),
            (
                choice(
                    json!({"error": {"code": 502, "message": "x"}, "finish_reason": "error",
                           "message": {"content": "half"}}),
                ),
                Some(502),
                "x",
            ),
            (
                choice(json!({"finish_reason": "error", "message": {"content": "half"}})),
                None,
                "ended the answer",
            ),
            (
                json!({"error": {"message": "Provider returned error", "code": 400,
                              "metadata": {"raw": "too many tokens"}}}),
                Some(400),
                "too many tokens",
            ),
        ] {
            let said = Said::under_success(&answer).unwrap_or_else(|| panic!("{answer}"));
            assert_eq!(said.status(), status, "{answer}");
            assert!(said.message.contains(words), "{answer}: {}", said.message);
        }
    }

    #[test]
    fn an_answer_with_an_empty_error_is_an_answer() {
        let answer = |error: Value| json!({"choices": [{"message": {"content": "B"}, "error": null}], "error": error});
        for error in [
            json!(null),
            json!(""),
            json!({}),
            json!([]),
            json!(false),
            json!(0),
        ] {
            assert_eq!(Said::under_success(&answer(error.clone())), None, "{error}");
        }
        for other in [
            json!({"object": "something else"}),
            json!([]),
            json!(null),
            json!({"data": [{"b64_json": "x"}], "status": "ok", "code": 200}),
            json!({"choices": [], "usage": {"prompt_tokens": 1}}),
        ] {
            assert_eq!(Said::under_success(&other), None, "{other}");
        }
    }
}
