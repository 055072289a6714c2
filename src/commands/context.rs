//! What every command uses: the global options, the session, and the flag of interrupts.

use super::cli::Global;
use super::failure::Failure;
use super::progress::{AssetProgress, RunLines};
use crate::cancel::Cancel;
use crate::hub::Hub;
use crate::run::RunError;
use crate::session::{Session, SessionOptions};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What all commands share.
pub(super) struct Context {
    /// Whether results are printed as JSON.
    pub json: bool,
    /// Whether no progress is printed.
    pub quiet: bool,
    /// The flag that ends work before its end.
    pub cancel: Cancel,
    /// The folder of the asset cache, if the command line names one and the environment does not.
    pub cache_option: Option<PathBuf>,
    /// The session, which does the work.
    pub session: Session,
}

impl Context {
    /// Reads the global options.
    pub(super) fn new(global: &Global) -> Self {
        let cancel = Cancel::default();
        Self {
            json: global.json,
            quiet: global.quiet,
            session: Session::new(SessionOptions {
                cache: global.cache.clone(),
                offline: global.offline,
                cancel: cancel.clone(),
                downloads: Arc::new(AssetProgress::new(global.quiet)),
                listener: Arc::new(RunLines::new(global.quiet)),
            }),
            cache_option: cache_option(global),
            cancel,
        }
    }

    /// Lets Ctrl-C and the signals of schedulers raise the flag.
    pub(super) fn catch_interrupts(&self) {
        self.catch_interrupts_within(super::interrupt::GRACE);
    }

    /// The same, with another time for the work in hand after a signal that ends the program.
    pub(super) fn catch_interrupts_within(&self, grace: Duration) {
        super::interrupt::catch(&self.cancel, grace);
    }

    /// Whether the network may not be used.
    pub(super) fn offline(&self) -> bool {
        self.session.is_offline()
    }

    /// The asset hub.
    ///
    /// # Errors
    /// Fails if a table of assets cannot be read.
    pub(super) fn hub(&self) -> Result<Arc<Hub>, Failure> {
        Ok(self.session.hub()?)
    }

    /// Prints a value as indented JSON on stdout.
    ///
    /// # Errors
    /// Fails if it has no JSON form.
    pub(super) fn print_json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| RunError::Invalid(error.to_string()))?;
        println!("{text}");
        Ok(())
    }
}

fn cache_option(global: &Global) -> Option<PathBuf> {
    let of_environment = std::env::var_os("UNIGAUGE_CACHE").map(PathBuf::from);
    let named = global.cache.clone();
    named.filter(|named| of_environment.as_ref() != Some(named))
}
