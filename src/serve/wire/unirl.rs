//! `/score`, as UniRL's reward service answers it.

use super::super::app::App;
use super::super::picture::{Encoded, Picture};
use super::super::question::Question;
use super::super::refusal::Refusal;
use super::super::routes::Answer;
use super::super::work::{Worth, worth};
use super::{PICTURES_ONLY, check_count, json, receive};
use crate::config::Combine;
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
    /// The place of the reward among those of its question.
    place: usize,
    /// The values of its parts are known only within a group.
    relative: bool,
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
            let mut rewards = Vec::new();
            let names = request.required_rewards.iter();
            let wanted = names.map(|name| find(app, name, &mut rewards));
            let wanted = wanted.collect::<Result<_, _>>()?;
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

/// A reward by its name, or by `REWARD.COMPONENT`. It is added to `rewards` if it is not there: a reward and
/// its components are one output in a group.
///
/// # Errors
/// Refuses a name that the server does not have.
fn find(app: &App, name: &str, rewards: &mut Vec<Arc<OpenReward>>) -> Result<Wanted, Refusal> {
    let (open, component) = match (app.reward(name), name.rsplit_once('.')) {
        (Ok(open), _) => (open, None),
        (Err(refusal), Some((reward, component))) => {
            let open = app.reward(reward).map_err(|_| refusal.clone())?;
            let mut components = open.reward.definition().components.iter();
            if !components.any(|known| known.name == component) {
                return Err(refusal);
            }
            (open, Some(component.to_owned()))
        }
        (Err(refusal), None) => return Err(refusal),
    };
    let relative = open.reward.definition().combine == Combine::Normalise;
    let known = rewards.iter().position(|known| Arc::ptr_eq(known, &open));
    let place = known.unwrap_or_else(|| {
        rewards.push(open);
        rewards.len() - 1
    });
    Ok(Wanted {
        name: name.to_owned(),
        component,
        place,
        relative,
    })
}

fn question(app: &App, request: Requested) -> Question {
    let mut question = Question::default();
    let last = request.history.len() - 1;
    let mut words = Vec::new();
    for (number, turn) in request.history.into_iter().enumerate() {
        if turn.video_b64.is_some() || turn.video_path.is_some() {
            question.fault = Some(Fault::new(FaultKind::Schema, PICTURES_ONLY));
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
    for wanted in wanted {
        let name = wanted.name.clone();
        let Some(scored) = worth.scored.get(wanted.place) else {
            continue;
        };
        let result = match &wanted.component {
            None => whole(&name, scored),
            Some(component) => part(wanted, component, scored),
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
fn part(wanted: &Wanted, component: &str, scored: &Scored) -> Result<Map<String, Value>, String> {
    // A value that is compared within a group is none without its group.
    let known = scored.reward.is_some() || !wanted.relative;
    if let Some(part) = scored.parts.get(component).filter(|_| known) {
        let value = json!(part.value);
        return Ok(Map::from_iter([(wanted.name.clone(), value)]));
    }
    if scored.not_applicable.iter().any(|other| other == component) {
        let why = format!("the component `{component}` does not apply to this prompt");
        return Err(Fault::new(FaultKind::Metadata, why).to_string());
    }
    if let Some(fault) = scored.errors.get(component) {
        return Err(fault.to_string());
    }
    if scored.errors.is_empty() {
        let why = "the output failed, so its components have no values";
        return Err(Fault::new(FaultKind::Picture, why).to_string());
    }
    Err(reasons(scored))
}

/// `KIND: MESSAGE` of each fault.
fn reasons(scored: &Scored) -> String {
    let faults: Vec<String> = scored.errors.values().map(Fault::to_string).collect();
    faults.join("; ")
}
