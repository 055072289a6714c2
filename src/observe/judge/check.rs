//! The check before anything is generated: does the judge answer, and does it see?

use super::ask::Judge;
use super::ask::Question;
use super::flow::Flow;
use super::picture::Picture;
use super::set::Shown;
use super::{ObserveError, ask, disk};
use crate::image::encode_png;
use crate::observe::Halt;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::path::Path;

/// Asks for a text and about two colours; what came is written to `check.json`.
///
/// # Errors
/// When the judge does not answer. Of one that answers and does not tell the colours, the user is warned.
pub async fn check(flow: &Flow, own: &Path) -> Result<(), ObserveError> {
    let Judge::Server { chat, .. } = &flow.judge else {
        return Ok(());
    };
    let models = chat.models(&flow.cancel).await.map_err(ask::told)?;
    let name = flow.judge.name();
    let listed = models.map(|models| models.iter().any(|model| model == name));
    if listed == Some(false) {
        tracing::warn!("{} does not list the model {name}", chat.server());
    }
    let text = asked(flow, "Answer with the one word: ready.", &[]).await?;
    let seen = match flow.prompts.set.shows(Shown::Source) || flow.prompts.set.shows(Shown::Output)
    {
        true => Some(two_colours(flow).await?),
        false => None,
    };
    if seen
        .as_ref()
        .is_some_and(|seen| seen["told_apart"] == false)
    {
        tracing::warn!(
            "the judge {name} does not tell a red picture from a blue one: does it see pictures at all?"
        );
    }
    let found = json!({
        "server": chat.server(),
        "model": name,
        "listed": listed,
        "text": text,
        "pictures": seen,
    });
    let path = own.join("check.json");
    let text = serde_json::to_string_pretty(&found).unwrap_or_default();
    std::fs::write(&path, text + "\n").map_err(|error| disk(format!("{}: {error}", path.display())))
}

async fn two_colours(flow: &Flow) -> Result<Value, ObserveError> {
    let mut pictures = Vec::new();
    for colour in [[20, 40, 220], [220, 30, 20]] {
        let bytes = encode_png(&RgbImage::from_pixel(64, 64, Rgb(colour)));
        pictures.push(Picture::File {
            bytes: bytes.map_err(|error| ObserveError::new("image", error.to_string()))?,
            mime: "image/png".into(),
        });
    }
    let question =
        "Which of these two pictures is red: the first or the second? Answer with one word.";
    let reply = asked(flow, question, &pictures).await?;
    let words = reply.to_lowercase();
    let right = words.contains("second") && !words.contains("first");
    Ok(json!({"reply": reply, "told_apart": right}))
}

/// The reply to a question that belongs to no output.
async fn asked(flow: &Flow, text: &str, pictures: &[Picture]) -> Result<String, ObserveError> {
    let question = Question {
        max_tokens: None,
        system: None,
        text,
        pictures: pictures.iter().collect(),
    };
    match flow.answer(String::new(), "check", &question).await {
        Ok((reply, _)) => Ok(reply.reply.clone()),
        Err(error) if error.halt.is_some() => Err(error),
        Err(error) => Err(ObserveError::new(
            error.kind,
            format!("the judge does not answer: {error}"),
        )
        .halting(Halt::Environment {
            help: match pictures.is_empty() {
                true => "check the server and its settings under [observe.judge.server]",
                false => "does the model take pictures, and two in one message?",
            }
            .into(),
        })),
    }
}
