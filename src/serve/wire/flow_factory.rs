//! `/compute`, as Flow-Factory's client for remote rewards asks it.
//!
//! The client names no reward, so the path does. It raises an error for a key `error` without asking again,
//! and repeats a request with another status at once: so what concerns an output is said with status 200.

use super::super::app::App;
use super::super::picture::{Encoded, Picture};
use super::super::question::Question;
use super::super::refusal::Refusal;
use super::super::routes::Answer;
use super::super::work::{Worth, worth};
use super::{PICTURES_ONLY, check_count, json, receive};
use crate::grade::reward::{Fault, FaultKind, WHOLE};
use crate::record::Object;
use crate::reward::OpenReward;
use axum::Json;
use axum::extract::Request;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The body.
#[derive(Deserialize)]
struct Compute {
    prompt: Vec<String>,
    #[serde(default)]
    image: Option<Vec<Option<String>>>,
    #[serde(default)]
    video: Option<Value>,
    #[serde(default)]
    condition_images: Option<Vec<Option<Vec<String>>>>,
    #[serde(default)]
    condition_videos: Option<Value>,
    #[serde(default)]
    extra: Option<Extra>,
}

/// What the client does not send by itself.
#[derive(Deserialize, Default)]
struct Extra {
    #[serde(default)]
    metadata: Option<Vec<Option<Object>>>,
}

/// What a request asks.
enum Asked {
    Outputs(Vec<Question>),
    /// Outputs that are no pictures, so many.
    Videos(usize),
}

/// Rewards for prompts and pictures.
///
/// # Errors
/// Refuses what no output of it could get a reward for.
pub(in super::super) async fn compute(
    app: &Arc<App>,
    reward: Option<String>,
    request: Request,
) -> Answer {
    let usual = app.limits.compute;
    let parse = move |app: &App, body: Vec<u8>| {
        let body: Compute = json(&body)?;
        let first = app.names.first().map(String::as_str).unwrap_or_default();
        let open = app.reward(reward.as_deref().unwrap_or(first))?;
        questions(app, body, &open)
    };
    let received = receive(app, request, usual, parse).await?;
    let answer = match received.parsed {
        Asked::Outputs(questions) => answer(&worth(app, questions, received.deadline).await?),
        Asked::Videos(count) => {
            let fault = Fault::new(FaultKind::Schema, PICTURES_ONLY);
            let rewards = vec![Value::Null; count];
            json!({"rewards": rewards, "error": PICTURES_ONLY, "errors": vec![json!({WHOLE: fault}); count]})
        }
    };
    Ok(Json(answer).into_response())
}

fn questions(app: &App, body: Compute, open: &Arc<OpenReward>) -> Result<Asked, Refusal> {
    let count = body.prompt.len();
    check_count(count, &app.limits)?;
    let videos = [&body.video, &body.condition_videos];
    if videos.into_iter().flatten().any(|videos| !is_empty(videos)) {
        return Ok(Asked::Videos(count));
    }
    let metadata = body.extra.unwrap_or_default().metadata;
    let mut images = column("image", body.image, count)?.into_iter();
    let mut sources = column("condition_images", body.condition_images, count)?.into_iter();
    let mut metadata = column("extra.metadata", metadata, count)?.into_iter();
    let questions = body.prompt.into_iter().map(|prompt| {
        let mut question = Question {
            prompt,
            rewards: vec![open.clone()],
            ..Question::default()
        };
        if let Some(image) = images.next().flatten() {
            question.take_picture(Picture::read(&image, &app.limits));
        }
        for source in sources.next().flatten().into_iter().flatten() {
            question.take_source(Encoded::read(&source, &app.limits));
        }
        if let Some(metadata) = metadata.next().flatten() {
            question.take_metadata(metadata);
        }
        question
    });
    Ok(Asked::Outputs(questions.collect()))
}

/// A list of lists of nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().all(is_empty),
        _ => false,
    }
}

/// One value for each prompt; a column that is not there has none.
///
/// # Errors
/// Refuses a column of another length.
fn column<T>(
    name: &str,
    column: Option<Vec<Option<T>>>,
    count: usize,
) -> Result<Vec<Option<T>>, Refusal> {
    match column {
        None => Ok(Vec::new()),
        Some(column) if column.len() == count => Ok(column),
        Some(column) => Err(Refusal::schema(format!(
            "`{name}` has {} entries for {count} prompts",
            column.len()
        ))),
    }
}

fn answer(worths: &[Worth]) -> Value {
    let scored = || worths.iter().flat_map(|worth| &worth.scored);
    let rewards: Vec<Option<f64>> = scored().map(|scored| scored.reward).collect();
    if rewards.iter().all(Option::is_some) {
        return json!({"rewards": rewards});
    }
    let errors: Vec<&BTreeMap<String, Fault>> = scored().map(|scored| &scored.errors).collect();
    let mut reasons: Vec<String> = Vec::new();
    for (number, faults) in errors.iter().enumerate() {
        let told = faults.iter();
        reasons.extend(
            told.map(|(component, fault)| format!("output {number}: {component}: {fault}")),
        );
    }
    json!({"rewards": rewards, "error": reasons.join("; "), "errors": errors})
}
