//! Manners of an HTTP client, which the hub and the client of model servers share: waiting, trying again, and what of an
//! address may be shown.

mod retry;
mod shown;
mod wait;

pub use retry::{backoff, retry_after};
pub use shown::{display_url, explain};
pub use wait::{interruptible, sleep, unless};
