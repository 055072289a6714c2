//! The flag that ends work early. Ctrl-C raises it, and so do the signals of schedulers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a waiting thread looks at the flag.
const LOOK: Duration = Duration::from_millis(10);

/// The flag, shared by everything that waits: downloads, child processes, requests to servers, the engine.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    raised: AtomicBool,
    /// When the work in progress must stop. `None` sets no limit.
    end: Mutex<Option<Instant>>,
}

impl Cancel {
    /// Ends all work at once.
    pub fn raise(&self) {
        self.raise_within(Duration::ZERO);
    }

    /// Lets nothing new begin. The work in progress may finish, however long it takes.
    pub fn raise_gently(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
    }

    /// Lets nothing new begin. The work in progress has this much time. After several calls, the earliest end
    /// counts.
    pub fn raise_within(&self, grace: Duration) {
        let end = Instant::now() + grace;
        let mut known = self.0.end.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(known.map_or(end, |known| known.min(end)));
        drop(known);
        self.raise_gently();
    }

    /// Whether nothing new may begin.
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Whether the work in progress must stop too.
    pub fn is_over(&self) -> bool {
        let end = || *self.0.end.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_raised() && end().is_some_and(|end| Instant::now() >= end)
    }

    /// Whether the flag is raised, or will be before the time is over.
    pub fn is_raised_within(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while !self.is_raised() {
            if Instant::now() >= end {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_in_progress_has_the_time_of_the_earliest_end() {
        let cancel = Cancel::default();
        assert!(!cancel.is_raised() && !cancel.is_over());
        cancel.raise_gently();
        assert!(cancel.is_raised() && !cancel.is_over());
        cancel.raise_within(Duration::from_secs(3600));
        assert!(!cancel.is_over());
        cancel.raise();
        cancel.raise_within(Duration::from_secs(3600));
        assert!(cancel.is_over());
    }

    #[test]
    fn a_flag_that_is_raised_a_little_later_is_waited_for() {
        let cancel = Cancel::default();
        assert!(!cancel.is_raised_within(Duration::from_millis(20)));
        let other = cancel.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            other.raise_gently();
        });
        assert!(cancel.is_raised_within(Duration::from_secs(30)));
        thread.join().unwrap();
    }
}
