//! Work that keeps a core busy, off the threads that serve connections.

use super::refusal::Refusal;
use crate::guard::caught;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Bytes of work that a connection's own thread does: handing it over would cost more.
const LIGHT: u64 = 64 << 10;

/// As many threads at a time as there are cores beside one.
#[derive(Debug)]
pub(super) struct Pool(Arc<Semaphore>);

impl Pool {
    /// A pool for this machine.
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(Self::threads())))
    }

    /// Threads that work at a time.
    pub(super) fn threads() -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        cores.saturating_sub(1).max(1)
    }

    /// Runs work that touches so many bytes, when its turn comes.
    ///
    /// # Errors
    /// Refuses if the turn does not come before the deadline, or the work panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        bytes: u64,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        if bytes <= LIGHT {
            return here(work);
        }
        let turn = timeout_at(deadline, self.0.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| Refusal::overload())?;
        let turn = turn.map_err(|_| Refusal::internal())?;
        // The turn lasts as long as the work does, also where the client goes away before.
        let done = tokio::task::spawn_blocking(move || {
            let result = here(work);
            drop(turn);
            result
        });
        done.await.map_err(|_| Refusal::internal())?
    }

    /// Runs work that must not wait behind other requests, since it ends a request.
    ///
    /// # Errors
    /// Refuses if the work panics.
    pub(super) async fn run_at_once<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let done = tokio::task::spawn_blocking(move || here(work));
        done.await.map_err(|_| Refusal::internal())?
    }
}

/// Runs work on this thread.
///
/// # Errors
/// Refuses if the work panics; what it said is logged.
pub(super) fn here<T>(work: impl FnOnce() -> T) -> Result<T, Refusal> {
    caught(work).map_err(|said| {
        let said = said.unwrap_or_else(|| "no reason given".into());
        tracing::error!("a request stopped the server's work: {said}");
        Refusal::internal()
    })
}
