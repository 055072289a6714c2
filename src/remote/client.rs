//! The blocking client: attempts, time limits, and the meaning of each failure.

use super::address::Address;
use super::answer::Asked;
use super::endpoint::Endpoint;
use super::error::RemoteError;
use super::fault::{Fault, Heard};
use super::key::Key;
use super::places::{self, Asking};
use super::reply::{ChatReply, read_reply};
use super::streaming::disable_streaming;
use crate::cancel::Cancel;
use crate::http;
use crate::record::Object;
use reqwest::blocking::{RequestBuilder, multipart};
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Size of the largest answer, in bytes: a picture of 256 MiB in base64 with its envelope.
const MAX_ANSWER: u64 = (256 << 20) * 3 / 2;
/// First pause after a failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// When the next request to a server may be sent, by address. All workers share this.
static NEXT: Mutex<BTreeMap<String, Instant>> = Mutex::new(BTreeMap::new());

/// The body of a request.
#[derive(Debug, Clone)]
pub enum Body {
    /// A JSON object.
    Json(Object),
    /// A multipart form.
    Multipart(Vec<Part>),
}

impl Body {
    /// The names of the fields.
    fn fields(&self) -> Vec<&str> {
        match self {
            Self::Json(object) => object.keys().map(String::as_str).collect(),
            Self::Multipart(parts) => parts.iter().map(|part| part.name.as_str()).collect(),
        }
    }
}

/// One part of a multipart form.
#[derive(Debug, Clone)]
pub struct Part {
    name: String,
    bytes: Vec<u8>,
    /// The file name and the MIME type.
    file: Option<(String, &'static str)>,
}

impl Part {
    /// A field with a value.
    pub fn text(name: String, value: &Value) -> Self {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        Self {
            name,
            bytes: text.into_bytes(),
            file: None,
        }
    }

    /// A field with a file.
    pub fn file(name: &str, file: String, mime: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            bytes,
            file: Some((file, mime)),
        }
    }
}

/// Why an attempt failed.
enum Failed {
    Final(RemoteError),
    /// The address or the model was not found. Contains the message and the advice.
    Absent(String, String),
    /// Another attempt may succeed, after the pause that the server asks for.
    Again(RemoteError, Option<Duration>),
}

/// Sends requests to one server, one after another.
#[derive(Debug)]
pub struct Client {
    http: reqwest::blocking::Client,
    address: Address,
    model: String,
    key: Key,
    attempts: u32,
    timeout: Duration,
    /// Shortest time between two requests.
    interval: Option<Duration>,
}

impl Client {
    /// Checks the endpoint and reads the key from the environment. Sends nothing yet.
    ///
    /// # Errors
    /// Fails with [`RemoteError::Fatal`] if a setting is wrong.
    pub fn new(endpoint: &Endpoint<'_>) -> Result<Self, RemoteError> {
        let wrong = |key: &str, what: &str| endpoint.wrong(key, what);
        let address = Address::parse(endpoint.base_url).map_err(|what| wrong("base_url", &what))?;
        if endpoint.model.is_empty() {
            return Err(wrong("model", "is empty"));
        }
        let timeout = Duration::try_from_secs_f64(endpoint.timeout_seconds)
            .ok()
            .filter(|time| !time.is_zero())
            .ok_or_else(|| wrong("timeout_seconds", "is not a positive number of seconds"))?;
        let interval = match endpoint.requests_per_minute {
            None => None,
            Some(rate) => Some(
                Duration::try_from_secs_f64(60.0 / rate)
                    .ok()
                    .filter(|_| rate > 0.0)
                    .ok_or_else(|| wrong("requests_per_minute", "is not a positive number"))?,
            ),
        };
        let http = http::client::blocking()
            .timeout(timeout)
            .build()
            .map_err(|error| {
                RemoteError::fatal(
                    format!("cannot set up HTTP: {}", http::explain(error)),
                    "check the proxy variables of the environment",
                )
            })?;
        Ok(Self {
            http,
            address,
            model: endpoint.model.to_owned(),
            key: Key::of_variable(endpoint.api_key_env),
            attempts: endpoint.max_attempts.max(1),
            timeout,
            interval,
        })
    }

