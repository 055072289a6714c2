//! What the threads of the engine share: counts, the first error, and the flag that stops them.

use super::outcome::Outcome;
use crate::run::error::RunError;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What the threads share.
#[derive(Default)]
pub(super) struct Shared {
    stopped: AtomicBool,
    error: Mutex<Option<RunError>>,
    /// Outputs that were made.
    pub outputs: Counter,
    /// Looks of one observer at one output each.
    pub observations: Counter,
}

/// How often something went well, and how often it failed.
#[derive(Default)]
pub(super) struct Counter {
    good: AtomicUsize,
    failed: AtomicUsize,
}

impl Counter {
    /// Counts one more.
    pub(super) fn add(&self, failed: bool) {
        let counter = if failed { &self.failed } else { &self.good };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// Keeps the first error and stops the flow.
    pub(super) fn fail(&self, error: RunError) {
        self.stop();
        if let Ok(mut first) = self.error.lock() {
            first.get_or_insert(error);
        }
    }

    /// Stops the flow.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Whether the flow was stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// The counts, when nothing failed.
    ///
    /// # Errors
    /// Fails with the first error that a thread met.
    pub(super) fn into_outcome(
        self,
        done_before: usize,
        interrupted: bool,
    ) -> Result<Outcome, RunError> {
        if let Some(error) = self.error.into_inner().ok().flatten() {
            return Err(error);
        }
        Ok(Outcome {
            done_before,
            generated: self.outputs.good.into_inner(),
            generate_failed: self.outputs.failed.into_inner(),
            observed: self.observations.good.into_inner(),
            observe_failed: self.observations.failed.into_inner(),
            interrupted,
        })
    }
}
