//! The generator `openai` against servers that behave and servers that do not.

use crate::http::{Reply, Server};
use base64::Engine as _;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use unigauge::cancel::Cancel;
use unigauge::generate::openai::{OpenAi, OpenAiSettings};
use unigauge::generate::{Answer, GenerateError, Generated, Generator, Request};
use unigauge::record::{Item, Task};

/// The variable that stands for a key. Cargo sets it to a long text that occurs nowhere else.
const KEY_VARIABLE: &str = "CARGO_PKG_DESCRIPTION";

fn key() -> String {
    std::env::var(KEY_VARIABLE).unwrap()
}

fn settings(server: &Server, more: &str) -> OpenAiSettings {
    let text = format!(
        "model = \"m\"\nbase_url = \"{}\"\napi_key_env = \"{KEY_VARIABLE}\"\nmax_attempts = 3\n{more}",
        server.url("/v1/")
    );
    toml::from_str(&text).unwrap()
}

fn ask_with(
    server: &Server,
    more: &str,
    task: Task,
    images: &[&Path],
) -> Result<Generated, GenerateError> {
    let item = Item {
        item: "a".to_owned(),
        task,
        prompt: "What is written here?".to_owned(),
        images: images.iter().map(|p| p.display().to_string()).collect(),
        expect: Default::default(),
        tags: Default::default(),
        extra: Default::default(),
    };
    let request = Request {
        item: &item,
        base: Path::new("."),
        repeat: 0,
        seed: (1 << 31) + 5,
    };
    OpenAi::new(settings(server, more))
        .unwrap()
        .generate(&request, &Cancel::default())
}

fn ask(server: &Server, task: Task) -> Result<Generated, GenerateError> {
    ask_with(server, "", task, &[])
}

/// The kind (`fatal` for a fatal error) and all words, which never hold the key.
fn fails(result: Result<Generated, GenerateError>) -> (&'static str, String) {
    let error = result.unwrap_err();
    assert!(!format!("{error:?}").contains(&key()), "{error:?}");
    match error {
        GenerateError::Item { kind, message } => (kind, message),
        GenerateError::Fatal { message, help } => ("fatal", format!("{message} | {help}")),
        GenerateError::Cancelled => panic!("cancelled"),
    }
}

fn text(result: Result<Generated, GenerateError>) -> String {
    match result.unwrap().answer {
        Answer::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn chat_reply(content: Value) -> Reply {
    Reply::json(
        "200 OK",
        &json!({
            "id": "x", "model": "m-2026-01-01",
            "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 3}
        }),
    )
}

fn error_reply(status: &'static str, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"message": message, "type": "t", "code": code}}),
    )
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(3, 2)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

fn encoded() -> String {
    base64::engine::general_purpose::STANDARD.encode(png())
}

#[test]
fn a_chat_sends_what_the_settings_say_and_keeps_what_was_served() {
    let server = Server::start(|_, _| chat_reply(json!("STOP")));
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("sign.jpg");
    std::fs::write(&picture, png()).unwrap();
    let more = "max_tokens = 64\ntoken_field = \"max_completion_tokens\"\ntemperature = 0.0\nsend_seed = true\n\
                system = \"Read.\"\ndetail = \"high\"\nextra = { top_k = 1 }";
    let generated = ask_with(&server, more, Task::Understand, &[&picture]).unwrap();
    assert_eq!(generated.extra["finish_reason"], "stop");
    assert_eq!(generated.extra["server"]["model"], "m-2026-01-01");
    assert_eq!(generated.extra["server"]["usage"]["prompt_tokens"], 12);
    assert_eq!(text(Ok(generated)), "STOP");

    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].path, "/v1/chat/completions");
    assert_eq!(
        seen[0].header("authorization"),
        Some(&*format!("Bearer {}", key()))
    );
    let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
    // 2^31 + 5 modulo 2^31; the file is PNG whatever its name says.
    assert_eq!(
        body,
        json!({
            "model": "m", "seed": 5,
            "messages": [
                {"role": "system", "content": "Read."},
                {"role": "user", "content": [
                    {"type": "text", "text": "What is written here?"},
                    {"type": "image_url", "image_url": {
                        "url": format!("data:image/png;base64,{}", encoded()), "detail": "high"}}]}],
            "max_completion_tokens": 64, "temperature": 0.0, "top_k": 1, "stream": false
        })
    );
}

