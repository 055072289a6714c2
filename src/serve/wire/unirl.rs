//! `/score`, as UniRL's reward service answers it.

use super::super::app::App;
use super::super::picture::{Encoded, Picture};
use super::super::question::Question;
use super::super::refusal::Refusal;
use super::super::routes::Answer;
use super::super::work::{Worth, worth};
use super::{check_count, json, receive};
use crate::grade::reward::{Fault, FaultKind, Scored};
use crate::record::Object;
use crate::reward::OpenReward;
use axum::Json;
use axum::extract::Request;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The body.
#[derive(Deserialize)]
struct Score {
    requests: Vec<Requested>,
}

/// One output, with what led to it.
#[derive(Deserialize)]
struct Requested {
    history: Vec<Turn>,
    required_rewards: Vec<String>,
    #[serde(default)]
    metadata: Option<Object>,
    #[serde(flatten)]
    identity: Identity,
}

/// What newer clients call an output, which they want to hear again. They name no version of a scorer that
/// this server could have.
#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
struct Identity {
    request_id: Option<Value>,
    sample_id: Option<Value>,
    group_id: Option<Value>,
    source_rank: Option<Value>,
    policy_version: Option<Value>,
    idempotency_key: Option<Value>,
    #[serde(skip_deserializing)]
    scorer_version: Option<Value>,
}

/// An output as it was read.
struct Asked {
    wanted: Vec<Wanted>,
    identity: Identity,
    question: Question,
}

/// What was said or shown at a time; the last turn is scored.
#[derive(Deserialize)]
struct Turn {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    image_b64: Option<String>,
    #[serde(default)]
    video_b64: Option<String>,
    #[serde(default)]
    video_path: Option<String>,
}

/// A reward that a request names, or one component of it.
struct Wanted {
    name: String,
    component: Option<String>,
}

/// Rewards for the last turns of histories.
///
/// # Errors
/// Refuses what no output of it could get a reward for.
pub(in super::super) async fn score(app: &Arc<App>, request: Request) -> Answer {
    let usual = app.limits.other;
    let received = receive(app, request, usual, parse).await?;
    let (mut questions, mut asked) = (Vec::new(), Vec::new());
    for one in received.parsed {
        questions.push(one.question);
        asked.push((one.wanted, one.identity));
    }
    let worths = worth(app, questions, received.deadline).await?;
    let (mut results, mut errors, mut identities) = (Vec::new(), Vec::new(), Vec::new());
    for ((wanted, identity), worth) in asked.into_iter().zip(&worths) {
        let (result, error) = answer(&wanted, worth);
        results.push(result);
        errors.push(error);
        identities.push(identity);
    }
    let body = json!({
        "results": results, "errors": errors, "identities": identities, "protocol_version": "1",
    });
    Ok(Json(body).into_response())
}

fn parse(app: &App, body: Vec<u8>) -> Result<Vec<Asked>, Refusal> {
    let body: Score = json(&body)?;
    check_count(body.requests.len(), &app.limits)?;
    let requests = body.requests.into_iter().enumerate();
    requests
        .map(|(number, mut request)| {
            check_turns(number, &request.history)?;
            let mut wanted = Vec::new();
            let mut rewards = Vec::new();
            for name in &request.required_rewards {
                let (one, open) = find(app, name)?;
                wanted.push(one);
                rewards.push(open);
            }
            let identity = std::mem::take(&mut request.identity);
            let mut question = question(app, request);
            question.rewards = rewards;
            question.group = identity.group_id.as_ref().map(Value::to_string);
            Ok(Asked {
                wanted,
                identity,
                question,
            })
        })
        .collect()
}

