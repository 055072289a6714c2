//! What the server's JSON holds: a text, a picture, or a refusal.

use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::{Answer, Generated};
use crate::generate::picture;
use crate::record::model_name::another_model_note;
use crate::record::{Object, add_note};
use crate::remote::{self, ChatReply, Client};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the answer of `/chat/completions` gives; `asked` is the model that was asked for. What the model
/// thought in a field of its own is kept and is not an answer.
pub(super) fn chat(asked: &str, said: ChatReply, mut reply: Value) -> Generated {
    let note = another_model_note(asked, said.model.as_deref());
    let mut extra = kept(&mut reply, &["model", "usage", "system_fingerprint"]);
    if !said.finish_reason.is_empty() {
        extra.insert("finish_reason".to_owned(), json!(said.finish_reason));
    }
    if let Some(reasoning) = said.reasoning {
        extra.insert("reasoning".to_owned(), json!(reasoning));
    }
    if let Some(note) = note {
        add_note(&mut extra, &note);
    }
    Generated {
        answer: Answer::Text(said.text),
        timings: BTreeMap::new(),
        extra,
    }
}

/// Reads the answer of `/images/…` to `asked`; a picture that is only named is fetched.
///
/// # Errors
/// Fails if there is no picture in it, or the picture cannot be fetched or read.
pub(super) fn image(
    asked: &str,
    mut reply: Value,
    client: &Client,
    cancel: &Cancel,
) -> Result<Generated, GenerateError> {
    let data = first(&mut reply, "/data/0");
    let url = data["url"].as_str().filter(|url| !url.is_empty());
    let encoded = data["b64_json"].as_str();
    // Some servers send both keys and leave one empty.
    let encoded = encoded.filter(|encoded| !encoded.is_empty() || url.is_none());
    let bytes = match (encoded, url) {
        (Some(encoded), _) => picture::from_base64(encoded),
        (None, Some(url)) if url.starts_with("data:") => picture::from_base64(url),
        (None, Some(url)) => Ok(client.get(url, cancel)?),
        (None, None) => {
            return Err(GenerateError::item(
                "protocol",
                "the server's answer has neither `data[0].b64_json` nor `data[0].url`",
            ));
        }
    };
    let wrong =
        |what: String| GenerateError::item("image", format!("the server's picture is {what}"));
    let answer = picture::answer(bytes.map_err(wrong)?).map_err(wrong)?;
    let note = another_model_note(asked, remote::model(&reply));
    let mut extra = kept(&mut reply, &["model", "usage", "size", "quality"]);
    if let Some(note) = note {
        add_note(&mut extra, &note);
    }
    if let Some(prompt) = data["revised_prompt"].as_str() {
        extra.insert("revised_prompt".to_owned(), json!(prompt));
    }
    Ok(Generated {
        answer,
        timings: BTreeMap::new(),
        extra,
    })
}

/// The value at that place, or null: a server may answer with any shape.
fn first(reply: &mut Value, pointer: &str) -> Value {
    reply
        .pointer_mut(pointer)
        .map(Value::take)
        .unwrap_or_default()
}

/// What the record keeps of the reply, under `server`, so that no key of ours is hidden.
fn kept(reply: &mut Value, keys: &[&str]) -> Object {
    let mut server = Object::new();
    for key in keys {
        if let Some(value) = reply.get_mut(*key).filter(|value| !value.is_null()) {
            server.insert((*key).to_owned(), value.take());
        }
    }
    let mut extra = Object::new();
    if !server.is_empty() {
        extra.insert("server".to_owned(), Value::Object(server));
    }
    extra
}
