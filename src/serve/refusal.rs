//! Answers to requests that get no reward at all.

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The most characters that a message quotes of a request.
const QUOTED: usize = 300;

const PATHS: &str =
    "the paths are POST /compute, /score, /v1/rewards and GET /rewards, /health, /metrics";

/// Why a whole request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
    help: &'static str,
    /// Seconds after which the client may try again.
    retry: Option<u16>,
}

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, message: String, help: &'static str) -> Self {
        Self {
            status,
            kind,
            message,
            help,
            retry: None,
        }
    }

    fn later(self, seconds: u16) -> Self {
        Self {
            retry: Some(seconds),
            ..self
        }
    }

    /// The body is not what the path expects.
    pub(super) fn schema(message: impl Into<String>) -> Self {
        let help = "compare the request with the guide to the reward server";
        // Errors of a parser quote what the client sent, which may be a picture.
        let message = shortened(&message.into());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "schema", message, help)
    }

    /// The client went away while it sent its request.
    pub(super) fn broken(reason: &str) -> Self {
        let message = format!("the body ends too early: {reason}");
        Self::new(
            StatusCode::BAD_REQUEST,
            "schema",
            message,
            "send the request again",
        )
    }

    /// There is no such reward.
    pub(super) fn unknown_reward(name: &str, known: &[String]) -> Self {
        let message = format!(
            "there is no reward `{}` here; this server has {}",
            shortened(name),
            known.join(", ")
        );
        let help = "name one of them, or start the server with `--rewards`";
        Self::new(StatusCode::BAD_REQUEST, "unknown_reward", message, help)
    }

    /// A definition in the request cannot be used.
    pub(super) fn definition(message: String) -> Self {
        let help = "name observers that the server has opened, and rules that open no files";
        let message = shortened(&message);
        Self::new(StatusCode::BAD_REQUEST, "unknown_reward", message, help)
    }

    /// More bytes, outputs or pixels than one request may have.
    pub(super) fn too_large(message: String) -> Self {
        let help = "send fewer or smaller pictures in a request";
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            message,
            help,
        )
    }

    /// A body that would be unpickled elsewhere.
    pub(super) fn pickle() -> Self {
        let message = "pickle is not read; see examples/reward_client.py".to_owned();
        let help = "send JSON: unpickling would run code of the sender";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "pickle", message, help)
    }

    /// No room within the request's time.
    pub(super) fn overload() -> Self {
        let message = "the server was full until the deadline of this request".to_owned();
        let help = "send fewer requests at the same time, or give them more time";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "overload", message, help).later(1)
    }

    /// The request came too slowly.
    pub(super) fn slow() -> Self {
        let message = "the body came too slowly".to_owned();
        let help = "send the whole body at once";
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", message, help)
    }

    /// Nothing was looked at in time.
    pub(super) fn timeout() -> Self {
        let message = "nothing was looked at before the deadline of this request".to_owned();
        let help = "give requests more time, or send fewer outputs in one";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message, help)
    }

    /// The token is missing or wrong.
    pub(super) fn unauthorized() -> Self {
        let message = "the token is missing or wrong".to_owned();
        let help =
            "send `Authorization: Bearer TOKEN`, or the token as the password of the address";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message, help)
    }

    /// The observers are not open yet, or the server ends.
    pub(super) fn unavailable(state: &'static str) -> Self {
        let message = format!("the server is {state}");
        let help = "try again a little later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overload", message, help).later(2)
    }

    /// There is no such path.
    pub(super) fn no_such_path(path: &str) -> Self {
        let message = format!("there is no path `{}`", shortened(path));
        Self::new(StatusCode::NOT_FOUND, "schema", message, PATHS)
    }

    /// The path has another method.
    pub(super) fn no_such_method(method: &str, path: &str) -> Self {
        let message = format!("`{}` does not take {}", shortened(path), shortened(method));
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "schema", message, PATHS)
    }

    /// A part of the server failed in a way that no part expects.
    pub(super) fn internal() -> Self {
        let message = "the server failed; its standard error says why".to_owned();
        let help = "report this with what the server printed";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "observer", message, help)
    }
}

/// A text with its middle left out where it is long.
fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= QUOTED {
        return text.to_owned();
    }
    let half = QUOTED / 2;
    let start: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(count - half).collect();
    format!("{start} … {end}")
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "error": {"kind": self.kind, "message": self.message, "help": self.help},
            "detail": self.message,
        });
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let way = HeaderValue::from_static("Basic realm=\"unigauge\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, way);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_does_not_repeat_a_picture() {
        let message = format!("invalid type: string \"{}\", line 1", "é".repeat(1_000_000));
        let refusal = Refusal::schema(message);
        assert!(refusal.message.len() < 1000, "{refusal:?}");
        assert!(refusal.message.starts_with("invalid type: string"));
        assert!(refusal.message.ends_with("line 1"));
        assert_eq!(Refusal::schema("short").message, "short");
    }
}
