//! The settings of the `openai` generator.

use crate::record::Object;
use crate::remote::ImageOrder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the `openai` generator. The key itself is never a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAiSettings {
    /// The name of the model on the server.
    pub model: String,
    /// The address of the API, which usually ends in `/v1` (default `https://api.openai.com/v1`).
    #[serde(default = "openai")]
    pub base_url: String,
    /// Name of the environment variable with the key (default `OPENAI_API_KEY`). For a server without keys,
    /// the variable need not be set.
    #[serde(default = "key_variable")]
    pub api_key_env: String,
    /// Longest time for one answer, in seconds (default 120; large local models need more).
    #[serde(default = "two_minutes")]
    pub timeout_seconds: f64,
    /// How often one request is sent at most if the server is busy or the connection breaks (default 6).
    #[serde(default = "six")]
    pub max_attempts: u32,
    /// Largest number of requests per minute to this server, over all workers of this program (default: no
    /// limit).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<f64>,
    /// Size of a picture, such as `1024x1024` (default: the server's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Size of an edited picture, such as `auto`, which many servers take for the size of the input image
    /// (default: that of `size`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_size: Option<String>,
    /// Quality of a picture, such as `high` (default: the server's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// Longest text answer, in tokens (default: the server's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Name of the field for `max_tokens` (default `max_tokens`; reasoning models require
    /// `max_completion_tokens`).
    #[serde(default = "max_tokens")]
    pub token_field: String,
    /// Sampling temperature of a text answer (default: the server's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Whether the seed of each output is sent, modulo 2^31 (default false, since some servers refuse the
    /// field).
    #[serde(default)]
    pub send_seed: bool,
    /// System message of a chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// `low`, `high` or `auto`: how closely the server looks at input images (default: not sent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Order of text and images in a chat message (default `text-first`).
    #[serde(default)]
    pub image_order: ImageOrder,
    /// Further fields of the request's body. They replace the fields above.
    #[serde(default)]
    pub extra: Object,
}

fn openai() -> String {
    "https://api.openai.com/v1".to_owned()
}

fn key_variable() -> String {
    "OPENAI_API_KEY".to_owned()
}

fn two_minutes() -> f64 {
    120.0
}

fn six() -> u32 {
    6
}

fn max_tokens() -> String {
    "max_tokens".to_owned()
}
