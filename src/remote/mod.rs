//! Servers with the API of OpenAI: addresses, keys, errors and answers, a blocking client, and an
//! asynchronous client for chats.
//!
//! The generator `openai` and the observers `judge` and `openai-ocr` share this room. They decide what is
//! asked.

mod address;
mod advice;
mod answer;
mod chat;
mod client;
mod codes;
mod data_url;
mod fault;
mod framing;
mod joined;
mod key;
mod ledger;
mod models;
mod order;
mod pace;
mod places;
mod provenance;
mod reply;
mod said;
mod settings;

pub use address::Address;
pub use chat::{Chat, ChatError, Completion};
pub use client::{Body, Client, Part};
pub use data_url::{data_url, mime};
pub use fault::{Fault, Heard, snippet};
pub use key::Key;
pub use ledger::{Ledger, Prices};
pub use models::Listed;
pub use order::ImageOrder;
pub use provenance::Provenance;
pub use reply::{ChatReply, Usage, model, read_chat, read_reply};
pub use settings::{Answering, ChatSettings};

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
    fn wrong(&self, key: &str, what: &str) -> RemoteError {
        RemoteError::fatal(
            format!("settings of {}: `{key}` {what}", self.owner),
            "see docs/reference/generators.md and docs/reference/observers.md",
        )
    }
}

/// Why a request failed.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
pub enum RemoteError {
    /// This request fails, but others may succeed. `kind` is a short fixed word for the record.
    #[error("{message}")]
    Item {
        /// A short fixed word for the record.
        kind: &'static str,
        /// What happened, in words.
        message: String,
    },
    /// No further request can succeed: the server refuses the key, or cannot be reached.
    #[error("{message}")]
    Fatal {
        /// What happened, in words.
        message: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// Ctrl-C was pressed while waiting.
    #[error("interrupted")]
    Cancelled,
}

impl RemoteError {
    /// An error of one request.
    pub fn item(kind: &'static str, message: impl Into<String>) -> Self {
        Self::Item {
            kind,
            message: message.into(),
        }
    }

    /// An error of all requests.
    pub fn fatal(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Fatal {
            message: message.into(),
            help: help.into(),
        }
    }
}
