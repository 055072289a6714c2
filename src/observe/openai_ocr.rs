//! `openai-ocr`: the text in a picture, read by a model on any server with the API of OpenAI.

use super::pictures::output_picture;
use super::qwen::{LONGEST, PROMPT};
use super::{BuildError, Described, Means, ObserveError, Observer, Subject, reply};
use crate::cancel::Cancel;
use crate::config::Settings;
use crate::http::display_url;
use crate::record::evidence::{Server, written};
use crate::record::model_name::another_model_note;
use crate::record::{Object, ended_by_limit};
use crate::remote::{ChatReply, Client, Endpoint, RemoteError, data_url};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Mutex;

/// Settings of the observer `openai-ocr`. The key itself is never a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiOcrSettings {
    /// Name of the model on the server. Tables show it. There is no default.
    pub model: String,
    /// Address that usually ends in `/v1`.
    pub base_url: String,
    /// Name of the environment variable with the key. The variable is unset for servers without keys.
    pub api_key_env: String,
    /// Longest time for one answer, in seconds.
    pub timeout_seconds: f64,
    /// The largest number of attempts for one request, if the server is busy or the connection breaks.
    pub max_attempts: u32,
    /// Limit of requests per minute to this server, for all workers of this program together (default: no
    /// limit).
    pub requests_per_minute: Option<f64>,
    /// What is asked, instead of the observer's own wording.
    pub prompt: Option<String>,
    /// Longest answer, in tokens.
    pub max_tokens: usize,
    /// Name of the field for `max_tokens`. Reasoning models require `max_completion_tokens`.
    pub token_field: String,
    /// Sampling temperature (default: the server's).
    pub temperature: Option<f64>,
    /// `low`, `high` or `auto`: how closely the server looks at pictures (default: not sent).
    pub detail: Option<String>,
    /// Further fields of the request's body; they replace the fields above.
    pub extra: Object,
}

impl Default for OpenAiOcrSettings {
    fn default() -> Self {
        Self {
            model: String::new(),
            base_url: "https://api.openai.com/v1".into(),
            api_key_env: "OPENAI_API_KEY".into(),
            timeout_seconds: 120.0,
            max_attempts: 6,
            requests_per_minute: None,
            prompt: None,
            max_tokens: LONGEST,
            token_field: "max_tokens".into(),
            temperature: None,
            detail: None,
            extra: Object::new(),
        }
    }
}

/// The observer.
pub struct OpenAiOcr {
    settings: OpenAiOcrSettings,
    client: Client,
    /// Why no request can succeed any more.
    dead: Mutex<Option<String>>,
}

impl OpenAiOcr {
    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let image = output_picture(subject, Self::NAME)?;
        if let Some(why) = self.dead().clone() {
            return Err(ObserveError::new("server", why));
        }
        let (said, answer) = self.ask(image).map_err(|error| match error {
            RemoteError::Item { kind, message } => ObserveError::new(kind, message),
            RemoteError::Fatal { message, help } => {
                let why = format!("{message}; {help}");
                *self.dead() = Some(why.clone());
                ObserveError::new("server", why)
            }
            RemoteError::Cancelled => ObserveError::new("cancelled", "interrupted"),
        })?;
        let mut read = reply::reading(&self.settings.model, &said.text)?;
        read.truncated = Some(ended_by_limit(&said.finish_reason));
        read.server = Some(Server {
            model: answer["model"].clone(),
            usage: answer["usage"].clone(),
        });
        read.reasoning = said.reasoning;
        let note = another_model_note(&self.settings.model, said.model.as_deref());
        read.notes.extend(note);
        Ok(written(&read)?)
    }

    fn dead(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.dead.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    fn prompt(&self) -> &str {
        self.settings.prompt.as_deref().unwrap_or(PROMPT)
    }

    fn ask(&self, image: &RgbImage) -> Result<(ChatReply, Value), RemoteError> {
        let settings = &self.settings;
        let png = crate::image::encode_png(image)
            .map_err(|error| RemoteError::item("image", error.to_string()))?;
        let mut picture = json!({"url": data_url("image/png", &png)});
        if let Some(detail) = &settings.detail {
            picture["detail"] = json!(detail);
        }
        let content = json!([
            {"type": "image_url", "image_url": picture},
            {"type": "text", "text": self.prompt()},
        ]);
        let mut body = Object::new();
        body.insert("model".into(), json!(settings.model));
        body.insert(
            "messages".into(),
            json!([{"role": "user", "content": content}]),
        );
        body.insert(settings.token_field.clone(), json!(settings.max_tokens));
        if let Some(temperature) = settings.temperature {
            body.insert("temperature".into(), json!(temperature));
        }
        body.extend(settings.extra.clone());
        self.client.chat(body, &Cancel::default())
    }
}

impl Described for OpenAiOcr {
    type Settings = OpenAiOcrSettings;
    const NAME: &'static str = "openai-ocr";
    const ABOUT: &'static str =
        "the text in a picture, read by a model on a server with the API of OpenAI";
    const PLACES: &'static [&'static str] = &[
        "api_key_env",
        "base_url",
        "max_attempts",
        "model",
        "requests_per_minute",
        "timeout_seconds",
    ];

    fn engine(settings: &Settings) -> Result<Option<String>, BuildError> {
        Ok(Some(settings.read::<OpenAiOcrSettings>()?.model))
    }

    /// Checks the settings and reads the key from the environment. Sends nothing yet.
    fn open(settings: OpenAiOcrSettings, _: &Means<'_>) -> Result<Self, BuildError> {
        let client = Client::new(&Endpoint {
            owner: "the observer openai-ocr",
            model: &settings.model,
            base_url: &settings.base_url,
            api_key_env: &settings.api_key_env,
            timeout_seconds: settings.timeout_seconds,
            max_attempts: settings.max_attempts,
            requests_per_minute: settings.requests_per_minute,
        })?;
        Ok(Self {
            settings,
            client,
            dead: Mutex::new(None),
        })
    }
}

impl Observer for OpenAiOcr {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        let settings = &self.settings;
        json!({
            "observer": Self::NAME,
            "model": settings.model,
            "server": display_url(&settings.base_url),
            "prompt": self.prompt(),
            "max_tokens": settings.max_tokens,
            "temperature": settings.temperature,
            "detail": settings.detail,
            "extra": settings.extra,
        })
    }

    fn worked_before(&self) {
        self.client.answered_before("/chat/completions");
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects.iter().map(|subject| self.look(subject)).collect()
    }
}
