//! The asynchronous client: attempts, time limits, and the meaning of each failure.

use super::answer::Asked;
use super::fault::{Fault, Heard};
use super::ledger::Ledger;
use super::pace::Pace;
use super::places::{self, Asking};
use super::provenance::Provenance;
use super::reply::{ChatReply, Usage, read_chat};
use super::settings::{ChatSettings, Checked};
use super::streaming::disable_streaming;
use crate::cancel::Cancel;
use crate::http;
use crate::http::unless;
use crate::record::{Object, ended_by_limit};
use crate::text::json;
use serde_json::Value;
use std::time::Instant;

/// Size of the largest answer, in bytes.
const MAX_ANSWER: usize = 16 << 20;

/// The client of a chat server.
pub struct Chat {
    http: reqwest::Client,
    checked: Checked,
    /// The address of the requests.
    url: String,
    /// The name of the place that answers: the model at the server.
    place: String,
    attempts: u32,
    pace: Pace,
    ledger: Ledger,
    /// Set when no further request may be sent.
    closed: Cancel,
}

/// An answer, or the server's refusal to give one.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The reply.
    pub reply: ChatReply,
    /// Number of attempts.
    pub attempts: u32,
    /// Seconds of the attempt that succeeded.
    pub seconds: f64,
}

/// Why there is no answer. The messages never contain the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// This request fails.
    #[error("{message}")]
    Item {
        /// A short fixed word for the record.
        kind: &'static str,
        /// What happened, in words.
        message: String,
    },
    /// Every request would fail.
    #[error("{message}")]
    Fatal {
        /// What happened, in words.
        message: String,
        /// What to do.
        help: String,
    },
    /// The budget is used up.
    #[error("{message}")]
    Budget {
        /// What happened, in words.
        message: String,
    },
    /// The user interrupted the run.
    #[error("interrupted")]
    Cancelled,
}

impl Chat {
    /// Checks the settings and reads the key. Sends nothing.
    ///
    /// # Errors
    /// Names the setting that is wrong, and why.
    pub fn new(settings: &ChatSettings) -> Result<Self, String> {
        let checked = settings.checked()?;
        let http = http::client::asynchronous()
            .timeout(checked.timeout)
            .build()
            .map_err(|error| format!("cannot set up HTTP: {}", http::explain(error)))?;
        let url = checked.address.path_url("/chat/completions");
        Ok(Self {
            http,
            place: places::place_name(&url, &settings.model),
            url,
            attempts: settings.max_attempts,
            pace: Pace::new(
                settings.concurrency,
                settings.requests_per_minute,
                settings.tokens_per_minute,
            ),
            ledger: Ledger::new(settings.prices, settings.budget),
            closed: Cancel::default(),
            checked,
        })
    }

    /// The address in the form that may be shown and recorded.
    pub fn server(&self) -> &str {
        self.checked.address.shown()
    }

    /// The ledger of this client.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Records that the server has answered before, in an earlier execution.
    pub fn answered_before(&self) {
        places::has_answered(&self.place);
    }

