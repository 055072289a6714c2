//! The content of the JSON of a chat answer.

use super::error::RemoteError;
use super::provenance::Provenance;
use super::snippet::snippet;
use crate::record::ended_by_limit;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Keys of a message under which servers keep the reasoning of the model.
const REASONING: [&str; 5] = [
    "reasoning_content",
    "reasoning",
    "thinking",
    "reasoning_details",
    "thinking_blocks",
];
/// Finish reasons of a content filter, in the words of several servers.
const FILTERED: [&str; 7] = [
    "content_filter",
    "content_filtered",
    "safety",
    "image_safety",
    "prohibited_content",
    "blocklist",
    "recitation",
];

/// Numbers of tokens as the server counts them. `None` if it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the question.
    #[serde(default)]
    pub input: Option<u64>,
    /// The part of the input that the server had in its cache.
    #[serde(default)]
    pub cached: u64,
    /// Tokens of the answer.
    #[serde(default)]
    pub output: Option<u64>,
}

impl Usage {
    /// These numbers, with all of `tokens` as input if the server does not count.
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
    /// The text of the answer.
    pub text: String,
    /// The reasoning of the model, if the server keeps it apart. It is not part of the answer.
    pub reasoning: Option<String>,
    /// Why the server or the model does not answer.
    pub refusal: Option<String>,
    /// `stop`, `length`, `content_filter` and others. Empty if the server does not say.
    pub finish_reason: String,
    /// The full name of the model that answered. `None` if the server names none.
    pub model: Option<String>,
    /// What else the server says about the answer. Empty if only its words were read.
    pub about: Provenance,
    /// The numbers of tokens.
    pub usage: Usage,
}

impl ChatReply {
    /// Why there is no text. `None` if there is some, and for a refusal.
    pub fn wordless(&self) -> Option<String> {
        if self.refusal.is_some() || !self.text.trim().is_empty() {
            return None;
        }
        Some(match &self.reasoning {
            _ if ended_by_limit(&self.finish_reason) => {
                "the answer reached the token limit before its first word; raise `max_tokens`"
                    .into()
            }
            Some(thought) => format!(
                "the server's answer contains reasoning but no text, and the reasoning is not the answer: {:?}",
                snippet(thought.as_bytes())
            ),
            None => "the server's answer contains no text (its `content` is empty)".into(),
        })
    }
}

