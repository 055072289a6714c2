//! The looks of one observer: waiting, in work, and kept.

use super::cache::Cache;
use super::limits::Limits;
use super::metrics::Metrics;
use super::question::Sight;
use crate::reward::{Eye, Seen, Shown};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// All that a look depends on, as a hash.
pub(super) type Key = [u8; 32];

/// The earliest deadline goes first; of one request's looks, which share a group, the first.
type Order = (Instant, u64, u64);

/// The looks of one observer.
pub(super) struct Lane {
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    looks: HashMap<Key, Pending>,
    /// Those that wait.
    order: BTreeMap<Order, Key>,
    kept: Cache<Key, Arc<Seen>>,
    serial: u64,
    closed: bool,
}

/// A look that waits or is in work.
struct Pending {
    /// `None` while it is in work.
    order: Option<Order>,
    sight: Arc<Sight>,
    waiters: Vec<(u64, oneshot::Sender<Arc<Seen>>)>,
}

/// Who waits for a look. Dropped before its end, it leaves the queue.
pub(super) struct Ticket {
    lane: Arc<Lane>,
    key: Key,
    serial: u64,
    answer: oneshot::Receiver<Arc<Seen>>,
}

impl Lane {
    /// A lane that keeps the evidence of so many looks.
    pub(super) fn new(kept: usize) -> Self {
        let state = State {
            looks: HashMap::new(),
            order: BTreeMap::new(),
            kept: Cache::new(kept),
            serial: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            wake: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many looks wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().order.len()
    }

    /// Asks for a look. One that is kept is answered at once; one that is in the queue is joined. `None` if
    /// neither holds and the picture was not sent.
    pub(super) fn ask(
        self: &Arc<Self>,
        key: Key,
        sight: &Arc<Sight>,
        deadline: Instant,
        group: u64,
    ) -> Option<Ticket> {
        let (sender, answer) = oneshot::channel();
        let mut state = self.lock();
        state.serial += 1;
        let serial = state.serial;
        if let Some(seen) = state.kept.get(key) {
            let _ = sender.send(seen);
        } else if !state.join(key, serial, sender, (deadline, group, serial), sight) {
            return None;
        }
        drop(state);
        self.wake.notify_one();
        Some(Ticket {
            lane: self.clone(),
            key,
            serial,
            answer,
        })
    }

    /// Lets an observer make looks until the lane is closed and empty.
    pub(super) fn work(&self, eye: &Eye, limits: &Limits, metrics: &Metrics) {
        while let Some(batch) = self.next(eye.batch(), limits.batch_wait) {
            let start = Instant::now();
            let shown: Vec<Shown<'_>> = batch.iter().map(|(_, sight)| sight.shown()).collect();
            let mut seen = eye.look(&shown);
            for ((_, sight), seen) in batch.iter().zip(&mut seen) {
                sight.conceal_in(seen);
            }
            metrics.looked(eye.name(), batch.len(), start.elapsed());
            self.done(batch.iter().map(|(key, _)| *key), seen);
        }
    }

    /// The next looks. Waits a little for as many as the observer likes to see together. `None` at the end.
    fn next(&self, most: usize, wait: Duration) -> Option<Vec<(Key, Arc<Sight>)>> {
        let mut state = self.lock();
        loop {
            if state.order.is_empty() {
                if state.closed {
                    return None;
                }
                let woken = self.wake.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if state.order.len() < most && !state.closed {
                let few = |state: &mut State| state.order.len() < most && !state.closed;
                let woken = self.wake.wait_timeout_while(state, wait, few);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
            let batch = state.take(most);
            if !batch.is_empty() {
                return Some(batch);
            }
        }
    }

    fn done(&self, keys: impl Iterator<Item = Key>, seen: Vec<Seen>) {
        let mut state = self.lock();
        for (key, seen) in keys.zip(seen) {
            let seen = Arc::new(seen);
            let pending = state.looks.remove(&key);
            for (_, sender) in pending.into_iter().flat_map(|pending| pending.waiters) {
                // Who went away needs no answer.
                let _ = sender.send(seen.clone());
            }
            if seen.evidence.is_ok() {
                state.kept.put(key, seen);
            }
        }
    }

    /// No further look comes; those that wait are made.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }
}

impl State {
    /// Waits for a look with others, or puts it into the queue. False if it would need a picture that was not
    /// sent.
    fn join(
        &mut self,
        key: Key,
        serial: u64,
        sender: oneshot::Sender<Arc<Seen>>,
        order: Order,
        sight: &Arc<Sight>,
    ) -> bool {
        if let Some(pending) = self.looks.get_mut(&key) {
            pending.waiters.push((serial, sender));
            if let Some(old) = pending.order.filter(|old| order < *old) {
                pending.order = Some(order);
                self.order.remove(&old);
                self.order.insert(order, key);
            }
            return true;
        }
        if sight.seen_before {
            return false;
        }
        self.order.insert(order, key);
        let pending = Pending {
            order: Some(order),
            sight: sight.clone(),
            waiters: vec![(serial, sender)],
        };
        self.looks.insert(key, pending);
        true
    }

    /// Takes the first of those that wait into work.
    fn take(&mut self, most: usize) -> Vec<(Key, Arc<Sight>)> {
        let mut batch = Vec::new();
        while batch.len() < most
            && let Some((_, key)) = self.order.pop_first()
        {
            if let Some(pending) = self.looks.get_mut(&key) {
                pending.order = None;
                batch.push((key, pending.sight.clone()));
            }
        }
        batch
    }

    /// One does not wait any more; a look that nobody waits for leaves the queue.
    fn leave(&mut self, key: Key, serial: u64) {
        let Some(pending) = self.looks.get_mut(&key) else {
            return;
        };
        pending.waiters.retain(|(waiter, _)| *waiter != serial);
        if pending.waiters.is_empty()
            && let Some(order) = pending.order
        {
            self.looks.remove(&key);
            self.order.remove(&order);
        }
    }
}

impl Ticket {
    /// What was seen. `None` if the observer's thread has ended.
    pub(super) async fn seen(&mut self) -> Option<Arc<Seen>> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.lane.lock().leave(self.key, self.serial);
    }
}
