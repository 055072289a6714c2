//! Servers with the API of OpenAI: addresses, keys, errors and answers, and one asynchronous client for chats.
//!
//! The generator `openai` and the observer `judge` share this room.

mod address;
mod chat;
mod data_url;
mod fault;
mod key;
mod ledger;
mod order;
mod pace;
mod reply;
mod settings;
mod wait;

pub use address::Address;
pub use chat::{Chat, ChatError, Completion};
pub use data_url::{data_url, mime};
pub use fault::{Fault, Heard, snippet};
pub use key::Key;
pub use ledger::{Ledger, Prices};
pub use order::ImageOrder;
pub use reply::{ChatReply, Usage, read_chat};
pub use settings::ChatSettings;
