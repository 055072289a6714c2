//! The outputs that are still to be made, in an order in which none comes before the output that it starts
//! from.

use super::asked::Asked;
use super::chain::Slot;
use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a waiting thread checks whether the run stops.
const LOOK: Duration = Duration::from_millis(50);

/// Slots for the generators. An output that starts from another one waits until that one is stored.
#[derive(Debug)]
pub(super) struct Queue {
    slots: Mutex<Slots>,
    changed: Condvar,
}

#[derive(Debug)]
struct Slots {
    ready: VecDeque<Slot>,
    waiting: HashSet<Slot>,
}

impl Queue {
    /// All these slots, in their order.
    pub(super) fn new(asked: &Asked<'_>, slots: &[Slot]) -> Self {
        let waits = |slot: &Slot| asked.before(*slot).is_some();
        let (ready, waiting) = if slots.iter().any(waits) {
            let all: HashSet<Slot> = slots.iter().copied().collect();
            let waits = |slot: Slot| asked.before(slot).is_some_and(|slot| all.contains(&slot));
            let ready = slots.iter().copied().filter(|slot| !waits(*slot)).collect();
            (ready, slots.iter().copied().filter(|s| waits(*s)).collect())
        } else {
            (slots.iter().copied().collect(), HashSet::new())
        };
        Self {
            slots: Mutex::new(Slots { ready, waiting }),
            changed: Condvar::new(),
        }
    }

    /// Takes up to `most` slots. It waits while no slot is ready but some may become ready. The list is empty
    /// when all slots are given out, or when the run stops.
    pub(super) fn take_ready(&self, most: usize, stopped: impl Fn() -> bool) -> Vec<Slot> {
        let mut slots = self.lock();
        loop {
            if stopped() || (slots.ready.is_empty() && slots.waiting.is_empty()) {
                return Vec::new();
            }
            if !slots.ready.is_empty() {
                let count = most.min(slots.ready.len());
                return slots.ready.drain(..count).collect();
            }
            let waited = self.changed.wait_timeout(slots, LOOK);
            slots = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Releases the outputs that start from an output which is now stored.
    pub(super) fn release(&self, after: impl Iterator<Item = Slot>) {
        let mut slots = self.lock();
        for slot in after {
            if slots.waiting.remove(&slot) {
                slots.ready.push_back(slot);
            }
        }
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