#[test]
fn a_plain_chat_sends_no_option_that_a_server_could_refuse() {
    let server = Server::start(|_, _| chat_reply(json!([{"type": "text", "text": "in parts"}])));
    assert_eq!(text(ask(&server, Task::Understand)), "in parts");
    let body: Value = serde_json::from_slice(&server.seen()[0].body).unwrap();
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["model", "messages", "stream"]);
}

#[test]
fn a_rate_limit_is_waited_for_as_asked() {
    let server = Server::start(|_, before| match before {
        0 => error_reply("429 Too Many Requests", "rate_limit_exceeded", "slow down")
            .with("Retry-After", "1"),
        _ => chat_reply(json!("ok")),
    });
    let start = Instant::now();
    assert_eq!(text(ask(&server, Task::Understand)), "ok");
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn server_errors_and_cut_connections_are_tried_again_and_nothing_after_success() {
    let server = Server::start(|_, before| match before {
        0 => Reply::new("502 Bad Gateway", "<html>bad gateway</html>").with("retry-after-ms", "5"),
        1 => chat_reply(json!("half")).cut(20),
        _ => chat_reply(json!("whole")),
    });
    assert_eq!(text(ask(&server, Task::Understand)), "whole");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn attempts_are_bounded() {
    let server = Server::start(|_, _| {
        error_reply("503 Service Unavailable", "overloaded", "busy").with("retry-after-ms", "1")
    });
    let (kind, message) = fails(ask(&server, Task::Understand));
    assert_eq!(kind, "server");
    assert!(
        message.contains("503") && message.contains("busy"),
        "{message}"
    );
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn a_silent_server_times_out() {
    let server = Server::start(|_, _| chat_reply(json!("never")).silent(10));
    let start = Instant::now();
    let (kind, _) = fails(ask_with(
        &server,
        "timeout_seconds = 0.3",
        Task::Understand,
        &[],
    ));
    assert_eq!(kind, "timeout");
    // Three attempts of 0.3 s with pauses of at most 1 s and 2 s.
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn an_answer_that_drips_times_out_as_a_whole() {
    let server = Server::start(|_, _| chat_reply(json!("x".repeat(100))).dripping());
    let start = Instant::now();
    let (kind, _) = fails(ask_with(
        &server,
        "timeout_seconds = 0.5",
        Task::Understand,
        &[],
    ));
    assert_eq!(kind, "timeout");
    assert!(start.elapsed() < Duration::from_secs(6));
}

#[test]
fn an_interrupt_ends_the_wait_for_a_busy_server() {
    let server = Server::start(|_, _| {
        error_reply("429 Too Many Requests", "x", "busy").with("Retry-After", "60")
    });
    let cancel = Cancel::default();
    let raise = cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        raise.raise();
    });
    let item: Item =
        serde_json::from_value(json!({"item": "a", "task": "understand", "prompt": "p"})).unwrap();
    let request = Request {
        item: &item,
        base: Path::new("."),
        repeat: 0,
        seed: 0,
    };
    let start = Instant::now();
    let result = OpenAi::new(settings(&server, ""))
        .unwrap()
        .generate(&request, &cancel);
    assert!(matches!(result, Err(GenerateError::Cancelled)));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_cannot_get_better_is_sent_once() {
    let key = key();
    let cases: Vec<(&'static str, &'static str, String, &str, &str)> = vec![
        (
            "401 Unauthorized",
            "invalid_api_key",
            format!("Incorrect API key provided: {key}"),
            "fatal",
            "[key]",
        ),
        (
            "403 Forbidden",
            "x",
            "no access".into(),
            "fatal",
            KEY_VARIABLE,
        ),
        (
            "404 Not Found",
            "model_not_found",
            "no model m".into(),
            "fatal",
            "check `model`",
        ),
        (
            "429 Too Many Requests",
            "insufficient_quota",
            "no money".into(),
            "fatal",
            "credit",
        ),
        (
            "400 Bad Request",
            "moderation_blocked",
            "not allowed".into(),
            "refused",
            "not allowed",
        ),
        (
            "400 Bad Request",
            "content_policy_violation",
            "not allowed".into(),
            "refused",
            "not allowed",
        ),
        (
            "400 Bad Request",
            "invalid_size",
            "size must be".into(),
            "rejected",
            "size must be",
        ),
        (
            "413 Payload Too Large",
            "x",
            "too large".into(),
            "rejected",
            "413",
        ),
    ];
    for (status, code, message, kind, words) in cases {
        let reply = message.clone();
        let server = Server::start(move |_, _| error_reply(status, code, &reply));
        let (was, said) = fails(ask(&server, Task::TextToImage));
        assert_eq!(was, kind, "{status} {code}: {said}");
        assert!(said.contains(words), "{status} {code}: {said}");
        assert_eq!(server.seen().len(), 1, "{status} {code}");
    }
}

#[test]
fn answers_of_the_wrong_shape_are_told_apart_from_refusals() {
    let message = |message: Value, finish: &str| {
        json!({"choices": [{"message": message, "finish_reason": finish}]}).to_string()
    };
    let cases = [
        ("<html>login</html>".to_owned(), "protocol", "an HTML page"),
        ("{\"choices\": [".to_owned(), "protocol", "not JSON"),
        ("[]".to_owned(), "protocol", "choices[0].message"),
        ("{}".to_owned(), "protocol", "choices[0].message"),
        (
            "{\"choices\": []}".to_owned(),
            "protocol",
            "choices[0].message",
        ),
        ("null".to_owned(), "protocol", "choices[0].message"),
        (
            message(json!({"content": null, "refusal": "I can't"}), "stop"),
            "refused",
            "I can't",
        ),
        (
            message(json!({"content": null}), "content_filter"),
            "refused",
            "filter",
        ),
        (
            message(json!({"content": ""}), "length"),
            "empty",
            "max_tokens",
        ),
        (
            message(json!({"content": null}), "stop"),
            "empty",
            "contains no text",
        ),
    ];
    for (body, kind, words) in cases {
        let reply = body.clone();
        let server = Server::start(move |_, _| Reply::ok(reply.clone()));
        let (was, said) = fails(ask(&server, Task::Understand));
        assert_eq!(was, kind, "{body}: {said}");
        assert!(said.contains(words), "{body}: {said}");
        assert_eq!(server.seen().len(), 1, "{body}");
    }
}

#[test]
fn a_picture_comes_in_base64_or_by_address_and_keeps_its_bytes() {
    let store = Server::start(|_, _| Reply::ok(png()));
    let address = store.url("/p.png?signature=abc");
    for data in [
        json!({"b64_json": encoded(), "revised_prompt": "r"}),
        json!({"url": address}),
    ] {
        let reply = json!({"created": 1, "data": [data], "size": "1024x1024"});
        let server = Server::start(move |_, _| Reply::json("200 OK", &reply));
        let more = "size = \"1024x1024\"\nquality = \"high\"";
        let generated = ask_with(&server, more, Task::TextToImage, &[]).unwrap();
        assert!(
            matches!(&generated.answer, Answer::Encoded { bytes, extension: "png" } if *bytes == png())
        );
        assert_eq!(generated.extra["server"]["size"], "1024x1024");
        assert_eq!(server.seen()[0].path, "/v1/images/generations");
        let body: Value = serde_json::from_slice(&server.seen()[0].body).unwrap();
        assert_eq!(
            body,
            json!({"model": "m", "prompt": "What is written here?", "n": 1,
                   "size": "1024x1024", "quality": "high"})
        );
    }
    assert_eq!(store.seen().len(), 1);
    assert_eq!(store.seen()[0].header("authorization"), None);
}

#[test]
fn a_picture_that_is_none_is_refused() {
    for (data, kind) in [
        (json!([{"b64_json": "aGVsbG8="}]), "image"),
        (json!([{"b64_json": "???"}]), "image"),
        (json!([{"b64_json": ""}]), "image"),
        (json!([]), "protocol"),
        (json!("x"), "protocol"),
    ] {
        let reply = json!({"data": data});
        let server = Server::start(move |_, _| Reply::json("200 OK", &reply));
        let (was, said) = fails(ask(&server, Task::TextToImage));
        assert_eq!(was, kind, "{data}: {said}");
    }
}

#[test]
fn an_edit_sends_the_bytes_of_its_pictures() {
    let server =
        Server::start(|_, _| Reply::json("200 OK", &json!({"data": [{"b64_json": encoded()}]})));
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("1"), folder.path().join("2"));
    std::fs::write(&one, png()).unwrap();
    std::fs::write(&two, png()).unwrap();
    for (images, name) in [
        (vec![&*one], "\"image\""),
        (vec![&*one, &*two], "\"image[]\""),
    ] {
        ask_with(
            &server,
            "extra = { input_fidelity = \"high\" }",
            Task::Edit,
            &images,
        )
        .unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.path, "/v1/images/edits");
        assert!(
            seen.header("content-type")
                .unwrap()
                .starts_with("multipart/form-data; boundary=")
        );
        let count = |needle: &[u8]| {
            seen.body
                .windows(needle.len())
                .filter(|w| *w == needle)
                .count()
        };
        assert_eq!(count(&png()), images.len());
        assert_eq!(count(format!("name={name}").as_bytes()), images.len());
        assert_eq!(count(b"Content-Type: image/png"), images.len());
        for field in [
            "name=\"model\"\r\n\r\nm\r\n",
            "name=\"n\"\r\n\r\n1\r\n",
            "name=\"prompt\"\r\n\r\nWhat is written here?\r\n",
            "name=\"input_fidelity\"\r\n\r\nhigh\r\n",
        ] {
            assert_eq!(count(field.as_bytes()), 1, "{field}");
        }
    }
    let before = server.seen().len();
    assert_eq!(fails(ask(&server, Task::Edit)).0, "input");
    let missing = folder.path().join("missing.png");
    let (kind, said) = fails(ask_with(&server, "", Task::Edit, &[&missing]));
    assert!(kind == "input" && said.contains("missing.png"), "{said}");
    assert_eq!(server.seen().len(), before);
}

#[test]
fn an_unreachable_server_stops_the_run() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let settings: OpenAiSettings = toml::from_str(&format!(
        "model = \"m\"\nbase_url = \"http://{address}/v1\"\nmax_attempts = 1"
    ))
    .unwrap();
    let item: Item =
        serde_json::from_value(json!({"item": "a", "task": "understand", "prompt": "p"})).unwrap();
    let request = Request {
        item: &item,
        base: Path::new("."),
        repeat: 0,
        seed: 0,
    };
    let result = OpenAi::new(settings)
        .unwrap()
        .generate(&request, &Cancel::default());
    let (kind, said) = fails(result);
    assert!(
        kind == "fatal"
            && said.contains("check that the server is running")
            && said.contains("refused"),
        "{said}"
    );
}

