//! What the JSON of a chat's answer holds.

use super::{Provenance, RemoteError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Tokens as the server counts them; none where it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    #[serde(default)]
    pub input: Option<u64>,
    /// Of the input, those that the server had at hand.
    #[serde(default)]
    pub cached: u64,
    #[serde(default)]
    pub output: Option<u64>,
}

impl Usage {
    /// These tokens; all of `tokens` as input where the server does not count.
    #[must_use]
    pub fn or_reckoned(self, tokens: u64) -> Self {
        Self {
            input: self.input.or(Some(tokens)),
            ..self
        }
    }
}

/// The first choice of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatReply {
    pub text: String,
    /// Why the server or the model does not answer.
    pub refusal: Option<String>,
    /// `stop`, `length`, `content_filter`, …; empty when the server does not say.
    pub finish_reason: String,
    /// The model that answered, by its full name; None where the server names none.
    pub model: Option<String>,
    /// What else the server says about the answer; empty where only its words were read.
    pub about: Provenance,
    pub usage: Usage,
}

/// Reads the answer of `/chat/completions`.
///
/// # Errors
/// When it has no message.
pub fn read_chat(answer: &Value) -> Result<ChatReply, &'static str> {
    let choice = &answer["choices"][0];
    let message = &choice["message"];
    if !message.is_object() {
        return Err("the server's answer has no `choices[0].message`");
    }
    let finish_reason = choice["finish_reason"].as_str().unwrap_or_default();
    let text = match &message["content"] {
        Value::String(text) => text.clone(),
        // Some servers answer in parts.
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    };
    let said = message["refusal"].as_str().filter(|text| !text.is_empty());
    let refusal = match said {
        Some(text) => Some(text.to_owned()),
        None if finish_reason == "content_filter" => {
            Some("the server's content filter withheld the answer".to_owned())
        }
        None => None,
    };
    let usage = &answer["usage"];
    Ok(ChatReply {
        text,
        refusal,
        finish_reason: finish_reason.to_owned(),
        model: model(answer).map(str::to_owned),
        about: Provenance::default(),
        usage: Usage {
            input: usage["prompt_tokens"].as_u64(),
            cached: usage["prompt_tokens_details"]["cached_tokens"]
                .as_u64()
                .unwrap_or(0),
            output: usage["completion_tokens"].as_u64(),
        },
    })
}

/// The model that a server's answer names; None where it is absent, null or blank.
pub fn model(answer: &Value) -> Option<&str> {
    answer["model"]
        .as_str()
        .filter(|name| !name.trim().is_empty())
}

/// The words of an answer of `/chat/completions`; a refusal, and an answer without words, are errors.
///
/// # Errors
/// When the server refused, or its answer holds no message or no words.
pub fn said(answer: &Value) -> Result<ChatReply, RemoteError> {
    let read = read_chat(answer).map_err(|what| RemoteError::item("protocol", what))?;
    if let Some(refusal) = read.refusal {
        return Err(RemoteError::item("refused", refusal));
    }
    if read.text.is_empty() && read.finish_reason == "length" {
        return Err(RemoteError::item(
            "empty",
            "the token limit was reached before any text came; raise `max_tokens`",
        ));
    }
    Ok(read)
}
