//! The meaning of an answer that is not a success: try again, give up this request, or stop.

use super::key::Key;
use super::said::Said;
use crate::http;
use reqwest::header::HeaderMap;
use std::time::Duration;

/// An answer with any status.
#[derive(Debug)]
pub struct Heard {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Heard {
    /// Whether the status is a success.
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why a request did not succeed. The messages never contain the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Another attempt may succeed, after the pause that the server asks for.
    Again {
        /// A short fixed word for the record.
        kind: &'static str,
        /// What happened, in words.
        message: String,
        /// How long the server asks to wait.
        wait: Option<Duration>,
    },
    /// A success that contains no answer, such as a page of a gateway or half an answer.
    Strange {
        /// What happened, in words.
        message: String,
    },
    /// A content filter rejects this request.
    Refused {
        /// What happened, in words.
        message: String,
    },
    /// This request cannot succeed.
    Rejected {
        /// What happened, in words.
        message: String,
    },
    /// The address or the model was not found. No request can succeed, unless other requests to the same
    /// place do: some gateways give this answer to a request that they reject.
    Absent {
        /// What happened, in words.
        message: String,
        /// What to do.
        help: String,
    },
    /// No request can succeed.
    Fatal {
        /// What happened, in words.
        message: String,
        /// What to do.
        help: String,
    },
}

impl Fault {
    /// The meaning of a status. `None` for a success. `server` is an address that may be shown.
    pub fn from_answer(server: &str, heard: &Heard, key: &Key) -> Option<Self> {
        if heard.succeeded() {
            return None;
        }
        let said = Said::of_body(&heard.body);
        Some(Self::classify(
            server,
            heard,
            &said,
            Some(heard.status),
            key,
        ))
    }

    /// The meaning of an error inside an answer with a status of success. It is the same as that of its own
    /// status.
    pub(super) fn under_success(server: &str, heard: &Heard, said: &Said, key: &Key) -> Self {
        Self::classify(server, heard, said, said.status(), key)
    }

    /// The fault for an error. `status` is `None` for an error of an unknown kind.
    fn classify(server: &str, heard: &Heard, said: &Said, status: Option<u16>, key: &Key) -> Self {
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
            Some(402) => Self::out_of_credit(message),
            _ if said.no_credit() => Self::out_of_credit(message),
            None if said.refused() => Self::Refused { message },
            Some(429) => again("rate-limit", message),
            None | Some(408 | 409 | 500..) => again("server", message),
            Some(401 | 403) => Self::Fatal {
                message,
                help: key.advice(),
            },
            Some(404) => Self::Absent {
                message,
                help: "the server has no such address or no such model: check `model` and `base_url`, which usually ends \
                       in /v1"
                    .into(),
            },
            Some(_) if said.refused() => Self::Refused { message },
            Some(_) => Self::Rejected { message },
        }
    }

    fn out_of_credit(message: String) -> Self {
        Self::Fatal {
            message,
            help: "the account has no credit left; add credit, and run the same command again"
                .into(),
        }
    }
}
