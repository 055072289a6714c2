//! The content of the server's JSON: a text, a picture or a refusal.

use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::{Answer, Generated};
use crate::generate::picture;
use crate::record::model_name::another_model_note;
use crate::record::{Object, add_note};
use crate::remote::{self, ChatReply, Client};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The answer in a reply of `/chat/completions`. `asked` is the model in the request. Reasoning in a field of
/// its own is recorded, and is not part of the answer.
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

/// The picture in a reply of `/images/…`. `asked` is the model in the request. If the reply has only the
/// address of the picture, the picture is fetched.
///
/// # Errors
/// Fails if the reply has no picture, or if the picture cannot be fetched or read.
pub(super) fn image(
    asked: &str,
    mut reply: Value,
    client: &Client,
    cancel: &Cancel,
) -> Result<Generated, GenerateError> {
    let data = first(&mut reply, "/data/0");
    let url = data["url"].as_str().filter(|url| !url.is_empty());
    let encoded = data["b64_json"].as_str();
    // Some servers send both keys, one of which is empty.
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

/// The value at this place, or null, since a server may send JSON of any form.
fn first(reply: &mut Value, pointer: &str) -> Value {
    reply
        .pointer_mut(pointer)
        .map(Value::take)
        .unwrap_or_default()
}

/// The part of the reply that is recorded under `server`, so that it cannot replace keys of this program.
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
