//! A server for the blocking client.

use super::error::RemoteError;

/// A server, and how to ask it, as some settings say.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a> {
    /// The owner of these settings, for messages.
    pub owner: &'a str,
    /// The name of the model on the server.
    pub model: &'a str,
    /// The address, which usually ends in `/v1`.
    pub base_url: &'a str,
    /// Name of the environment variable with the key. The variable is unset for servers without keys.
    pub api_key_env: &'a str,
    /// Longest time for one answer.
    pub timeout_seconds: f64,
    /// Largest number of attempts for one request.
    pub max_attempts: u32,
    /// Limit for all workers of this program together. `None` sets no limit.
    pub requests_per_minute: Option<f64>,
}

impl Endpoint<'_> {
    /// The error of a setting with a wrong value.
    pub(super) fn wrong(&self, key: &str, what: &str) -> RemoteError {
        RemoteError::fatal(
            format!("settings of {}: `{key}` {what}", self.owner),
            "see docs/reference/generators.md and docs/reference/observers.md",
        )
    }
}
