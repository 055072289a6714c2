//! A chat server for tests: it answers by rule, misbehaves as told, and counts what it answered.

use crate::http::{Reply, Seen, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A request as a test looks at it.
#[derive(Debug, Clone)]
pub(crate) struct Chat {
    pub body: Value,
    /// The first text of the last message.
    pub text: String,
    /// How often this very request came before.
    pub before: usize,
}

impl Chat {
    /// The content parts of the last message.
    pub(crate) fn parts(&self) -> &Vec<Value> {
        let messages = self.body["messages"].as_array().unwrap();
        messages.last().unwrap()["content"].as_array().unwrap()
    }

    /// Label and bytes of each picture.
    pub(crate) fn pictures(&self) -> Vec<(String, Vec<u8>)> {
        use base64::Engine as _;
        let urls = self
            .parts()
            .iter()
            .filter_map(|part| part["image_url"]["url"].as_str());
        urls.map(|url| {
            let (head, data) = url.split_once(";base64,").unwrap();
            let bytes = base64::engine::general_purpose::STANDARD.decode(data);
            (head["data:".len()..].to_owned(), bytes.unwrap())
        })
        .collect()
    }
}

/// The server with its account.
pub(crate) struct ChatServer {
    pub server: Server,
    account: Arc<Mutex<BTreeMap<String, Account>>>,
}

/// What became of one request's text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub asked: usize,
    /// Answers that went out whole.
    pub answered: usize,
}

/// What the server does with a request.
pub(crate) enum Answer {
    Text(String),
    /// A reply that is no answer.
    Fault(Reply),
    /// A whole answer of any form.
    Whole(Reply),
}

impl ChatServer {
    /// `answer` decides on each request; the check before a run is answered rightly.
    pub(crate) fn start(answer: impl Fn(&Chat) -> Answer + Send + Sync + 'static) -> Self {
        let account = Arc::new(Mutex::new(BTreeMap::<String, Account>::new()));
        let book = account.clone();
        let server = Server::start(move |seen, _| reply(seen, &book, &answer));
        Self { server, account }
    }

    /// Every request's account by its text, without those of the check.
    pub(crate) fn account(&self) -> BTreeMap<String, Account> {
        self.account.lock().unwrap().clone()
    }

    /// Requests of `/chat/completions` with a text that begins like this.
    pub(crate) fn seen(&self, text: &str) -> Vec<Chat> {
        let seen = self.server.seen();
        let chats = seen.iter().filter(|seen| !seen.body.is_empty());
        let chats = chats.map(|seen| read(seen, 0));
        chats.filter(|chat| chat.text.starts_with(text)).collect()
    }

    /// Settings that reach this server with no pauses.
    pub(crate) fn settings(&self) -> String {
        format!(
            "[observe.judge.server]\nmodel = \"tiny\"\nbase_url = \"{}\"\napi_key_env = \"UNIGAUGE_TEST_KEY\"\n\
             first_wait_seconds = 0.0\n",
            self.server.url("/v1/chat/completions")
        )
    }
}

fn read(seen: &Seen, before: usize) -> Chat {
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    let last = body["messages"].as_array().unwrap().last().unwrap();
    let parts = last["content"].as_array().unwrap();
    let text = parts.iter().find_map(|part| part["text"].as_str());
    let text = text.unwrap().to_owned();
    Chat { body, text, before }
}

fn reply(
    seen: &Seen,
    book: &Mutex<BTreeMap<String, Account>>,
    answer: &dyn Fn(&Chat) -> Answer,
) -> Reply {
    if seen.path.ends_with("/models") {
        return Reply::json("200 OK", &json!({"data": [{"id": "tiny"}]})).kept();
    }
    if seen.body.is_empty() {
        return Reply::new("404 Not Found", "").kept();
    }
    let mut chat = read(seen, 0);
    if chat.text.starts_with("Answer with the one word") {
        return completion("ready");
    }
    if chat.text.starts_with("Which of these two pictures") {
        return completion("Second.");
    }
    {
        let mut book = book.lock().unwrap();
        let account = book.entry(chat.text.clone()).or_default();
        chat.before = account.asked;
        account.asked += 1;
    }
    let answered = || book.lock().unwrap().get_mut(&chat.text).unwrap().answered += 1;
    match answer(&chat) {
        Answer::Text(text) => {
            answered();
            completion(&text)
        }
        Answer::Whole(reply) => {
            answered();
            reply
        }
        Answer::Fault(reply) => reply,
    }
}

/// An answer of 100 input and 10 output tokens.
pub(crate) fn completion(text: &str) -> Reply {
    Reply::json(
        "200 OK",
        &json!({
            "model": "tiny-2026-01-01",
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10}
        }),
    )
    .kept()
}

/// An error with a code.
pub(crate) fn error(status: &'static str, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"message": message, "type": "t", "code": code}}),
    )
}
