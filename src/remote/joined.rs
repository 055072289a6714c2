//! The single answer that the events of a stream form.

use super::framing::Events;
use super::said::Said;
use crate::record::Object;
use serde_json::{Value, json};

/// Why events form no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The end is missing. Another attempt may bring it.
    Cut,
    /// The events cannot be joined. The text says why.
    Unreadable(&'static str),
}

/// The answer that the server would have sent without a stream. If an error came among the events, the error
/// is the answer.
///
/// # Errors
/// Fails if the stream is not complete, or if it contains no answer.
pub(super) fn join(events: Events) -> Result<Value, Broken> {
    let Events {
        mut values,
        ended,
        torn,
    } = events;
    if let Some(at) = values
        .iter()
        .position(|value| Said::under_success(value).is_some())
    {
        return Ok(values.swap_remove(at));
    }
    let mut whole: Vec<Value> = values.iter().filter_map(whole_answer).collect();
    // Some servers put an empty message next to each piece.
    if values
        .iter()
        .any(|value| value["choices"][0]["delta"].is_object())
    {
        whole.retain(|answer| {
            let content = &answer["choices"][0]["message"]["content"];
            !content.is_null() && content.as_str() != Some("")
        });
    }
    if let Some(last) = last_whole(&whole)? {
        return if torn {
            Err(Broken::Unreadable("in which some events contain no JSON"))
        } else {
            Ok(last.clone())
        };
    }
    let mut joined = Joined::default();
    values.iter().for_each(|value| joined.take_event(value));
    match (ended || !joined.finish.is_null(), torn, joined.began) {
        (false, ..) => Err(Broken::Cut),
        (true, true, _) => Err(Broken::Unreadable("in which some events contain no JSON")),
        (true, false, false) => Err(Broken::Unreadable("whose events contain no answer")),
        (true, false, true) => Ok(joined.into_answer()),
    }
}

/// An event that contains a whole answer: a message, or a finished picture.
fn whole_answer(value: &Value) -> Option<Value> {
    let kind = value["type"].as_str().unwrap_or_default();
    if kind.ends_with(".completed") && value["b64_json"].is_string() {
        let mut answer = value.clone();
        answer["data"] =
            json!([{"b64_json": value["b64_json"], "revised_prompt": value["revised_prompt"]}]);
        return Some(answer);
    }
    let message = value["choices"][0]["message"].is_object();
    let pictures = value["data"]
        .as_array()
        .is_some_and(|data| !data.is_empty());
    (message || pictures).then(|| value.clone())
}

/// The last of several whole answers, if each continues the one before.
fn last_whole(whole: &[Value]) -> Result<Option<&Value>, Broken> {
    let text = |value: &Value| {
        let content = &value["choices"][0]["message"]["content"];
        content.as_str().map(str::to_owned)
    };
    let grows = whole.windows(2).all(|two| {
        matches!((text(&two[0]), text(&two[1])), (Some(one), Some(two)) if two.starts_with(&one))
    });
    if grows {
        Ok(whole.last())
    } else {
        Err(Broken::Unreadable("that contains several answers"))
    }
}

/// The pieces of a message, joined.
#[derive(Default)]
struct Joined {
    /// The keys of the events other than their choices. The last value counts, since the usage comes at the
    /// end.
    beside: Object,
    /// The parts of the content.
    content: Vec<Value>,
    /// The texts other than the content, such as reasoning or a refusal.
    texts: Object,
    finish: Value,
    /// Whether a piece came.
    began: bool,
}

impl Joined {
    fn take_event(&mut self, event: &Value) {
        for (key, value) in event.as_object().into_iter().flatten() {
            if key != "choices" && !value.is_null() {
                self.beside.insert(key.clone(), value.clone());
            }
        }
        let choices = event["choices"].as_array().into_iter().flatten();
        for choice in choices.filter(|choice| choice["index"].as_u64().unwrap_or(0) == 0) {
            if !choice["finish_reason"].is_null() {
                self.finish = choice["finish_reason"].clone();
            }
            self.began |= choice["delta"].is_object();
            for (key, piece) in choice["delta"].as_object().into_iter().flatten() {
                self.take_piece(key, piece);
            }
        }
    }

