//! What an answer that is no success means: try again, give this request up, or stop.

use super::Key;
use crate::hub::http;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::time::Duration;

/// An answer with any status.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
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
    /// A content filter does not let this request through.
    Refused { message: String },
    /// This request cannot succeed.
    Rejected { message: String },
    /// No request can succeed.
    Fatal { message: String, help: String },
}

impl Fault {
    /// What a status says; None for a success. `server` is an address that may be shown.
    pub fn of(server: &str, heard: &Heard, key: &Key) -> Option<Self> {
        if (200..300).contains(&heard.status) {
            return None;
        }
        let said = Said::read(&heard.body);
        let message = key.hide(&format!(
            "{server} answered {}: {}",
            heard.status, said.message
        ));
        let fatal = |message, help: &str| Self::Fatal {
            message,
            help: help.into(),
        };
        Some(match heard.status {
            _ if said.code == "insufficient_quota" => fatal(
                message,
                "the account has no credit left; add some and run the same command again",
            ),
            429 => Self::Again {
                kind: "rate-limit",
                message,
                wait: http::retry_after(&heard.headers),
            },
            408 | 409 | 500.. => Self::Again {
                kind: "server",
                message,
                wait: http::retry_after(&heard.headers),
            },
            401 | 403 => fatal(message, &key.advice()),
            404 => fatal(
                message,
                "check `model` and `base_url` (it usually ends in /v1)",
            ),
            _ if said.refused() => Self::Refused { message },
            _ => Self::Rejected { message },
        })
    }
}

/// A server's error: `{"error": {"message", "type", "code"}}`, or whatever a gateway sends.
struct Said {
    message: String,
    code: String,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = &json["error"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let message = text(&error["message"])
            .or_else(|| text(error))
            .or_else(|| text(&json["message"]))
            .or_else(|| text(&json["detail"]))
            .unwrap_or_else(|| snippet(body));
        let code = text(&error["code"])
            .or_else(|| text(&error["type"]))
            .unwrap_or_default();
        Self { message, code }
    }

    fn refused(&self) -> bool {
        matches!(
            self.code.as_str(),
            "content_policy_violation" | "content_filter" | "moderation_blocked"
        )
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
