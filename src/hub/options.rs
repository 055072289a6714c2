//! The options of a hub, and who receives its progress.

use super::environment::Environment;
use crate::cancel::Cancel;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Receives the progress of downloads. All amounts are in bytes.
pub trait Progress: Send + Sync {
    /// A download begins. `_total` is its size, if known.
    fn begin(&self, _id: &str, _total: Option<u64>) {}

    /// A download has reached `done`, which counts from the beginning of the file.
    fn advance(&self, _id: &str, _done: u64) {}

    /// A remark: a download continues at a byte, tries again, or waits for another process, or no checksum is
    /// pinned.
    fn note(&self, _id: &str, _message: &str) {}

    /// A download ended.
    fn end(&self, _id: &str) {}
}

/// Ignores all progress.
pub struct Silent;

impl Progress for Silent {}

/// How patient the hub is with servers.
#[derive(Debug, Clone)]
pub struct Network {
    /// Number of attempts in a row without a new byte before a download is given up.
    pub attempts: u32,
    /// Pause after the first failure. It doubles with each further failure.
    pub first_wait: Duration,
    /// Longest time without data from a server.
    pub idle_timeout: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

/// The options of a hub.
#[derive(Clone)]
pub struct HubOptions {
    /// The cache folder, instead of the one that the environment gives.
    pub cache: Option<PathBuf>,
    /// Never use the network.
    pub offline: bool,
    /// The flag that ends downloads.
    pub cancel: Cancel,
    /// Receives the progress of downloads.
    pub progress: Arc<dyn Progress>,
    /// The environment variables.
    pub environment: Environment,
    /// How patient the hub is with servers.
    pub network: Network,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            cache: None,
            offline: false,
            cancel: Cancel::default(),
            progress: Arc::new(Silent),
            environment: Environment::of_process(),
            network: Network::default(),
        }
    }
}