    /// Asks for one chat completion, and adds its cost to the ledger. `tokens` is the estimated number of
    /// tokens.
    ///
    /// # Errors
    /// Fails if the request cannot be written as JSON, if the attempts or the time are used up, if the
    /// request or the key is not accepted, if the answer contains no text, if the budget is used up, or if
    /// the flag was raised. An answer that the token limit ended before its first word is not an error: its
    /// text is empty.
    pub async fn complete(
        &self,
        body: &Object,
        tokens: u64,
        cancel: &Cancel,
    ) -> Result<Completion, ChatError> {
        let mut body = body.clone();
        disable_streaming(&mut body);
        let bytes = serde_json::to_vec(&body).map_err(|error| ChatError::Item {
            kind: "input",
            message: format!("the request has no JSON form: {error}"),
        })?;
        // The pictures need not be in memory twice.
        let fields: Vec<String> = body.into_iter().map(|(key, _)| key).collect();
        let mut asking = None;
        let end = Instant::now() + self.checked.total;
        let mut attempt = 0;
        loop {
            let turn = unless(
                &self.closed,
                unless(cancel, self.pace.wait_for_turn(tokens)),
            )
            .await;
            let turn = turn.flatten().ok_or(ChatError::Cancelled)?;
            if self.closed.is_raised() {
                return Err(ChatError::Cancelled);
            }
            let leave = self
                .ledger
                .permit_call()
                .map_err(|message| ChatError::Budget { message })?;
            attempt += 1;
            asking.get_or_insert_with(|| Asking::begin(&self.place));
            let start = Instant::now();
            let request = self
                .http
                .post(&self.url)
                .header("content-type", "application/json");
            let outcome =
                unless(cancel, self.send(request.body(bytes.clone()), &fields, end)).await;
            if let Some(Ok(reply)) = &outcome {
                self.ledger.add_call(reply.usage.or_reckoned(tokens));
            }
            drop((turn, leave));
            let fault = match outcome.ok_or(ChatError::Cancelled)? {
                Ok(reply) => {
                    let actual = reply.usage.input.zip(reply.usage.output);
                    self.pace.answered(tokens, actual.map(|(i, o)| i + o));
                    places::has_answered(&self.place);
                    if let Some(message) = reply.wordless()
                        && !ended_by_limit(&reply.finish_reason)
                    {
                        let kind = "empty";
                        return Err(ChatError::Item { kind, message });
                    }
                    return Ok(Completion {
                        reply,
                        attempts: attempt,
                        seconds: start.elapsed().as_secs_f64(),
                    });
                }
                Err(fault) => fault,
            };
            let (kind, message, wait) = match fault {
                Fault::Again {
                    kind,
                    message,
                    wait,
                } => (kind, message, wait),
                // Half an answer, or a page of a gateway. Another attempt may bring the answer.
                Fault::Strange { message } => ("protocol", message, None),
                Fault::Absent { message, help } => {
                    drop(asking);
                    return Err(self.absent_error(message, help, cancel).await);
                }
                other => return self.give_up(other, attempt, start),
            };
            let pause = wait.unwrap_or_else(|| http::backoff(self.checked.first_wait, attempt - 1));
            if kind == "rate-limit" {
                self.pace.slow_down(pause);
            }
            if attempt >= self.attempts || pause > http::MAX_WAIT || Instant::now() + pause >= end {
                return Err(exhausted(kind, message, attempt));
            }
            tracing::info!("{message}; trying again in {:.1} s", pause.as_secs_f64());
            unless(&self.closed, unless(cancel, tokio::time::sleep(pause)))
                .await
                .flatten()
                .ok_or(ChatError::Cancelled)?;
        }
    }

    /// The error for a fault that no further attempt can repair.
    fn give_up(
        &self,
        fault: Fault,
        attempts: u32,
        start: Instant,
    ) -> Result<Completion, ChatError> {
        match fault {
            Fault::Refused { message } => Ok(Completion {
                reply: ChatReply {
                    text: String::new(),
                    reasoning: None,
                    refusal: Some(message),
                    finish_reason: "content_filter".into(),
                    model: None,
                    about: Provenance::default(),
                    usage: Usage::default(),
                },
                attempts,
                seconds: start.elapsed().as_secs_f64(),
            }),
            Fault::Fatal { message, help } | Fault::Absent { message, help } => {
                Err(ChatError::Fatal { message, help })
            }
            Fault::Rejected { message }
            | Fault::Strange { message }
            | Fault::Again { message, .. } => Err(ChatError::Item {
                kind: "rejected",
                message,
            }),
        }
    }

    /// The meaning of "not found", once it is known whether the place answers other requests.
    async fn absent_error(&self, message: String, help: String, cancel: &Cancel) -> ChatError {
        loop {
            match places::has_place_answered(&self.place) {
                Some(true) => {
                    let kind = "rejected";
                    return ChatError::Item { kind, message };
                }
                Some(false) => return ChatError::Fatal { message, help },
                None => {
                    let pause = tokio::time::sleep(places::PAUSE);
                    if unless(cancel, pause).await.is_none() {
                        return ChatError::Cancelled;
                    }
                }
            }
        }
    }

