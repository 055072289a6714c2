//! What the asset hub and the client of model servers share of HTTP: waiting, retries, and the part of an
//! address that may be shown.

mod retry;
mod shown;
mod wait;

pub use retry::{backoff, retry_after};
pub use shown::{display_url, explain};
pub use wait::{interruptible, sleep, unless};