#[test]
fn requests_keep_their_distance() {
    let server = Server::start(|_, _| chat_reply(json!("ok")));
    let start = Instant::now();
    for _ in 0..3 {
        // One generator a worker: the limit holds over all of them.
        text(ask_with(
            &server,
            "requests_per_minute = 240",
            Task::Understand,
            &[],
        ));
    }
    // 240 a minute are 0.25 s apart: the third may start after 0.5 s.
    assert!(start.elapsed() >= Duration::from_millis(500));
}

#[test]
fn settings_have_defaults_and_mistakes_are_named() {
    let settings: OpenAiSettings = toml::from_str("model = \"m\"").unwrap();
    assert_eq!(settings.base_url, "https://api.openai.com/v1");
    assert_eq!(settings.api_key_env, "OPENAI_API_KEY");
    assert_eq!(
        (settings.timeout_seconds, settings.max_attempts),
        (120.0, 6)
    );
    let error = toml::from_str::<OpenAiSettings>("model = \"m\"\napi_key = \"sk\"").unwrap_err();
    assert!(error.to_string().contains("unknown field `api_key`"));
    for (line, key) in [
        ("base_url = \"localhost:8000\"", "base_url"),
        ("edit_size = \"\"", "edit_size"),
        ("timeout_seconds = 0.0", "timeout_seconds"),
        ("timeout_seconds = -1.0", "timeout_seconds"),
        ("requests_per_minute = 0.0", "requests_per_minute"),
    ] {
        let settings = toml::from_str(&format!("model = \"m\"\n{line}")).unwrap();
        let error = OpenAi::new(settings).err().unwrap().to_string();
        assert!(error.contains(key), "{line}: {error}");
    }
}
