//! The check before anything is generated: how long the judge stays available, whether it answers, and
//! whether it sees pictures.

use super::ask::{Judge, Question, observe_error};
use super::definition::Shown;
use super::flow::Flow;
use super::folder::{NAME, disk_error};
use super::lifetime::{Lifetime, today};
use super::picture::Picture;
use super::replies::Reply;
use crate::image::encode_png;
use crate::observe::{Halt, ObserveError};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// The file's name in the judge's folder.
const FILE: &str = "check.json";

/// Asks for a text, and about two colours. The result is written to `check.json`.
///
/// # Errors
/// Fails if the judge does not answer, or if a model answers that the settings do not allow. A judge that
/// answers but does not distinguish the colours is only warned about.
pub(super) async fn check(flow: &Flow, own: &Path) -> Result<(), ObserveError> {
    let Judge::Server { chat, .. } = &flow.judge else {
        return Ok(());
    };
    let name = flow.judge.name();
    let listed = chat
        .look_up_model(name, &flow.cancel)
        .await
        .map_err(observe_error)?;
    if listed.listed == Some(false) {
        tracing::warn!("{} does not list the model {name}", chat.server());
    }
    let lifetime = Lifetime::read(listed.entry.as_ref(), today());
    let notes: Vec<String> = lifetime.note(name).into_iter().collect();
    for note in &notes {
        tracing::warn!("{note}");
    }
    let text = ask_judge(flow, "Answer with the one word: ready.", &[]).await?;
    let set = &flow.prompts.set;
    let seen = if set.shows(Shown::Source) || set.shows(Shown::Output) {
        Some(two_colours(flow).await?)
    } else {
        None
    };
    if seen
        .as_ref()
        .is_some_and(|seen| seen["told_apart"] == false)
    {
        tracing::warn!(
            "the judge {name} cannot distinguish a red picture from a blue one: does it see pictures at all?"
        );
    }
    let entry = listed.entry.unwrap_or_default();
    let found = json!({
        "server": chat.server(),
        "model": name,
        "listed": listed.listed,
        "models_entry": entry,
        "shutdown_date": entry["shutdown_date"],
        "days_left": lifetime.days(),
        "answered": text.model,
        "class": flow.watch.class(&text),
        "fingerprint": text.about.fingerprint,
        "server_date": text.about.server_date,
        "headers": text.about.headers,
        "text": text.reply,
        "pictures": seen,
        "notes": notes,
    });
    let path = own.join(FILE);
    crate::files::write_json(&path, &found).map_err(|error| disk_error(error.to_string()))
}

/// The findings of the checks that a reader of the run's numbers must know. `root` is the run folder.
pub(super) fn notes(root: &Path) -> Vec<String> {
    let folders = std::fs::read_dir(root).into_iter().flatten().flatten();
    let of_judges = folders.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        // Each shard has a folder of its own.
        name.is_some_and(|name| name == NAME || name.starts_with(&format!("{NAME}.")))
    });
    let mut folders: Vec<_> = of_judges.collect();
    folders.sort();
    let mut notes: Vec<String> = Vec::new();
    for folder in folders {
        let text = std::fs::read(folder.join(FILE)).unwrap_or_default();
        let found: Value = serde_json::from_slice(&text).unwrap_or_default();
        for note in found["notes"].as_array().into_iter().flatten() {
            if let Some(note) = note
                .as_str()
                .filter(|note| !notes.iter().any(|n| n == note))
            {
                notes.push(note.to_owned());
            }
        }
    }
    notes
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
    let reply = &ask_judge(flow, question, &pictures).await?.reply;
    let words = reply.to_lowercase();
    let right = words.contains("second") && !words.contains("first");
    Ok(json!({"reply": reply, "told_apart": right}))
}

/// The reply to a question that belongs to no output.
async fn ask_judge(
    flow: &Flow,
    text: &str,
    pictures: &[Picture],
) -> Result<Arc<Reply>, ObserveError> {
    let question = Question {
        max_tokens: None,
        system: None,
        text,
        pictures: pictures.iter().collect(),
    };
    match flow.answer(String::new(), "check", &question).await {
        Ok((reply, _)) => Ok(reply),
        Err(error) if error.halt.is_some() => Err(error),
        Err(error) => Err(ObserveError::new(
            error.kind,
            format!("the judge does not answer: {error}"),
        )
        .halting(Halt::Environment {
            help: if pictures.is_empty() {
                "check the server and its settings under [observe.judge.server]"
            } else {
                "check that the model accepts pictures, and two in one message"
            }
            .into(),
        })),
    }
}
