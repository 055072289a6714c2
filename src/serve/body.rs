//! Reading a body within bounds of size and time.

use super::limits::Limits;
use super::refusal::Refusal;
use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The first byte of every pickle since protocol 2.
const PICKLE: u8 = 0x80;

/// Room for the start of a body that does not say its length, in bytes.
const FIRST: usize = 64 << 10;

/// The bytes that a request says it has. `None` if it does not say.
///
/// # Errors
/// Refuses a body above the limit before any of it is read.
pub(super) fn announced(headers: &HeaderMap, limits: &Limits) -> Result<Option<usize>, Refusal> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    let length: Option<usize> = length.and_then(|text| text.parse().ok());
    if length.is_some_and(|length| length > limits.body) {
        return Err(above(limits));
    }
    Ok(length)
}

/// The whole body. It is dropped at its end only, or where nothing more may be read of it.
///
/// # Errors
/// Refuses a body that is too large, too slow, a pickle, or whose sender goes away.
pub(super) async fn read(
    body: Body,
    announced: Option<usize>,
    limits: &Limits,
) -> Result<Vec<u8>, Refusal> {
    let begun = Instant::now();
    let mut whole = Vec::with_capacity(announced.unwrap_or(FIRST));
    let mut parts = body.into_data_stream();
    loop {
        let part = timeout_at(patience(begun, whole.len(), limits), parts.next()).await;
        let part = match part.map_err(|_| Refusal::slow())? {
            None => return Ok(whole),
            Some(part) => part.map_err(|error| Refusal::broken(&error.to_string()))?,
        };
        let refused = if whole.is_empty() && part.first() == Some(&PICKLE) {
            Some(Refusal::pickle())
        } else if whole.len() + part.len() > limits.body {
            Some(above(limits))
        } else {
            None
        };
        if let Some(refusal) = refused {
            discard(parts, limits);
            return Err(refusal);
        }
        whole.extend_from_slice(&part);
    }
}

/// Reads the rest of a body in the background, and keeps nothing of it. A client reads its answer only after
/// it has sent everything: a connection that closes before would take the answer away from it.
pub(super) fn discard(mut rest: BodyDataStream, limits: &Limits) {
    let limits = limits.clone();
    tokio::spawn(async move {
        let (begun, mut read) = (Instant::now(), 0);
        while read <= limits.body
            && let Ok(Some(Ok(part))) =
                timeout_at(patience(begun, read, &limits), rest.next()).await
        {
            read += part.len();
        }
    });
}

/// How long a body is waited for of which so many bytes came.
fn patience(begun: Instant, bytes: usize, limits: &Limits) -> Instant {
    begun + limits.slow_body + Duration::from_secs(bytes as u64 / Limits::BYTES_A_SECOND)
}

fn above(limits: &Limits) -> Refusal {
    Refusal::too_large(format!("a body may have {} bytes at most", limits.body))
}