    /// Asks for one chat completion. Returns the reply and the JSON that contains it.
    ///
    /// # Errors
    /// Fails as [`Client::post`] does, and if the answer is a refusal or contains no text.
    pub fn chat(
        &self,
        mut body: Object,
        cancel: &Cancel,
    ) -> Result<(ChatReply, Value), RemoteError> {
        disable_streaming(&mut body);
        let answer = self.post("/chat/completions", Body::Json(body), cancel)?;
        Ok((read_reply(&answer)?, answer))
    }

    /// Sends a request and returns the JSON of the answer.
    ///
    /// # Errors
    /// Fails if no answer arrives within the allowed attempts, or if the server refuses.
    pub fn post(&self, path: &str, body: Body, cancel: &Cancel) -> Result<Value, RemoteError> {
        let url = self.address.path_url(path);
        let place = places::place_name(&url, &self.model);
        // The request begins when its first attempt may be sent.
        let asking = OnceCell::new();
        let asked = Asked {
            server: &http::display_url(&url),
            key: &self.key,
            fields: body.fields(),
        };
        let answer = self.persist(
            cancel,
            || {
                asking.get_or_init(|| Asking::begin(&place));
                let request = self.http.post(&url).headers(self.headers()?);
                let request = match body.clone() {
                    Body::Json(object) => request.json(&object),
                    Body::Multipart(parts) => request.multipart(form(parts)?),
                };
                Ok((url.clone(), request))
            },
            |heard| asked.read(&heard),
        );
        match answer {
            Ok(answer) => {
                places::has_answered(&place);
                Ok(answer)
            }
            Err(Failed::Absent(message, help)) => {
                drop(asking);
                Err(absent_error(&place, message, help, cancel))
            }
            Err(Failed::Final(error) | Failed::Again(error, _)) => Err(error),
        }
    }

    /// Records that the server has answered such requests before, in an earlier execution.
    pub fn answered_before(&self, path: &str) {
        places::has_answered(&places::place_name(
            &self.address.path_url(path),
            &self.model,
        ));
    }

    /// Fetches a picture of which the server sent only the address. The key is not sent there.
    ///
    /// # Errors
    /// Fails as [`Client::post`] does, but only this picture fails and never the run.
    pub fn get(&self, url: &str, cancel: &Cancel) -> Result<Vec<u8>, RemoteError> {
        let server = http::display_url(url);
        let picture = self.persist(
            cancel,
            || Ok((url.to_owned(), self.http.get(url))),
            |heard| match Fault::from_answer(&server, &heard, &self.key) {
                None => Ok(heard.body),
                Some(fault) => Err(fault),
            },
        );
        picture.map_err(|failed| match failed {
            Failed::Final(RemoteError::Fatal { message, .. })
            | Failed::Again(RemoteError::Fatal { message, .. }, _)
            | Failed::Absent(message, _) => RemoteError::item(
                "picture",
                format!("the picture cannot be fetched: {message}"),
            ),
            Failed::Final(error) | Failed::Again(error, _) => error,
        })
    }

    /// Tries until `read` accepts an answer, a failure is final, or the attempts are used up.
    fn persist<T>(
        &self,
        cancel: &Cancel,
        request: impl Fn() -> Result<(String, RequestBuilder), RemoteError>,
        read: impl Fn(Heard) -> Result<T, Fault>,
    ) -> Result<T, Failed> {
        let mut attempt = 0;
        loop {
            self.wait_for_turn(cancel).map_err(Failed::Final)?;
            let (url, request) = request().map_err(Failed::Final)?;
            let limit = self.timeout;
            let outcome = http::interruptible(cancel, move || receive(request, limit))
                .ok_or(Failed::Final(RemoteError::Cancelled))?;
            let heard = outcome.map_err(|lost| self.network_error(&url, lost));
            let (error, wait) = match heard.and_then(|heard| read(heard).map_err(failed)) {
                Ok(answer) => return Ok(answer),
                Err(Failed::Again(error, wait)) => (error, wait),
                Err(last) => return Err(last),
            };
            attempt += 1;
            let wait = wait.unwrap_or_else(|| http::backoff(FIRST_WAIT, attempt - 1));
            if attempt >= self.attempts || wait > http::MAX_WAIT {
                return Err(Failed::Final(error));
            }
            tracing::info!("{error}; trying again in {:.1} s", wait.as_secs_f64());
            if !http::sleep(wait, cancel) {
                return Err(Failed::Final(RemoteError::Cancelled));
            }
        }
    }

