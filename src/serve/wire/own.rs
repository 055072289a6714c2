//! `/v1/rewards`: all that unigauge can say of a reward.

use super::super::app::App;
use super::super::picture::{Encoded, Picture};
use super::super::question::Question;
use super::super::refusal::Refusal;
use super::super::routes::Answer;
use super::super::work::{Worth, worth};
use super::{check_count, json, milliseconds, receive};
use crate::config::RewardDefinition;
use crate::record::{Object, Tags};
use crate::reward::OpenReward;
use axum::Json;
use axum::extract::Request;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rewards {
    reward: Chosen,
    requests: Vec<Requested>,
    #[serde(default)]
    timeout_ms: Option<u64>,
    /// Whether the answer has what the observers saw.
    #[serde(default)]
    evidence: bool,
}

/// A reward by its name, or its definition.
#[derive(Deserialize)]
#[serde(untagged)]
enum Chosen {
    Name(String),
    Definition(Value),
}

/// One output.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requested {
    #[serde(default)]
    id: Option<String>,
    prompt: String,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    images: Vec<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    thought: Option<String>,
    #[serde(default)]
    expect: Option<Object>,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    group: Option<String>,
}

/// A body as it was read.
struct Asked {
    open: Arc<OpenReward>,
    questions: Vec<Question>,
    timeout_ms: Option<u64>,
    evidence: bool,
}

/// Rewards for outputs, with their parts and reasons.
///
/// # Errors
/// Refuses what no output of it could get a reward for.
pub(in super::super) async fn rewards(app: &Arc<App>, request: Request) -> Answer {
    let usual = app.limits.other;
    let received = receive(app, request, usual, parse).await?;
    let asked = received.parsed;
    let own = asked
        .timeout_ms
        .map(|count| received.begun + milliseconds(count));
    let deadline = own.unwrap_or(received.deadline);
    let ids: Vec<Option<String>> = asked.questions.iter().map(|one| one.id.clone()).collect();
    let worths = worth(app, asked.questions, deadline).await?;
    let results = ids.into_iter().zip(&worths).enumerate();
    let results: Vec<Value> = results
        .map(|(number, (id, worth))| result(number, id, worth, asked.evidence))
        .collect();
    let answer = json!({
        "results": results,
        "program": {"version": env!("CARGO_PKG_VERSION"), "commit": env!("UNIGAUGE_COMMIT")},
        "reward": {"name": asked.open.name(), "fingerprint": asked.open.reward.fingerprint()},
    });
    Ok(Json(answer).into_response())
}

fn parse(app: &App, body: Vec<u8>) -> Result<Asked, Refusal> {
    let body: Rewards = json(&body)?;
    check_count(body.requests.len(), &app.limits)?;
    let open = match body.reward {
        Chosen::Name(name) => app.reward(&name)?,
        Chosen::Definition(definition) => {
            let definition: Result<RewardDefinition, _> = serde_json::from_value(definition);
            let definition =
                definition.map_err(|error| Refusal::schema(format!("reward: {error}")))?;
            app.further(&definition)?
        }
    };
    let questions = body.requests.into_iter();
    Ok(Asked {
        questions: questions
            .map(|request| question(app, request, &open))
            .collect(),
        open,
        timeout_ms: body.timeout_ms,
        evidence: body.evidence,
    })
}

fn question(app: &App, request: Requested, open: &Arc<OpenReward>) -> Question {
    let mut question = Question {
        id: request.id,
        prompt: request.prompt,
        text: request.text,
        thought: request.thought,
        expect: request.expect,
        tags: request.tags,
        group: request.group,
        rewards: vec![open.clone()],
        ..Question::default()
    };
    if let Some(image) = &request.image {
        question.take_picture(Picture::read(image, &app.limits));
    }
    for source in &request.images {
        question.take_source(Encoded::read(source, &app.limits));
    }
    question
}

fn result(number: usize, id: Option<String>, worth: &Worth, with_evidence: bool) -> Value {
    let mut result = match worth.scored.first() {
        Some(scored) => json!(scored),
        None => json!({}),
    };
    result["id"] = id.map_or_else(|| number.into(), Value::from);
    if with_evidence {
        result["evidence"] = json!(worth.evidence);
    }
    result
}
