//! What is kept, counted, sent and advised, for every consumer of chats.

use super::cases::{END, body, content, error, events, plain, with};
use super::consumer::Consumer::{Chat, Judge, Reader};
use super::consumer::{Consumer, file};
use crate::http::{Reply, Server};
use crate::support::{lines, stderr};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A right answer that the token limit ended, in the words of several servers, counts and is told.
#[test]
fn a_cut_answer_is_counted_for_every_consumer() {
    for consumer in [Chat, Reader, Judge] {
        for finish in ["length", "MAX_TOKENS", "max_tokens"] {
            let dir = tempfile::tempdir().unwrap();
            let answer = with(&consumer.right(), |choice| {
                choice["finish_reason"] = json!(finish)
            });
            // One in three comes as an event stream.
            let streamed = events(&answer).concat() + &END.replace("stop", finish);
            let server = Server::start(move |_, _| match finish {
                "length" => body(streamed.clone()),
                _ => plain(&answer),
            });
            consumer.prepare(dir.path(), &server);
            let output = consumer.run(dir.path());
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            let summary = fs::read_to_string(file(dir.path(), "summary.json")).unwrap();
            assert!(
                summary.contains("1 of 1 output") && summary.contains("was cut by the token limit"),
                "{consumer:?} {finish}: {summary}"
            );
        }
    }
}

/// Thoughts in a field of their own are kept under one key, whatever the server calls them.
#[test]
fn the_record_keeps_what_was_thought() {
    for consumer in [Chat, Reader, Judge] {
        let right = consumer.right();
        for thought in [
            json!({"content": content(&right), "reasoning_content": "Red? No."}),
            json!({"content": content(&right), "reasoning": "Red? No."}),
            json!({"content": [{"type": "thinking", "thinking": "Red? No."}, {"type": "text", "text": content(&right)}]}),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let answer = with(&right, |choice| choice["message"] = thought.clone());
            let server = Server::start(move |_, _| plain(&answer));
            consumer.prepare(dir.path(), &server);
            let output = consumer.run(dir.path());
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            let kept = match consumer {
                Chat => lines(&file(dir.path(), "outputs.jsonl"))[0]["reasoning"].clone(),
                Reader => lines(&file(dir.path(), "evidence.jsonl"))[0]["evidence"]["reasoning"].clone(),
                _ => lines(&file(dir.path(), "evidence.jsonl"))[0]["evidence"]["calls"][0]["reasoning"].clone(),
            };
            assert_eq!(kept, "Red? No.", "{consumer:?} {thought}");
            assert!(consumer.is_right(dir.path()));
        }
    }
}

/// Every consumer names the setting that a server wants otherwise.
#[test]
fn the_setting_that_helps_is_named() {
    let limits = |consumer: Consumer, dir: &Path| {
        let add = |name: &str, before: &str| {
            let path = dir.join(name);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(before), "{text}");
            fs::write(
                path,
                text.replacen(
                    before,
                    &format!("max_tokens = 64\ntemperature = 0.0\n{before}"),
                    1,
                ),
            )
            .unwrap();
        };
        match consumer {
            Chat => add("m.toml", "max_attempts"),
            _ => add("s.toml", "max_attempts"),
        }
    };
    let wordings: [(Refusing, &str); 4] = [
        (
            || {
                Reply::json(
                    "400 Bad Request",
                    &json!({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. \
                        Use 'max_completion_tokens' instead.", "param": "max_tokens", "code": "unsupported_parameter"}}),
                )
            },
            "token_field = \"max_completion_tokens\"",
        ),
        (
            || {
                error(
                    &json!({"message": "Unrecognized request argument supplied: max_tokens", "code": 400}),
                )
            },
            "token_field = \"max_completion_tokens\"",
        ),
        (
            || {
                let detail = json!([{"type": "extra_forbidden", "loc": ["body", "max_tokens"]}]);
                Reply::json("422 Unprocessable Entity", &json!({"detail": detail}))
            },
            "token_field = \"max_completion_tokens\"",
        ),
        (
            || {
                error(
                    &json!({"message": "'temperature' does not support 0.0 with this model", "code": "unsupported_value"}),
                )
            },
            "leave `temperature` out",
        ),
    ];
    for consumer in [Chat, Reader, Judge] {
        for (reply, words) in wordings {
            let dir = tempfile::tempdir().unwrap();
            let server = Server::start(move |_, _| reply());
            consumer.prepare(dir.path(), &server);
            limits(consumer, dir.path());
            let output = consumer.run(dir.path());
            assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
            let message = consumer.failure(dir.path());
            assert!(message.contains(words), "{consumer:?}: {message}");
            assert_eq!(server.seen().len(), 1, "{message}");
        }
    }
}

type Refusing = fn() -> Reply;

/// Every chat asks for an answer in one piece, unless the settings say otherwise.
#[test]
fn a_chat_asks_for_no_stream() {
    for consumer in [Chat, Reader, Judge] {
        for wanted in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let right = consumer.right();
            let server = Server::start(move |seen, _| {
                let asked: Value = serde_json::from_slice(&seen.body).unwrap();
                if asked["stream"].as_bool().unwrap() {
                    body(events(&right).concat() + END)
                } else {
                    plain(&right)
                }
            });
            consumer.prepare(dir.path(), &server);
            let name = if consumer == Chat { "m.toml" } else { "s.toml" };
            if wanted {
                let text = fs::read_to_string(dir.path().join(name)).unwrap();
                let text =
                    text.replacen("max_attempts", "extra = { stream = true }\nmax_attempts", 1);
                fs::write(dir.path().join(name), text).unwrap();
            }
            let output = consumer.run(dir.path());
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            assert!(consumer.is_right(dir.path()));
            let asked: Value = serde_json::from_slice(&server.seen()[0].body).unwrap();
            assert_eq!(asked["stream"], json!(wanted));
        }
    }
}