    fn take_piece(&mut self, key: &str, piece: &Value) {
        match (key, piece) {
            ("content", Value::String(text)) => {
                self.content.push(json!({"type": "text", "text": text}));
            }
            ("content", Value::Array(parts)) => self.content.extend(parts.iter().cloned()),
            ("content" | "role", _) | (_, Value::Null) => {}
            (_, Value::String(text)) => {
                let mut before = self
                    .texts
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                before.push_str(text);
                self.texts.insert(key.to_owned(), before.into());
            }
            (_, Value::Array(parts)) => {
                let before = self.texts.entry(key).or_insert_with(|| json!([]));
                if let Value::Array(before) = before {
                    before.extend(parts.iter().cloned());
                }
            }
            _ => {}
        }
    }

    fn into_answer(self) -> Value {
        let mut message = self.texts;
        message.insert("role".into(), "assistant".into());
        message.insert("content".into(), Value::Array(self.content));
        let mut answer = self.beside;
        let choice = json!({"index": 0, "message": message, "finish_reason": self.finish});
        answer.insert("choices".into(), json!([choice]));
        Value::Object(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::read_chat;

    fn delta(delta: Value, finish: Value) -> Value {
        json!({"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    }

    fn joined(values: Vec<Value>, ended: bool, torn: bool) -> Result<Value, Broken> {
        join(Events {
            values,
            ended,
            torn,
        })
    }

    #[test]
    fn pieces_make_one_message() {
        let other = json!({"choices": [{"index": 1, "delta": {"content": "another"}}]});
        let values = vec![
            delta(json!({"role": "assistant", "content": ""}), Value::Null),
            delta(json!({"reasoning_content": "A or "}), Value::Null),
            delta(
                json!({"reasoning_content": "B?", "content": null}),
                Value::Null,
            ),
            other,
            delta(json!({"content": "It is "}), Value::Null),
            delta(
                json!({"content": [{"type": "text", "text": "B"}]}),
                Value::Null,
            ),
            delta(json!({}), json!("length")),
            json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}),
        ];
        let reply = read_chat(&joined(values, false, false).unwrap()).unwrap();
        assert_eq!(reply.text, "It is B");
        assert_eq!(reply.reasoning.as_deref(), Some("A or B?"));
        assert_eq!(reply.finish_reason, "length");
        assert_eq!((reply.usage.input, reply.usage.output), (Some(7), Some(2)));
        assert_eq!(reply.model.as_deref(), Some("m"));
    }

    #[test]
    fn what_is_not_whole_is_no_answer() {
        let piece = || delta(json!({"content": "B"}), Value::Null);
        assert_eq!(joined(vec![piece()], false, false), Err(Broken::Cut));
        assert_eq!(joined(vec![piece()], false, true), Err(Broken::Cut));
        assert!(matches!(
            joined(vec![piece()], true, true),
            Err(Broken::Unreadable(_))
        ));
        assert!(matches!(
            joined(vec![json!({})], true, false),
            Err(Broken::Unreadable(_))
        ));
        assert!(joined(vec![piece()], true, false).is_ok());
    }

    #[test]
    fn an_error_among_the_events_stands_for_the_answer() {
        let error = json!({"error": {"message": "the upstream is gone", "code": 502}});
        let values = vec![
            delta(json!({"content": "It is "}), Value::Null),
            error.clone(),
        ];
        assert_eq!(joined(values, true, false), Ok(error));
    }

    #[test]
    fn whole_answers_in_events_count_once() {
        let whole = |text: &str| json!({"choices": [{"message": {"content": text}}]});
        assert_eq!(joined(vec![whole("B")], true, false), Ok(whole("B")));
        // Each event repeats all that came before, as some servers do.
        let growing = vec![whole("It"), whole("It is"), whole("It is B")];
        assert_eq!(joined(growing, true, false), Ok(whole("It is B")));
        let pieces = vec![whole("It"), whole(" is"), whole(" B")];
        assert!(matches!(
            joined(pieces, true, false),
            Err(Broken::Unreadable(_))
        ));
        let beside = json!({"choices": [{"message": {"content": ""}, "delta": {"content": "B"}}]});
        let answer = joined(vec![beside.clone(), beside], true, false).unwrap();
        assert_eq!(read_chat(&answer).unwrap().text, "BB");
        let picture = json!({"type": "image_generation.completed", "b64_json": "AAAA"});
        let partial = json!({"type": "image_generation.partial_image", "b64_json": "BBBB"});
        let answer = joined(vec![partial.clone(), picture], false, false).unwrap();
        assert_eq!(answer["data"][0]["b64_json"], "AAAA");
        assert_eq!(joined(vec![partial], false, false), Err(Broken::Cut));
    }
}
