//! Waits that an interruption ends.

use crate::cancel::Cancel;
use futures_util::future::{Either, select};
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

/// How often a waiting thread looks at the flag.
const SLICE: Duration = Duration::from_millis(50);

/// Sleeps in slices. Returns false if the flag was raised before the time was over.
pub(crate) fn sleep(time: Duration, cancel: &Cancel) -> bool {
    let end = Instant::now() + time;
    loop {
        if cancel.is_raised() {
            return false;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(SLICE));
    }
}

/// Runs blocking work on a thread of its own. Returns `None` as soon as the flag is raised.
pub(crate) fn interruptible<T: Send + 'static>(
    cancel: &Cancel,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    use std::sync::mpsc::RecvTimeoutError;
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || send.send(work()));
    loop {
        match receive.recv_timeout(SLICE) {
            Ok(value) => return Some(value),
            Err(RecvTimeoutError::Timeout) if !cancel.is_raised() => {}
            Err(_) => return None,
        }
    }
}

/// The value of the future, or `None` as soon as the flag is raised.
pub(crate) async fn unless<T>(cancel: &Cancel, future: impl Future<Output = T>) -> Option<T> {
    let raised = async {
        while !cancel.is_raised() {
            tokio::time::sleep(SLICE).await;
        }
    };
    match select(pin!(future), pin!(raised)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}