/// Reads the answer of `/chat/completions`.
///
/// # Errors
/// Fails if the answer has no message.
pub fn read_chat(answer: &Value) -> Result<ChatReply, &'static str> {
    let choice = &answer["choices"][0];
    let message = &choice["message"];
    if !message.is_object() {
        return Err("the server's answer has no `choices[0].message`");
    }
    let reason = |key: &str| choice[key].as_str().filter(|reason| !reason.is_empty());
    let finish_reason = reason("finish_reason").or_else(|| reason("stop_reason"));
    let finish_reason = finish_reason.unwrap_or_default();
    let content = Content::read(&message["content"]);
    let mut apart = REASONING.iter().map(|key| words(&message[*key]));
    let apart = apart.find(|text| !text.trim().is_empty());
    let said = message["refusal"].as_str().filter(|text| !text.is_empty());
    let said = said.unwrap_or(&content.refusal);
    let filtered = FILTERED
        .iter()
        .any(|word| word.eq_ignore_ascii_case(finish_reason));
    let refusal = match said {
        "" if filtered => Some("the server's content filter withheld the answer".to_owned()),
        "" => None,
        text => Some(text.to_owned()),
    };
    let usage = &answer["usage"];
    Ok(ChatReply {
        text: content.text,
        reasoning: apart.or_else(|| Some(content.reasoning).filter(|text| !text.trim().is_empty())),
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

/// The content of a message: a text, or parts of several types.
#[derive(Default)]
struct Content {
    text: String,
    reasoning: String,
    refusal: String,
}

impl Content {
    fn read(content: &Value) -> Self {
        let mut read = Self::default();
        match content {
            Value::Array(parts) => parts.iter().for_each(|part| read.take_part(part)),
            part => read.take_part(part),
        }
        read
    }

    fn take_part(&mut self, part: &Value) {
        let kind = part["type"].as_str().unwrap_or_default().to_lowercase();
        let thought = part["thought"].as_bool() == Some(true)
            || ["think", "thought", "reason", "summary"]
                .iter()
                .any(|word| kind.contains(word));
        match (thought, kind.as_str()) {
            (true, _) => self.reasoning.push_str(&words(part)),
            (false, "refusal") => self
                .refusal
                .push_str(part["refusal"].as_str().unwrap_or_default()),
            (false, _) => {
                let text = part.as_str().or_else(|| part["text"].as_str());
                self.text.push_str(
                    text.or_else(|| part["text"]["value"].as_str())
                        .unwrap_or_default(),
                );
            }
        }
    }
}

/// The words of a thought: a text, or objects and lists of texts.
fn words(thought: &Value) -> String {
    match thought {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(words).collect(),
        Value::Object(part) => {
            let keys = ["text", "thinking", "reasoning", "summary", "content"];
            let mut inner = keys.iter().filter_map(|key| part.get(*key)).map(words);
            inner.find(|text| !text.is_empty()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// The model that an answer names. `None` if the name is absent, null or blank.
pub fn model(answer: &Value) -> Option<&str> {
    answer["model"]
        .as_str()
        .filter(|name| !name.trim().is_empty())
}

/// The reply in an answer of `/chat/completions`. A refusal and an answer without text are errors.
///
/// # Errors
/// Fails if the server refused, or if its answer has no message or no text.
pub fn read_reply(answer: &Value) -> Result<ChatReply, RemoteError> {
    let read = read_chat(answer).map_err(|what| RemoteError::item("protocol", what))?;
    if let Some(refusal) = read.refusal {
        return Err(RemoteError::item("refused", refusal));
    }
    match read.wordless() {
        Some(why) => Err(RemoteError::item("empty", why)),
        None => Ok(read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(message: &Value, finish: &str) -> ChatReply {
        read_chat(&json!({"choices": [{"message": message, "finish_reason": finish}]})).unwrap()
    }

    #[test]
    fn thoughts_that_stand_apart_are_no_answer() {
        let thought = "A or B?";
        for message in [
            json!({"content": "B", "reasoning_content": thought}),
            json!({"content": "B", "reasoning": thought, "reasoning_content": null}),
            json!({"content": "B", "thinking": thought}),
            json!({"content": "B", "reasoning_details": [{"type": "reasoning.text", "text": "A or"},
                                                          {"type": "reasoning.summary", "summary": " B?"}]}),
            json!({"content": "B", "thinking_blocks": [{"type": "thinking", "thinking": thought}]}),
            json!({"content": [{"type": "thinking", "thinking": thought}, {"type": "text", "text": "B"}]}),
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}, "B"]}),
            json!({"content": [{"type": "reasoning", "text": thought}, {"type": "output_text", "text": "B"}]}),
            json!({"content": [{"text": thought, "thought": true}, {"text": "B"}]}),
            json!({"content": {"type": "text", "text": "B"}, "reasoning": thought}),
        ] {
            let reply = read(&message, "stop");
            assert_eq!(reply.text, "B", "{message}");
            assert_eq!(reply.reasoning.as_deref(), Some(thought), "{message}");
            assert_eq!(reply.wordless(), None);
        }
        let redacted = json!({"content": [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "B"}]});
        assert_eq!(
            (
                read(&redacted, "stop").text,
                read(&redacted, "stop").reasoning
            ),
            ("B".into(), None)
        );
    }

    #[test]
    fn an_answer_without_words_says_why() {
        for (message, finish, words) in [
            (
                json!({"content": null, "reasoning_content": "It is B."}),
                "stop",
                "It is B.",
            ),
            (
                json!({"content": [{"type": "thinking", "thinking": "It is B."}]}),
                "stop",
                "It is B.",
            ),
            (json!({"content": null}), "stop", "contains no text"),
            (json!({"content": " \n"}), "stop", "contains no text"),
            (json!({}), "tool_calls", "contains no text"),
            (
                json!({"content": [], "reasoning": "It is"}),
                "length",
                "raise `max_tokens`",
            ),
            (json!({"content": ""}), "MAX_TOKENS", "raise `max_tokens`"),
        ] {
            let why = read(&message, finish).wordless().unwrap();
            assert!(why.contains(words), "{message}: {why}");
        }
    }

    #[test]
    fn refusals_are_told_in_every_usual_way() {
        for (message, finish) in [
            (json!({"content": null, "refusal": "I cannot."}), "stop"),
            (
                json!({"content": [{"type": "refusal", "refusal": "I cannot."}]}),
                "stop",
            ),
            (json!({"content": null}), "content_filter"),
            (json!({"content": null}), "SAFETY"),
            (json!({"content": ""}), "PROHIBITED_CONTENT"),
        ] {
            let reply = read(&message, finish);
            assert!(
                reply.refusal.is_some() && reply.wordless().is_none(),
                "{message}"
            );
        }
    }
}
