//! The flag that ends work before its end: Ctrl-C raises it, and so do the signals of schedulers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often one who waits looks at the flag.
const LOOK: Duration = Duration::from_millis(10);

/// Shared by everything that waits: downloads, children, servers, the engine.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    raised: AtomicBool,
    /// When the outputs in hand are given up; none while they have all the time they need.
    end: Mutex<Option<Instant>>,
}

impl Cancel {
    /// Ends everything at once.
    pub fn raise(&self) {
        self.raise_within(Duration::ZERO);
    }

    /// Nothing new is begun; what is in hand may be finished, however long it takes.
    pub fn raise_gently(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
    }

    /// Nothing new is begun; what is in hand has this much time. The earliest end counts.
    pub fn raise_within(&self, grace: Duration) {
        let end = Instant::now() + grace;
        let mut known = self.0.end.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(known.map_or(end, |known| known.min(end)));
        drop(known);
        self.raise_gently();
    }

    /// Whether nothing new may be begun.
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Whether what is in hand must be given up too.
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
    fn what_is_in_hand_has_the_time_of_the_earliest_end() {
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
