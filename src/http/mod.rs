//! The parts of HTTP that the asset hub and the clients of model servers share: how a client begins, waiting,
//! retries, and the part of an address that may be shown.

pub(crate) mod client;
mod retry;
mod shown;
mod wait;

pub(crate) use retry::{MAX_WAIT, backoff, retry_after};
pub(crate) use shown::{display_url, explain};
pub(crate) use wait::{interruptible, sleep, unless};
