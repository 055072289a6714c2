//! What a server says about a model before it is asked anything: `/models` and `/models/{id}`.

use super::chat::{Chat, ChatError};
use super::provenance::hide_texts;
use crate::cancel::Cancel;
use serde_json::Value;

/// A model as a server lists it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    /// Whether the server lists the model. `None` if the server lists nothing.
    pub listed: Option<bool>,
    /// The entry of the server for the model, word for word.
    pub entry: Option<Value>,
}

impl Chat {
    /// Looks up a model. If the list does not say until when the model answers, the page of the model is read
    /// too.
    ///
    /// # Errors
    /// Fails if the server cannot be reached or does not accept the key.
    pub async fn look_up_model(&self, model: &str, cancel: &Cancel) -> Result<Listed, ChatError> {
        let list = self.look_up("/models", cancel).await?.unwrap_or_default();
        let Some(models) = list["data"].as_array() else {
            return Ok(Listed::default());
        };
        let mut entry = models.iter().find(|entry| entry["id"] == model).cloned();
        let listed = Some(entry.is_some());
        let tells = |entry: &Value| entry.get("shutdown_date").is_some();
        if !entry.as_ref().is_some_and(tells) {
            let path = format!("/models/{}", escaped_path(model));
            // This page is optional, so its absence means nothing.
            let own = self.look_up(&path, cancel).await.ok().flatten();
            let better = |own: &Value| own["id"].is_string() && (entry.is_none() || tells(own));
            entry = own.filter(better).or(entry);
        }
        Ok(Listed {
            listed,
            entry: entry.map(|entry| hide_texts(&entry, &|text: &str| self.hide(text))),
        })
    }
}

/// A name as part of a path. Its slashes stay.
fn escaped_path(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
    let one = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    name.trim_start_matches('/').bytes().map(one).collect()
}
