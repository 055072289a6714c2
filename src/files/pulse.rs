//! Signs of life: a thread that does something again and again until it is stopped.

use super::lock::BEAT;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;

/// What is done at each beat.
pub(super) trait Beating: Send + 'static {
    /// Gives a sign of life. False if another process has taken the place.
    fn beat(&mut self) -> bool;
}

/// A thread that gives signs of life until this is dropped.
#[derive(Debug)]
pub(super) struct Pulse {
    lost: Arc<AtomicBool>,
    /// Dropping it ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    /// Begins with the first beat after [`BEAT`].
    pub(super) fn start(mut beating: impl Beating) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = channel::<()>();
        let found = lost.clone();
        let thread = std::thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(BEAT) {
                if !beating.beat() {
                    found.store(true, Ordering::SeqCst);
                    return;
                }
            }
        });
        Self {
            lost,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Whether another process has taken the place.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The next holder must not find words that are written after its own.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
