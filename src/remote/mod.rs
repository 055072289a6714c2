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
mod endpoint;
mod error;
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
mod snippet;
mod streaming;

pub use address::Address;
pub use chat::{Chat, ChatError, Completion};
pub use client::{Body, Client, Part};
pub use data_url::{data_url, mime};
pub use endpoint::Endpoint;
pub use error::RemoteError;
pub use fault::{Fault, Heard};
pub use key::Key;
pub use ledger::{Ledger, Prices};
pub use models::Listed;
pub use order::ImageOrder;
pub use provenance::Provenance;
pub use reply::{ChatReply, Usage, model, read_chat, read_reply};
pub use settings::{Answering, ChatSettings};
pub use snippet::snippet;
