//! What one execution of the first stages works with, and what all its threads need of it.

use super::shared::Shared;
use crate::cancel::Cancel;
use crate::generate::Generator;
use crate::guard::panic_text;
use crate::layout::Layout;
use crate::observe::Observer;
use crate::run::asked::Asked;
use crate::run::error::RunError;
use crate::run::event::{Event, Listener};
use crate::run::folder::RunFolder;
use crate::run::shard;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// Makes a generator for a worker.
pub type GeneratorFactory<'a> = dyn Fn() -> Result<Box<dyn Generator>, RunError> + Sync + 'a;

/// Who makes outputs, and everything that shapes them beside the item and the seed.
pub struct Making<'a> {
    /// Makes one generator for each worker.
    pub factory: &'a GeneratorFactory<'a>,
    /// Part of every output's fingerprint.
    pub identity: serde_json::Value,
    /// Generators that work at the same time.
    pub workers: usize,
}

/// One execution of the first stages.
pub struct Work<'a> {
    /// Where the run's files are.
    pub folder: &'a RunFolder,
    /// The outputs asked for.
    pub asked: Asked<'a>,
    /// Who makes them. `None` if the outputs that are there are only observed.
    pub making: Option<Making<'a>>,
    /// How the files of outputs are named.
    pub layout: Layout,
    /// Who looks at them.
    pub observers: &'a [Box<dyn Observer>],
    /// Threads that look at outputs.
    pub observe_workers: usize,
    /// The flag that ends the work before its end.
    pub cancel: &'a Cancel,
    /// Who hears of the progress.
    pub listener: &'a dyn Listener,
}

impl Work<'_> {
    /// Where an observer keeps files of its own.
    pub(super) fn observer_path(&self, observer: &dyn Observer) -> PathBuf {
        let name = shard::file_name(observer.name(), self.asked.shard, "");
        self.folder.root().join(name)
    }

    /// Whether the work ends before its end: it was cancelled, or a thread stopped the flow.
    pub(super) fn stopped(&self, shared: &Shared) -> bool {
        self.cancel.is_raised() || shared.is_stopped()
    }

    /// Tells the listener why an output or an observation failed.
    pub(super) fn tell_failure(&self, item: &str, repeat: u32, stage: &'static str, message: &str) {
        self.listener.on(Event::Failed {
            item: item.into(),
            repeat,
            stage,
            message: message.into(),
        });
    }
}

/// Runs foreign code so that a panic in it is a failure of one output.
pub(super) fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = panic_text(payload.as_ref());
        format!(
            "internal error: {}",
            text.unwrap_or_else(|| "unknown".into())
        )
    })
}
