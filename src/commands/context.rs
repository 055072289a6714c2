//! What every command has at hand: global options, the asset hub, the interrupt flag.

use super::cli::Global;
use super::failure::Failure;
use super::progress::AssetProgress;
use crate::cancel::Cancel;
use crate::hub::{Hub, HubOptions};
use std::sync::{Arc, OnceLock};

/// Shared by all commands.
pub struct Context {
    pub json: bool,
    pub quiet: bool,
    pub cancel: Cancel,
    offline: bool,
    cache: Option<std::path::PathBuf>,
    hub: OnceLock<Arc<Hub>>,
}

impl Context {
    pub fn new(global: &Global) -> Self {
        Self {
            json: global.json,
            quiet: global.quiet,
            offline: global.offline,
            cache: global.cache.clone(),
            cancel: Cancel::default(),
            hub: OnceLock::new(),
        }
    }

    /// Lets Ctrl-C and the signals of schedulers raise the flag.
    pub fn catch_interrupts(&self) {
        super::interrupt::catch(&self.cancel);
    }

    /// Whether the network may not be used.
    pub fn offline(&self) -> bool {
        self.offline
    }

    /// The asset hub.
    ///
    /// # Errors
    /// When a table of assets cannot be read.
    pub fn hub(&self) -> Result<Arc<Hub>, Failure> {
        if let Some(hub) = self.hub.get() {
            return Ok(hub.clone());
        }
        let hub = Hub::new(HubOptions {
            cache: self.cache.clone(),
            offline: self.offline,
            cancel: self.cancel.clone(),
            progress: Arc::new(AssetProgress::new(self.quiet)),
            ..HubOptions::default()
        })?;
        Ok(self.hub.get_or_init(|| Arc::new(hub)).clone())
    }
}