    /// Stops sending requests. Answers to the requests on their way are still received.
    pub fn close(&self) {
        self.closed.raise();
    }

    /// The answer of the server at a path next to `/chat/completions`. `None` if there is nothing at this
    /// path.
    ///
    /// # Errors
    /// Fails if the server cannot be reached or does not accept the key.
    pub(super) async fn look_up(
        &self,
        path: &str,
        cancel: &Cancel,
    ) -> Result<Option<Value>, ChatError> {
        let url = self.checked.address.path_url(path);
        let server = http::display_url(&url);
        let limit = Instant::now() + self.checked.timeout;
        let heard = unless(cancel, self.receive(self.http.get(&url), &server, limit)).await;
        let heard = match heard.ok_or(ChatError::Cancelled)? {
            Ok(heard) => heard,
            Err(Fault::Again {
                kind: "unreachable",
                message,
                ..
            }) => return Err(exhausted("unreachable", message, 1)),
            Err(_) => return Ok(None),
        };
        match Fault::from_answer(&server, &heard, &self.checked.key) {
            Some(Fault::Fatal { message, help }) if matches!(heard.status, 401 | 403) => {
                Err(ChatError::Fatal { message, help })
            }
            Some(_) => Ok(None),
            None => Ok(json::read(&heard.body).ok()),
        }
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        fields: &[String],
        end: Instant,
    ) -> Result<ChatReply, Fault> {
        let asked = Asked {
            server: &http::display_url(&self.url),
            key: &self.checked.key,
            fields: fields.iter().map(String::as_str).collect(),
        };
        let limit = end.min(Instant::now() + self.checked.timeout);
        let heard = self.receive(request, asked.server, limit).await?;
        let answer = asked.read(&heard)?;
        let mut reply = read_chat(&answer).map_err(|what| asked.strange_fault(&heard, what))?;
        reply.text = self.hide(&reply.text);
        reply.reasoning = reply.reasoning.map(|text| self.hide(&text));
        reply.refusal = reply.refusal.map(|text| self.hide(&text));
        reply.model = reply.model.map(|name| self.hide(&name));
        reply.about = Provenance::read(&answer, &heard.headers, |text| self.hide(text));
        Ok(reply)
    }

    /// Sends a request and reads the whole answer before `limit`.
    async fn receive(
        &self,
        request: reqwest::RequestBuilder,
        server: &str,
        limit: Instant,
    ) -> Result<Heard, Fault> {
        let lost = |kind, words: String| Fault::Again {
            kind,
            message: self.hide(&format!("{server}: {words}")),
            wait: None,
        };
        let reading = async {
            let request = request.headers(self.checked.headers.clone());
            let mut response = request.send().await?;
            let mut heard = Heard {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: Vec::new(),
            };
            while let Some(chunk) = response.chunk().await? {
                heard.body.extend_from_slice(&chunk);
                if heard.body.len() > MAX_ANSWER {
                    break;
                }
            }
            Ok::<_, reqwest::Error>(heard)
        };
        match tokio::time::timeout_at(limit.into(), reading).await {
            Ok(Ok(heard)) => Ok(heard),
            Ok(Err(error)) if error.is_connect() => Err(lost("unreachable", http::explain(error))),
            Ok(Err(error)) if error.is_timeout() => Err(lost("timeout", http::explain(error))),
            Ok(Err(error)) => Err(lost("network", http::explain(error))),
            Err(_) => Err(lost(
                "timeout",
                "the answer was not complete within the time limit".into(),
            )),
        }
    }

    pub(super) fn hide(&self, text: &str) -> String {
        self.checked.key.hide(text)
    }
}

fn exhausted(kind: &'static str, message: String, attempts: u32) -> ChatError {
    let message = match attempts {
        1 => message,
        _ => format!("{message} (after {attempts} attempts)"),
    };
    match kind {
        // No server listens there, so the other requests need not try one by one.
        "unreachable" => ChatError::Fatal {
            message,
            help: "check that the server is running, and check `base_url` and the proxy variables"
                .into(),
        },
        _ => ChatError::Item { kind, message },
    }
}
