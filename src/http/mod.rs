//! What the asset hub and the client of model servers share of HTTP: how a client begins, waiting,
//! retries, and the part of an address that may be shown.

pub(crate) mod client;
mod retry;
mod shown;
mod wait;

pub(crate) use retry::{backoff, retry_after};
pub(crate) use shown::{display_url, explain};
pub(crate) use wait::{interruptible, sleep, unless};
