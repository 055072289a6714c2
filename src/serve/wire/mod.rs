//! The forms of JSON that clients write, one file each.

pub(super) mod flow_factory;
pub(super) mod own;
pub(super) mod unirl;

use super::app::App;
use super::body;
use super::limits::Limits;
use super::refusal::Refusal;
use super::room::Taken;
use super::routes::admitted;
use axum::extract::Request;
use axum::http::HeaderMap;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The header with the milliseconds that a client waits.
const TIMEOUT: &str = "x-timeout-ms";

/// What a client hears that sends videos.
const PICTURES_ONLY: &str = "pictures only: videos are not looked at";

/// A request that was read.
struct Received<T> {
    parsed: T,
    begun: Instant,
    /// When the client must have its answer.
    deadline: Instant,
    /// The room that its pictures' files take.
    _room: Taken,
}

/// Reads a request: the token, the bounds, the body. `parse` makes of the body what the wire's work needs.
///
/// # Errors
/// Refuses what the bounds refuse, and what `parse` refuses.
async fn receive<T: Send + 'static>(
    app: &Arc<App>,
    request: Request,
    usual: Duration,
    parse: impl FnOnce(&App, Vec<u8>) -> Result<T, Refusal> + Send + 'static,
) -> Result<Received<T>, Refusal> {
    let begun = Instant::now();
    let (head, body) = request.into_parts();
    let deadline = begun + asked_time(&head.headers).unwrap_or(usual);
    let (announced, room) = match admit(app, &head.headers, deadline).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            body::discard(body.into_data_stream(), &app.limits);
            return Err(refusal);
        }
    };
    let body = body::read(body, announced, &app.limits).await?;
    let size = body.len() as u64;
    let own = app.clone();
    let parsed = app.pool.run(size, deadline, move || parse(&own, body));
    Ok(Received {
        parsed: parsed.await??,
        begun,
        deadline,
        _room: room,
    })
}

/// Lets a request in before its body is read: the bytes that it says it has, and the room for them.
///
/// # Errors
/// Refuses a request without the token, one that is too large, every one while the server loads, and one
/// that finds no room until its deadline.
async fn admit(
    app: &App,
    headers: &HeaderMap,
    deadline: Instant,
) -> Result<(Option<usize>, Taken), Refusal> {
    admitted(app, headers)?;
    let announced = body::announced(headers, &app.limits)?;
    app.ready()?;
    let most = announced.unwrap_or(app.limits.body);
    let room = app.room.body(most, deadline).await?;
    Ok((announced, room))
}

/// The time that a client says it waits.
fn asked_time(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
    text.trim().parse().ok().map(milliseconds)
}

/// So many milliseconds, within the longest deadline.
fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count).min(Limits::LONGEST)
}

/// A body as a type.
///
/// # Errors
/// Refuses a body that is no JSON, or has another form.
fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::schema(error.to_string()))
}

/// # Errors
/// Refuses more outputs than a request may have.
fn check_count(count: usize, limits: &Limits) -> Result<(), Refusal> {
    if count > limits.outputs {
        return Err(Refusal::schema(format!(
            "a request may have {} outputs at most, and this one has {count}",
            limits.outputs
        )));
    }
    Ok(())
}