/// # Errors
/// Refuses a history without turns, a turn without anything, and one with two videos.
fn check_turns(number: usize, history: &[Turn]) -> Result<(), Refusal> {
    if history.is_empty() {
        return Err(Refusal::schema(format!(
            "requests[{number}].history is empty"
        )));
    }
    for (turn, said) in history.iter().enumerate() {
        let nothing = said.text.is_none() && said.image_b64.is_none();
        let place = format!("requests[{number}].history[{turn}]");
        match (&said.video_b64, &said.video_path) {
            (Some(_), Some(_)) => {
                let why = format!("{place} has both video_b64 and video_path");
                return Err(Refusal::schema(why));
            }
            (None, None) if nothing => {
                return Err(Refusal::schema(format!(
                    "{place} has neither words nor a picture"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A reward by its name, or by `REWARD.COMPONENT`.
fn find(app: &App, name: &str) -> Result<(Wanted, Arc<OpenReward>), Refusal> {
    let wanted = |component: Option<&str>| Wanted {
        name: name.to_owned(),
        component: component.map(str::to_owned),
    };
    match (app.reward(name), name.rsplit_once('.')) {
        (Ok(open), _) => Ok((wanted(None), open)),
        (Err(refusal), Some((reward, component))) => {
            let open = app.reward(reward).map_err(|_| refusal.clone())?;
            let mut components = open.reward.definition().components.iter();
            if components.any(|known| known.name == component) {
                Ok((wanted(Some(component)), open))
            } else {
                Err(refusal)
            }
        }
        (Err(refusal), None) => Err(refusal),
    }
}

fn question(app: &App, request: Requested) -> Question {
    let mut question = Question::default();
    let last = request.history.len() - 1;
    let mut words = Vec::new();
    for (number, turn) in request.history.into_iter().enumerate() {
        if turn.video_b64.is_some() || turn.video_path.is_some() {
            let why = "pictures only: videos are not looked at";
            question.fault = Some(Fault::new(FaultKind::Schema, why));
        }
        words.extend(turn.text);
        match turn.image_b64 {
            Some(image) if number == last => {
                question.take_picture(Picture::read(&image, &app.limits))
            }
            Some(image) => question.take_source(Encoded::read(&image, &app.limits)),
            None => {}
        }
    }
    // An edit is asked for by the last words.
    question.prompt = words.pop().unwrap_or_default();
    if let Some(metadata) = request.metadata {
        question.take_metadata(metadata);
    }
    question
}

/// The results and the errors of one output.
fn answer(wanted: &[Wanted], worth: &Worth) -> (Map<String, Value>, Map<String, Value>) {
    let (mut results, mut errors) = (Map::new(), Map::new());
    for (wanted, scored) in wanted.iter().zip(&worth.scored) {
        let name = wanted.name.clone();
        let result = match &wanted.component {
            None => whole(&name, scored),
            Some(component) => part(&name, component, scored),
        };
        match result {
            Ok(result) => results.insert(name, result.into()),
            Err(error) => errors.insert(name, error.into()),
        };
    }
    (results, errors)
}

/// The reward first, since the client takes the first number; then its parts.
///
/// # Errors
/// Says why there is no reward.
fn whole(name: &str, scored: &Scored) -> Result<Map<String, Value>, String> {
    let reward = scored.reward.ok_or_else(|| reasons(scored))?;
    let mut result = Map::from_iter([(name.to_owned(), json!(reward))]);
    for (part, number) in &scored.parts {
        if part != name {
            result.insert(part.clone(), json!(number.value));
        }
    }
    Ok(result)
}

/// The value of one component.
///
/// # Errors
/// Says why it has none.
fn part(name: &str, component: &str, scored: &Scored) -> Result<Map<String, Value>, String> {
    if let Some(part) = scored.parts.get(component) {
        return Ok(Map::from_iter([(name.to_owned(), json!(part.value))]));
    }
    if scored.not_applicable.iter().any(|other| other == component) {
        let why = format!("the component `{component}` does not apply to this prompt");
        return Err(Fault::new(FaultKind::Metadata, why).to_string());
    }
    Err(scored
        .errors
        .get(component)
        .map_or_else(|| reasons(scored), Fault::to_string))
}

/// `KIND: MESSAGE` of each fault.
fn reasons(scored: &Scored) -> String {
    let faults: Vec<String> = scored.errors.values().map(Fault::to_string).collect();
    faults.join("; ")
}
