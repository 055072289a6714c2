//! What an answer that is no success means: try again, give this request up, or stop.

use super::Key;
use super::said::Said;
use crate::http;
use reqwest::header::HeaderMap;
use std::time::Duration;

/// An answer with any status.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Heard {
    /// Whether the status is a success.
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why a request did not succeed. Messages hold no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Worth another attempt, after the wait that the server asks for.
    Again {
        kind: &'static str,
        message: String,
        wait: Option<Duration>,
    },
    /// A success that holds no answer: a page of a gateway, or half an answer.
    Strange { message: String },
    /// A content filter does not let this request through.
    Refused { message: String },
    /// This request cannot succeed.
    Rejected { message: String },
    /// Address or model are not found. No request can succeed, unless others to the same place do: some gateways answer so
    /// to a request that they do not let through.
    Absent { message: String, help: String },
    /// No request can succeed.
    Fatal { message: String, help: String },
}

impl Fault {
    /// What a status says; None for a success. `server` is an address that may be shown.
    pub fn of(server: &str, heard: &Heard, key: &Key) -> Option<Self> {
        if heard.succeeded() {
            return None;
        }
        let said = Said::of_body(&heard.body);
        Some(Self::told(server, heard, &said, Some(heard.status), key))
    }

    /// What an error means that stands in an answer with a status of success: the same as its own status would.
    pub(super) fn under_success(server: &str, heard: &Heard, said: &Said, key: &Key) -> Self {
        Self::told(server, heard, said, said.status(), key)
    }

    /// `status` is None for an error that does not say of what kind it is.
    fn told(server: &str, heard: &Heard, said: &Said, status: Option<u16>, key: &Key) -> Self {
        let with = match status {
            _ if !heard.succeeded() => String::new(),
            Some(status) => format!(" with the error {status}"),
            None => " with an error".into(),
        };
        let message = key.hide(&format!(
            "{server} answered {}{with}: {}",
            heard.status, said.message
        ));
        let wait = http::retry_after(&heard.headers);
        let again = |kind, message| Self::Again {
            kind,
            message,
            wait,
        };
        match status {
            Some(402) => Self::broke(message),
            _ if said.no_credit() => Self::broke(message),
            None if said.refused() => Self::Refused { message },
            Some(429) => again("rate-limit", message),
            None | Some(408 | 409 | 500..) => again("server", message),
            Some(401 | 403) => Self::Fatal {
                message,
                help: key.advice(),
            },
            Some(404) => Self::Absent {
                message,
                help: "check `model` and `base_url` (it usually ends in /v1)".into(),
            },
            Some(_) if said.refused() => Self::Refused { message },
            Some(_) => Self::Rejected { message },
        }
    }

    fn broke(message: String) -> Self {
        Self::Fatal {
            message,
            help: "the account has no credit left; add some and run the same command again".into(),
        }
    }
}

/// The first words of an answer that is not what it should be.
pub fn snippet(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(800)]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.is_empty() {
        true => "(empty answer)".into(),
        false => words.chars().take(200).collect(),
    }
}
