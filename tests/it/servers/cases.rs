//! The kinds of misbehaviour, each with what must come of it.

use crate::http::Reply;
use serde_json::{Value, json};

/// What must come of a misbehaviour.
#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// The right answer, in the end.
    Right,
    /// A failed output whose message holds these words, and exit code 5.
    Fails(&'static str),
    /// The end of the run (for a reader: of the readings), with these words.
    Stops(&'static str),
}

use Due::{Fails, Right, Stops};

/// A kind of misbehaviour.
pub(super) struct Case {
    pub name: &'static str,
    /// From the right answer and how many requests came before.
    pub answer: fn(&Value, usize) -> Reply,
    pub due: Due,
}

/// A body of any kind under status 200, with short pauses before another attempt.
pub(super) fn body(bytes: impl Into<Vec<u8>>) -> Reply {
    Reply::ok(bytes).with("retry-after-ms", "1")
}

pub(super) fn plain(answer: &Value) -> Reply {
    body(answer.to_string())
}

/// That answer once, then the right one.
fn once(answer: &Value, before: usize, bad: Reply) -> Reply {
    match before {
        0 => bad,
        _ => plain(answer),
    }
}

pub(super) fn error(error: &Value) -> Reply {
    body(json!({"id": null, "choices": null, "error": error}).to_string())
}

/// The right answer with another message or reason to end.
pub(super) fn with(answer: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut changed = answer.clone();
    change(&mut changed["choices"][0]);
    changed
}

fn message(answer: &Value, message: Value) -> Reply {
    plain(&with(answer, |choice| choice["message"] = message))
}

pub(super) fn content(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().unwrap()
}

/// The events of an answer, three characters each, without the end.
pub(super) fn events(answer: &Value) -> Vec<String> {
    let letters: Vec<char> = content(answer).chars().collect();
    let pieces = letters
        .chunks(3)
        .map(|piece| piece.iter().collect::<String>());
    pieces
        .map(|piece| {
            let chunk = json!({"object": "chat.completion.chunk", "model": answer["model"],
                               "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]});
            format!("data: {chunk}\n\n")
        })
        .collect()
}

pub(super) const END: &str = "data: {\"choices\": [{\"index\": 0, \"delta\": {}, \"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n";

/// What any answer can meet.
pub(super) const ANY: &[Case] = &[
    Case {
        name: "plain",
        answer: |answer, _| plain(answer),
        due: Right,
    },
    Case {
        name: "byte-order mark",
        answer: |answer, _| body(format!("\u{feff}{answer}")),
        due: Right,
    },
    Case {
        name: "end mark of a stream behind whole JSON",
        answer: |answer, _| body(format!("{answer}\n\ndata: [DONE]\n\n")),
        due: Right,
    },
    Case {
        name: "whole JSON as one event",
        answer: |answer, _| {
            body(format!(
                "event: message\r\nid: 1\r\ndata: {answer}\r\n\r\ndata: [DONE]\r\n\r\n"
            ))
        },
        due: Right,
    },
    Case {
        name: "remarks before JSON",
        answer: |answer, _| body(format!(": PROCESSING\n\n: PROCESSING\n\n{answer}\n")),
        due: Right,
    },
    Case {
        name: "an empty error beside the answer",
        answer: |answer, _| {
            let mut answer = answer.clone();
            answer["error"] = Value::Null;
            plain(&answer)
        },
        due: Right,
    },
    Case {
        name: "429 in a number",
        answer: |answer, before| {
            once(
                answer,
                before,
                error(&json!({"message": "slow", "code": 429})),
            )
        },
        due: Right,
    },
    Case {
        name: "503 in a text",
        answer: |answer, before| {
            once(
                answer,
                before,
                error(&json!({"message": "slow", "code": "503"})),
            )
        },
        due: Right,
    },
    Case {
        name: "overloaded by its type",
        answer: |answer, before| {
            once(
                answer,
                before,
                error(&json!({"message": "busy", "type": "overloaded_error"})),
            )
        },
        due: Right,
    },
    Case {
        name: "exhausted by its status",
        answer: |answer, before| {
            let status = json!([{"error": {"message": "quota", "status": "RESOURCE_EXHAUSTED"}}]);
            once(answer, before, body(status.to_string()))
        },
        due: Right,
    },
    Case {
        name: "an error that is a text",
        answer: |answer, before| {
            once(
                answer,
                before,
                error(&json!("the upstream provider is gone")),
            )
        },
        due: Right,
    },
    Case {
        name: "an error event",
        answer: |answer, before| {
            let event = "event: error\ndata: {\"message\": \"busy\", \"code\": 502}\n\n";
            once(answer, before, body(event))
        },
        due: Right,
    },
    Case {
        name: "429 for good",
        answer: |_, _| error(&json!({"message": "slow down, please", "code": 429})),
        due: Fails("slow down, please"),
    },
    Case {
        name: "400",
        answer: |_, _| error(&json!({"message": "40960 tokens and the window 32768", "code": 400})),
        due: Fails("40960 tokens and the window 32768"),
    },
    Case {
        name: "an invalid request by its type",
        answer: |_, _| error(&json!({"message": "no such voice", "type": "invalid_request_error"})),
        due: Fails("no such voice"),
    },
    Case {
        name: "401",
        answer: |_, _| error(&json!({"message": "who are you?", "code": 401})),
        due: Stops("who are you?"),
    },
    Case {
        name: "a key that is refused by its type",
        answer: |_, _| error(&json!({"message": "who are you?", "type": "authentication_error"})),
        due: Stops("who are you?"),
    },
    Case {
        name: "no credit",
        answer: |_, _| error(&json!({"message": "pay first", "code": "insufficient_quota"})),
        due: Stops("no credit left"),
    },
    Case {
        name: "404 in the first answer",
        answer: |_, _| error(&json!({"message": "no such model", "code": "model_not_found"})),
        due: Stops("check `model` and `base_url`"),
    },
    Case {
        name: "a page",
        answer: |_, _| body("<html>login</html>"),
        due: Fails("an HTML page"),
    },
    Case {
        name: "half of the JSON",
        answer: |answer, _| {
            let mut half = answer.to_string();
            half.truncate(half.len() - 7);
            body(half)
        },
        due: Fails("not JSON"),
    },
    Case {
        name: "nothing",
        answer: |_, _| body(""),
        due: Fails("empty answer"),
    },
    Case {
        name: "an empty object",
        answer: |_, _| body("{}"),
        due: Fails("the server's answer has"),
    },
    Case {
        name: "events that are no JSON",
        answer: |_, _| body("data: hello\n\ndata: [DONE]\n\n"),
        due: Fails("event stream"),
    },
];

/// What a chat's answer can meet.
pub(super) const CHATS: &[Case] = &[
    Case {
        name: "half an emoji",
        answer: |answer, _| {
            let said = content(answer);
            let marked = with(answer, |choice| {
                choice["message"]["content"] = json!(format!("# {said}"))
            });
            body(marked.to_string().replace("# ", "\\ud83c "))
        },
        due: Right,
    },
    Case {
        name: "a stream in spite of all",
        answer: |answer, _| body(events(answer).concat() + END),
        due: Right,
    },
    Case {
        name: "a stream with carriage returns and remarks",
        answer: |answer, _| {
            let text = format!(
                ": alive\n\n{}: alive\n\n{END}",
                events(answer).join(": alive\n\n")
            );
            body(format!("\u{feff}{}", text.replace('\n', "\r\n")))
        },
        due: Right,
    },
    Case {
        name: "pieces a line, without a stream's marks",
        answer: |answer, _| {
            body(
                (events(answer).concat() + END)
                    .replace("data: ", "")
                    .replace("[DONE]", ""),
            )
        },
        due: Right,
    },
    Case {
        name: "a stream that breaks off once",
        answer: |answer, before| once(answer, before, body(events(answer)[0].clone())),
        due: Right,
    },
    Case {
        name: "a stream that breaks off inside an event",
        answer: |answer, before| {
            let mut text = events(answer).concat();
            text.truncate(text.len() - 9);
            once(answer, before, body(text))
        },
        due: Right,
    },
    Case {
        name: "a stream that breaks off for good",
        answer: |answer, _| body(events(answer)[0].clone()),
        due: Fails("event stream"),
    },
    Case {
        name: "a stream with an error in its middle",
        answer: |answer, before| {
            let error = json!({"error": {"message": "the upstream is gone", "code": 502}});
            once(
                answer,
                before,
                body(format!("{}data: {error}\n\n{END}", events(answer)[0])),
            )
        },
        due: Right,
    },
    Case {
        name: "a stream with a refusal of the request in its middle",
        answer: |answer, _| {
            let error = json!({"error": {"message": "this is too long", "code": 400}});
            body(format!("{}data: {error}\n\n", events(answer)[0]))
        },
        due: Fails("this is too long"),
    },
    Case {
        name: "an error in the choice",
        answer: |answer, before| {
            let failed = with(answer, |choice| {
                choice["finish_reason"] = json!("error");
                choice["message"]["content"] = json!("Some");
                choice["error"] = json!({"message": "the upstream is gone", "code": 502});
            });
            once(answer, before, plain(&failed))
        },
        due: Right,
    },
    Case {
        name: "an error as the reason to end",
        answer: |answer, _| {
            plain(&with(answer, |choice| {
                choice["finish_reason"] = json!("error");
                choice["message"]["content"] = json!("Some");
            }))
        },
        due: Fails("ended the answer with an error"),
    },
    Case {
        name: "no content",
        answer: |answer, _| message(answer, json!({"role": "assistant", "content": null})),
        due: Fails("contains no text"),
    },
    Case {
        name: "empty content",
        answer: |answer, _| message(answer, json!({"role": "assistant", "content": "\n"})),
        due: Fails("contains no text"),
    },
    Case {
        name: "no content key",
        answer: |answer, _| message(answer, json!({"role": "assistant"})),
        due: Fails("contains no text"),
    },
    Case {
        name: "a stream without words",
        answer: |_, _| body(END),
        due: Fails("contains no text"),
    },
    Case {
        name: "reasoning and no answer",
        answer: |answer, _| {
            message(
                answer,
                json!({"content": null, "reasoning_content": content(answer)}),
            )
        },
        due: Fails("reasoning is not the answer"),
    },
    Case {
        name: "reasoning and an empty answer",
        answer: |answer, _| {
            message(
                answer,
                json!({"content": "", "reasoning_details": [{"type": "reasoning.text", "text": content(answer)}]}),
            )
        },
        due: Fails("reasoning is not the answer"),
    },
    Case {
        name: "a thought as the only part",
        answer: |answer, _| {
            message(
                answer,
                json!({"content": [{"type": "thinking", "thinking": content(answer)}]}),
            )
        },
        due: Fails("reasoning is not the answer"),
    },
    Case {
        name: "a streamed thought and no answer",
        answer: |answer, _| {
            body(
                events(answer)
                    .concat()
                    .replace("\"content\"", "\"reasoning_content\"")
                    + END,
            )
        },
        due: Fails("reasoning is not the answer"),
    },
    Case {
        name: "a thought in a part before the answer",
        answer: |answer, _| {
            message(
                answer,
                json!({"content": [{"type": "reasoning", "text": "Prompt Compliance: 1. WRONG"},
                                               {"type": "text", "text": content(answer)}]}),
            )
        },
        due: Right,
    },
    Case {
        name: "a thought in a field beside the answer",
        answer: |answer, _| {
            message(
                answer,
                json!({"content": content(answer), "reasoning": "Prompt Compliance: 1. WRONG"}),
            )
        },
        due: Right,
    },
    Case {
        name: "the limit before the first word",
        answer: |answer, _| {
            plain(&with(answer, |choice| {
                choice["message"] = json!({"content": null, "reasoning": "Let me"});
                choice["finish_reason"] = json!("length");
            }))
        },
        due: Fails("raise `max_tokens`"),
    },
];

/// What a picture's answer can meet.
pub(super) const PICTURES: &[Case] = &[
    Case {
        name: "no picture",
        answer: |_, _| body("{\"created\": 1, \"data\": []}"),
        due: Fails("neither"),
    },
    Case {
        name: "a picture that is null",
        answer: |_, _| body("{\"data\": [{\"b64_json\": null, \"url\": null}]}"),
        due: Fails("neither"),
    },
    Case {
        name: "an empty picture",
        answer: |_, _| body("{\"data\": [{\"b64_json\": \"\", \"url\": \"\"}]}"),
        due: Fails("the server's picture is"),
    },
    Case {
        name: "half of a picture as a stream",
        answer: |_, _| {
            body("data: {\"type\": \"image_generation.partial_image\", \"b64_json\": \"AAAA\"}\n\n")
        },
        due: Fails("event stream"),
    },
    Case {
        name: "a finished picture as a stream",
        answer: |answer, _| {
            let done = json!({"type": "image_generation.completed", "b64_json": answer["data"][0]["b64_json"]});
            body(format!(
                "event: image_generation.completed\ndata: {done}\n\n"
            ))
        },
        due: Right,
    },
    Case {
        name: "an error beside an empty list",
        answer: |_, _| {
            body("{\"data\": [], \"error\": {\"code\": 400, \"message\": \"no such size\"}}")
        },
        due: Fails("no such size"),
    },
    Case {
        name: "a picture that is gone",
        answer: |_, _| body("{\"data\": [{\"url\": \"http://127.0.0.1:9/gone.png\"}]}"),
        due: Fails("cannot be fetched"),
    },
];
