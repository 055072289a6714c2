//! What every command has at hand: global options, the asset hub, the interrupt flag.

use super::cli::Global;
use super::failure::Failure;
use super::progress::{self, AssetProgress};
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

    /// Lets Ctrl-C raise the flag; a second one ends the program at once.
    pub fn catch_interrupts(&self) {
        let cancel = self.cancel.clone();
        // Fails only when a handler is set already; then that one works.
        let _ = ctrlc::set_handler(move || {
            if cancel.is_raised() {
                std::process::exit(i32::from(crate::exit::Exit::Interrupted as u8));
            }
            cancel.raise();
            progress::say(
                "interrupted: finishing the outputs in hand (press Ctrl-C again to stop at once)",
            );
        });
    }

    /// Whether the network may not be used.
    pub fn offline(&self) -> bool {
        self.offline
    }

    /// The asset hub.
    ///
    /// # Errors
    /// When no folder for the cache can be found.
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