    fn headers(&self) -> Result<HeaderMap, RemoteError> {
        let headers = self.key.headers();
        headers.map_err(|what| {
            RemoteError::fatal(what, "set the variable to the key and nothing else")
        })
    }

    /// Waits as long as `requests_per_minute` requires.
    fn wait_for_turn(&self, cancel: &Cancel) -> Result<(), RemoteError> {
        let Some(interval) = self.interval else {
            return Ok(());
        };
        let now = Instant::now();
        let turn = {
            let mut next = NEXT
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let slot = next.entry(self.address.shown().to_owned()).or_insert(now);
            let turn = (*slot).max(now);
            *slot = turn + interval;
            turn
        };
        if http::sleep(turn.saturating_duration_since(now), cancel) {
            Ok(())
        } else {
            Err(RemoteError::Cancelled)
        }
    }

    /// The failure that a missing answer means.
    fn network_error(&self, url: &str, lost: Lost) -> Failed {
        let server = http::display_url(url);
        let message = self.key.hide(&format!("{server}: {}", lost.words));
        let error = match lost.kind {
            "unreachable" => RemoteError::fatal(
                message,
                "check that the server is running, and check `base_url` and the proxy variables",
            ),
            kind => RemoteError::item(kind, message),
        };
        if lost.again {
            Failed::Again(error, None)
        } else {
            Failed::Final(error)
        }
    }
}

/// The meaning of a fault for this client.
fn failed(fault: Fault) -> Failed {
    match fault {
        Fault::Again {
            kind,
            message,
            wait,
        } => Failed::Again(RemoteError::item(kind, message), wait),
        Fault::Strange { message } => Failed::Final(RemoteError::item("protocol", message)),
        Fault::Refused { message } => Failed::Final(RemoteError::item("refused", message)),
        Fault::Rejected { message } => Failed::Final(RemoteError::item("rejected", message)),
        Fault::Absent { message, help } => Failed::Absent(message, help),
        Fault::Fatal { message, help } => Failed::Final(RemoteError::fatal(message, help)),
    }
}

/// The meaning of "not found", once it is known whether the place answers other requests.
fn absent_error(place: &str, message: String, help: String, cancel: &Cancel) -> RemoteError {
    loop {
        match places::has_place_answered(place) {
            Some(true) => return RemoteError::item("rejected", message),
            Some(false) => return RemoteError::fatal(message, help),
            None if http::sleep(places::PAUSE, cancel) => {}
            None => return RemoteError::Cancelled,
        }
    }
}

/// No answer, or only a part of one.
struct Lost {
    kind: &'static str,
    words: String,
    again: bool,
}

/// Sends one request and reads the whole answer within `limit`.
fn receive(request: RequestBuilder, limit: Duration) -> Result<Heard, Lost> {
    let end = Instant::now() + limit;
    let response = request.send().map_err(|error| Lost {
        kind: match () {
            () if error.is_connect() => "unreachable",
            () if error.is_timeout() => "timeout",
            () => "network",
        },
        again: !error.is_builder() && !error.is_redirect(),
        words: http::explain(error),
    })?;
    let mut heard = Heard {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: Vec::new(),
    };
    let broken = |kind, why: &str| Lost {
        kind,
        words: format!("the answer was interrupted: {why}"),
        again: true,
    };
    let mut stream = response.take(MAX_ANSWER);
    let mut chunk = vec![0; 64 << 10];
    loop {
        // The client's own limit applies to each read, so a slow stream would never end.
        if Instant::now() > end {
            return Err(broken(
                "timeout",
                "it is not complete within the time limit",
            ));
        }
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(heard),
            Ok(n) => heard.body.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let inner = error
                    .get_ref()
                    .and_then(|e| e.downcast_ref::<reqwest::Error>());
                let late = error.kind() == ErrorKind::TimedOut
                    || inner.is_some_and(reqwest::Error::is_timeout);
                return Err(broken(
                    if late { "timeout" } else { "network" },
                    &error.to_string(),
                ));
            }
        }
    }
}

fn form(parts: Vec<Part>) -> Result<multipart::Form, RemoteError> {
    let mut form = multipart::Form::new();
    for part in parts {
        let mut body = multipart::Part::bytes(part.bytes);
        if let Some((name, mime)) = part.file {
            body = body
                .file_name(name)
                .mime_str(mime)
                .map_err(|error| RemoteError::item("input", http::explain(error)))?;
        }
        form = form.part(part.name, body);
    }
    Ok(form)
}
