//! A chat: pictures as addresses, and the words of an answer.

use super::RemoteError;
use base64::Engine as _;
use serde_json::Value;

/// The words of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    /// Why the server stopped, such as `stop` or `length`; empty where it does not say.
    pub finish: String,
}

/// An encoded picture as an address that holds it.
pub fn picture_url(bytes: &[u8], mime: &str) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("data:{mime};base64,{encoded}")
}

/// Reads the answer of `/chat/completions`.
///
/// # Errors
/// When the server refused, or its answer holds no message or no words.
pub fn said(reply: &Value) -> Result<Said, RemoteError> {
    let choice = reply.pointer("/choices/0").unwrap_or(&Value::Null);
    let message = &choice["message"];
    let finish = choice["finish_reason"].as_str().unwrap_or_default();
    let text = match &message["content"] {
        Value::String(text) => text.clone(),
        // Some servers answer in parts.
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    };
    if let Some(refusal) = message["refusal"].as_str().filter(|text| !text.is_empty()) {
        return Err(RemoteError::item("refused", refusal));
    }
    if finish == "content_filter" {
        return Err(RemoteError::item(
            "refused",
            "the server's content filter withheld the answer",
        ));
    }
    if !message.is_object() {
        return Err(RemoteError::item(
            "protocol",
            "the server's answer has no `choices[0].message`",
        ));
    }
    if text.is_empty() && finish == "length" {
        return Err(RemoteError::item(
            "empty",
            "the token limit was reached before any text came; raise `max_tokens`",
        ));
    }
    Ok(Said {
        text,
        finish: finish.to_owned(),
    })
}
