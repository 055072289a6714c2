//! How a hub works, and who hears of it.

use super::environment::Environment;
use crate::cancel::Cancel;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Hears how downloads go. All amounts are bytes.
pub trait Progress: Send + Sync {
    /// A download begins; `total` is absent when the size is not known.
    fn begin(&self, _id: &str, _total: Option<u64>) {}

    /// A download goes on; `done` counts from the beginning of the file.
    fn advance(&self, _id: &str, _done: u64) {}

    /// A remark about a download: going on at a byte, trying again, waiting for another process, no checksum
    /// pinned.
    fn note(&self, _id: &str, _message: &str) {}

    /// A download is over, well or not.
    fn end(&self, _id: &str) {}
}

/// Tells nobody.
pub struct Silent;

impl Progress for Silent {}

/// Patience with servers.
#[derive(Debug, Clone)]
pub struct Network {
    /// Attempts in a row that bring nothing before a download is given up.
    pub attempts: u32,
    /// Pause after the first failure; it doubles with each further one.
    pub first_wait: Duration,
    /// Longest silence of a server.
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

/// How a hub works.
#[derive(Clone)]
pub struct HubOptions {
    /// Instead of the folder that the environment gives.
    pub cache: Option<PathBuf>,
    /// Never use the network.
    pub offline: bool,
    /// The flag that ends downloads.
    pub cancel: Cancel,
    /// Hears how downloads go.
    pub progress: Arc<dyn Progress>,
    /// The variables that say where assets are and where they come from.
    pub environment: Environment,
    /// Patience with servers.
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
