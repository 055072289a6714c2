//! Work that keeps a core busy, off the threads that serve connections.

use super::refusal::Refusal;
use std::sync::Arc;
use tokio::sync::Semaphore;

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

    /// Runs work that touches so many bytes.
    ///
    /// # Errors
    /// Refuses if the work panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        if bytes <= LIGHT {
            return crate::guard::caught(work).map_err(|_| Refusal::internal());
        }
        let turn = self.0.clone().acquire_owned().await;
        let turn = turn.map_err(|_| Refusal::internal())?;
        // The turn lasts as long as the work does, also where the client goes away before.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(|_| Refusal::internal())
    }
}
