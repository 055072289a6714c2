//! The queue of looks: a lane and a thread for each observer.

use super::lane::{Key, Lane, Ticket};
use super::limits::Limits;
use super::metrics::Metrics;
use super::question::Sight;
use crate::grade::reward::{Fault, FaultKind};
use crate::reward::{Eye, Scorer};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The lanes of all observers.
pub(super) struct Looks {
    lanes: Vec<(Arc<Eye>, Arc<Lane>)>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    groups: AtomicU64,
}

impl Looks {
    /// Starts a thread for each observer.
    ///
    /// # Errors
    /// Fails if the system gives no thread.
    pub(super) fn open(
        scorer: &Scorer,
        limits: &Limits,
        metrics: &Arc<Metrics>,
    ) -> io::Result<Self> {
        let (mut lanes, mut threads) = (Vec::new(), Vec::new());
        for eye in scorer.eyes() {
            let lane = Arc::new(Lane::new(limits.kept));
            lanes.push((eye.clone(), lane.clone()));
            let (eye, limits, metrics) = (eye.clone(), limits.clone(), metrics.clone());
            let thread = std::thread::Builder::new().name(format!("look-{}", eye.name()));
            threads.push(thread.spawn(move || lane.work(&eye, &limits, &metrics))?);
        }
        Ok(Self {
            lanes,
            threads: Mutex::new(threads),
            groups: AtomicU64::new(0),
        })
    }

    /// A number for the looks of one request, which keeps them together.
    pub(super) fn group(&self) -> u64 {
        self.groups.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks for an observer's look; `key` is what the look depends on.
    ///
    /// # Errors
    /// Says that it would need a picture that was not sent.
    pub(super) fn ask(
        &self,
        eye: usize,
        key: Key,
        sight: &Arc<Sight>,
        deadline: Instant,
        group: u64,
    ) -> Result<Ticket, Fault> {
        let (eye, lane) = &self.lanes[eye];
        lane.ask(key, sight, deadline, group).ok_or_else(|| {
            let why = format!(
                "`{}` has not seen this picture, or forgot it: send the picture instead of its hash",
                eye.name()
            );
            Fault::new(FaultKind::Picture, why)
        })
    }

    /// Observers with the number of looks that wait for them.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&str, usize)> {
        let lanes = self.lanes.iter();
        lanes.map(|(eye, lane)| (eye.name(), lane.waiting()))
    }

    /// Ends the threads after the looks that wait. A look that is still in work at `end` is not waited for.
    pub(super) fn close(&self, end: Instant) {
        for (_, lane) in &self.lanes {
            lane.close();
        }
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            while !thread.is_finished() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() {
                // A thread that panicked has ended too.
                let _ = thread.join();
            }
        }
    }
}
