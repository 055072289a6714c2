//! The settings of a chat server.

use super::address::Address;
use super::key::Key;
use super::ledger::Prices;
use crate::record::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// What happens if another model answers than the one requested, or if the answering model changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answering {
    /// The run ends if another model or date answers, and if the model changes. A name without the requested
    /// date, and a missing name, are marked.
    #[default]
    Stop,
    /// The run continues, and the summary and the tables say who answered.
    Mark,
    /// The run continues, and only the records say who answered.
    Ignore,
}

/// A server with the API of OpenAI: `POST {base_url}/chat/completions`. The key itself is never a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChatSettings {
    /// Name of the model on the server.
    pub model: String,
    /// What happens if another model answers than the one requested, or if the answering model changes within
    /// a run folder.
    pub answering: Answering,
    /// Further names under which the right model answers, such as the model behind the name of a deployment.
    pub answers: Vec<String>,
    /// Address, with or without `/v1` and `/chat/completions`.
    pub base_url: String,
    /// Name of the environment variable with the key. The variable is unset for servers without keys.
    pub api_key_env: String,
    /// A file with the key, instead of the variable.
    pub api_key_file: Option<PathBuf>,
    /// Header that contains only the key, such as `api-key`, instead of `Authorization: Bearer`.
    pub key_header: Option<String>,
    /// Longest answer in tokens (default: the value of the prompt set, or else the server's).
    pub max_tokens: Option<u32>,
    /// Name of the field for the longest answer; reasoning models require `max_completion_tokens`.
    pub token_field: String,
    /// Sampling temperature (default: the value of the prompt set, or else the server's).
    pub temperature: Option<f64>,
    /// `low`, `high` or `auto`: how closely the server looks at pictures (default: not sent).
    pub detail: Option<String>,
    /// Further fields of the request; they replace the fields above.
    pub extra: Object,
    /// Number of requests at the same time.
    pub concurrency: usize,
    /// Limit of requests per minute (default: no limit).
    pub requests_per_minute: Option<f64>,
    /// Limit of tokens per minute (default: no limit).
    pub tokens_per_minute: Option<f64>,
    /// Estimated number of tokens of a picture, until the server has counted them.
    pub tokens_per_image: u64,
    /// Time limit in seconds for one attempt.
    pub timeout_seconds: f64,
    /// Time limit in seconds for all attempts of one request with their pauses.
    pub total_seconds: f64,
    /// Largest number of attempts for one request.
    pub max_attempts: u32,
    /// First pause after a failure, in seconds. It doubles with each further failure, up to a minute.
    pub first_wait_seconds: f64,
    /// Prices per million tokens, in any currency. No prices are built in.
    pub prices: Option<Prices>,
    /// What one run may cost, in the currency of `prices`. Calls of earlier executions of the same run count.
    /// What the other shards of the run had spent when this execution began counts too. A call whose answer
    /// was lost before it reached the disk is not counted.
    pub budget: Option<f64>,
}

impl Default for ChatSettings {
    fn default() -> Self {
        Self {
            model: String::new(),
            answering: Answering::default(),
            answers: Vec::new(),
            base_url: "https://api.openai.com/v1".into(),
            api_key_env: "OPENAI_API_KEY".into(),
            api_key_file: None,
            key_header: None,
            max_tokens: None,
            token_field: "max_tokens".into(),
            temperature: None,
            detail: None,
            extra: Object::new(),
            concurrency: 8,
            requests_per_minute: None,
            tokens_per_minute: None,
            tokens_per_image: 1000,
            timeout_seconds: 120.0,
            total_seconds: 600.0,
            max_attempts: 6,
            first_wait_seconds: 1.0,
            prices: None,
            budget: None,
        }
    }
}

impl ChatSettings {
    /// The fields of a request other than its messages. `set` contains the fields of the prompts.
    pub fn fields(&self, set: &Object) -> Object {
        let mut body = Object::new();
        body.insert("model".into(), self.model.clone().into());
        for (key, value) in set {
            let key = match key.as_str() {
                "max_tokens" => &self.token_field,
                _ => key,
            };
            body.insert(key.clone(), value.clone());
        }
        if let Some(limit) = self.max_tokens {
            body.insert(self.token_field.clone(), limit.into());
        }
        if let Some(temperature) = self.temperature {
            body.insert("temperature".into(), temperature.into());
        }
        body.extend(self.extra.clone());
        body
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// Names the setting that is wrong, and why.
    pub(super) fn checked(&self) -> Result<Checked, String> {
        let wrong = |key: &str, what: &str| format!("`{key}` {what}");
        if self.model.is_empty() {
            return Err(wrong("model", "is empty"));
        }
        let time = |key: &str, seconds: f64| {
            Duration::try_from_secs_f64(seconds)
                .map_err(|_| wrong(key, "is not a number of seconds"))
        };
        for (key, rate) in [
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
            ("budget", self.budget),
        ] {
            if rate.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) {
                return Err(wrong(key, "is not a positive number"));
            }
        }
        let prices = self.prices.iter();
        if prices
            .flat_map(|p| [p.input, p.cached_input.unwrap_or(0.0), p.output])
            .any(|price| !(price >= 0.0 && price.is_finite()))
        {
            return Err(wrong("prices", "contains a number that is not a price"));
        }
        if self.budget.is_some() && self.prices.is_none() {
            return Err(wrong(
                "budget",
                "needs `prices`: { input = …, output = … } per million tokens",
            ));
        }
        let timeout = time("timeout_seconds", self.timeout_seconds)?;
        if timeout.is_zero() || self.max_attempts == 0 || self.concurrency == 0 {
            return Err(
                "`timeout_seconds`, `max_attempts` and `concurrency` must be positive".into(),
            );
        }
        let key = match &self.api_key_file {
            Some(path) => Key::of_file(path).map_err(|what| wrong("api_key_file", &what))?,
            None => Key::of_variable(&self.api_key_env),
        };
        let key = key.in_header(self.key_header.as_deref());
        Ok(Checked {
            address: Address::parse(&self.base_url).map_err(|what| wrong("base_url", &what))?,
            headers: key.headers()?,
            key,
            timeout,
            total: time("total_seconds", self.total_seconds)?,
            first_wait: time("first_wait_seconds", self.first_wait_seconds)?,
        })
    }
}

/// The settings after the check, in the form in which they are used.
pub(super) struct Checked {
    /// The address.
    pub address: Address,
    /// The key.
    pub key: Key,
    pub headers: reqwest::header::HeaderMap,
    /// Time limit of one attempt.
    pub timeout: Duration,
    /// Time limit of all attempts.
    pub total: Duration,
    /// First pause after a failure.
    pub first_wait: Duration,
}
