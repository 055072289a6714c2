//! Which path does what, and what every request goes through.

use super::app::App;
use super::body;
use super::metrics::Metrics;
use super::refusal::Refusal;
use super::wire::{flow_factory, own, unirl};
use axum::Json;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// The result of a route.
pub(super) type Answer = Result<Response, Refusal>;

/// The paths.
pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/compute", post(compute))
        .route("/r/{reward}/compute", post(compute_named))
        .route("/r/{reward}/health", get(health_of))
        .route("/score", post(score))
        .route("/rewards", get(rewards))
        .route("/v1/rewards", post(own_rewards))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(app)
}

async fn compute(State(app): State<Arc<App>>, request: Request) -> Response {
    let work = flow_factory::compute(&app, None, request);
    through(&app, "/compute", work).await
}

async fn compute_named(
    State(app): State<Arc<App>>,
    Path(reward): Path<String>,
    request: Request,
) -> Response {
    let work = flow_factory::compute(&app, Some(reward), request);
    through(&app, "/compute", work).await
}

async fn score(State(app): State<Arc<App>>, request: Request) -> Response {
    through(&app, "/score", unirl::score(&app, request)).await
}

async fn own_rewards(State(app): State<Arc<App>>, request: Request) -> Response {
    through(&app, "/v1/rewards", own::rewards(&app, request)).await
}

async fn rewards(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    through(&app, "/rewards", async {
        admitted(&app, &headers)?;
        Ok(Json(json!({"rewards": app.names})).into_response())
    })
    .await
}

async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = admitted(&app, &headers) {
        return refusal.into_response();
    }
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, app.metrics.text(&app)).into_response()
}

/// Says whether the server is ready. Who has no token hears nothing else.
async fn health(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let state = app.state();
    let mut body = json!({"status": state});
    if admitted(&app, &headers).is_ok() {
        let word = if state == "ok" { "ready" } else { state };
        // Clients look here for what they will ask for.
        let names = app.names.iter().chain(&app.components);
        body["rewards"] = names.map(|name| (name.clone(), json!([word]))).collect();
    }
    if state == "ok" {
        return Json(body).into_response();
    }
    let later = [(RETRY_AFTER, "2")];
    (StatusCode::SERVICE_UNAVAILABLE, later, Json(body)).into_response()
}

/// The same for clients that ask for one reward: a wrong name is heard before the first picture.
async fn health_of(
    State(app): State<Arc<App>>,
    Path(reward): Path<String>,
    headers: HeaderMap,
) -> Response {
    if admitted(&app, &headers).is_ok() && !app.names.contains(&reward) {
        return app.unknown(&reward).into_response();
    }
    health(State(app), headers).await
}

async fn no_such_path(State(app): State<Arc<App>>, request: Request) -> Response {
    let refusal = Refusal::no_such_path(request.uri().path());
    body::discard(request.into_body().into_data_stream(), &app.limits);
    through(&app, "other", async { Err(refusal) }).await
}

async fn no_such_method(State(app): State<Arc<App>>, request: Request) -> Response {
    let refusal = Refusal::no_such_method(request.method().as_str(), request.uri().path());
    body::discard(request.into_body().into_data_stream(), &app.limits);
    through(&app, "other", async { Err(refusal) }).await
}

/// Lets only those through who carry the token.
///
/// # Errors
/// Refuses a request without it.
pub(super) fn admitted(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    match &app.token {
        Some(token) if !token.is_in(headers) => Err(Refusal::unauthorized()),
        _ => Ok(()),
    }
}

/// Counts a request, whatever becomes of it.
async fn through(app: &App, route: &'static str, work: impl Future<Output = Answer>) -> Response {
    let mut counted = Counted {
        metrics: &app.metrics,
        route,
        begun: Instant::now(),
        status: None,
    };
    let response = work.await.unwrap_or_else(IntoResponse::into_response);
    counted.status = Some(response.status());
    response
}

/// A request on its way; dropped without a status, its client hung up.
struct Counted<'a> {
    metrics: &'a Metrics,
    route: &'static str,
    begun: Instant,
    status: Option<StatusCode>,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let status = self.status.as_ref().map_or("hung up", StatusCode::as_str);
        self.metrics
            .answered(self.route, status, self.begun.elapsed());
    }
}
