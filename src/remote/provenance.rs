//! What a server says about an answer: who served it, when, and under which identifiers.

use crate::record::Object;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The headers that are kept if a server sends them.
const HEADERS: [&str; 8] = [
    "x-request-id",
    "openai-version",
    "openai-processing-ms",
    "azureml-model-session",
    "x-ms-region",
    "deprecation",
    "sunset",
    "warning",
];

/// The fields in which gateways name their provider.
const PROVIDER: [&str; 3] = ["provider", "openrouter_metadata", "openrouterMetadata"];

/// The facts about one answer, word for word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// `system_fingerprint`.
    pub fingerprint: Option<String>,
    /// `service_tier`.
    pub service_tier: Option<String>,
    /// `id`.
    pub id: Option<String>,
    /// Seconds since 1970, by the clock of the server.
    pub created: Option<i64>,
    /// The header `Date`.
    pub server_date: Option<String>,
    /// Further headers, with their names in lower case.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub headers: Object,
    /// The fields of a gateway that name a provider, under their own names.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider: Object,
}

impl Provenance {
    /// Reads the JSON of an answer and its headers. `hide` removes what must not be kept.
    pub fn read(answer: &Value, headers: &HeaderMap, hide: impl Fn(&str) -> String) -> Self {
        let text = |key: &str| answer[key].as_str().map(&hide);
        let header = |name: &str| {
            let value = headers.get(name)?.as_bytes();
            Some(hide(&String::from_utf8_lossy(value)))
        };
        let kept = HEADERS.iter().filter_map(|name| {
            let value = header(name)?;
            Some(((*name).to_owned(), value.into()))
        });
        let provider = PROVIDER.iter().filter_map(|key| {
            let value = answer.get(key).filter(|value| !value.is_null())?;
            Some(((*key).to_owned(), hide_texts(value, &hide)))
        });
        Self {
            fingerprint: text("system_fingerprint"),
            service_tier: text("service_tier"),
            id: text("id"),
            created: answer["created"].as_i64(),
            server_date: header("date"),
            headers: kept.collect(),
            provider: provider.collect(),
        }
    }
}

/// A value in which all texts were passed through `hide`.
pub(super) fn hide_texts(value: &Value, hide: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => hide(text).into(),
        Value::Array(list) => list.iter().map(|value| hide_texts(value, hide)).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (hide(key), hide_texts(value, hide)))
            .collect(),
        plain => plain.clone(),
    }
}
