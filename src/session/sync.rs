//! Runs that are copied to an object store while they are made, and runs that are joined there.

use super::shards::MergedRun;
use super::{Session, SessionError};
use crate::run::{Patience, Purpose, RunFolder, Shard};
use crate::sync::{Address, Holding, Lease, Outbox, Store, SyncError, Wanted, pull, push};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is looked whether the run shall end.
const LOOK: Duration = Duration::from_millis(200);

/// Where a run is copied to, and how often.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// The place of all runs. That of a run is below it, with the names of suite, model and run.
    pub store: Store,
    /// The time between two copies.
    pub every: Duration,
}

/// A run with its place in a store, which nobody else writes.
pub(super) struct SyncedRun {
    lease: Lease,
    outbox: Mutex<Outbox>,
    every: Duration,
}

impl SyncOptions {
    /// The place of a run.
    pub(super) fn place(&self, folder: &RunFolder) -> Result<Store, SessionError> {
        Ok(self.store.below(&run_name(folder))?)
    }

    /// Fetches what says into how many shards a run is divided, where the folder does not say it.
    pub(super) fn fetch_division(&self, folder: &RunFolder) -> Result<(), SessionError> {
        if folder.noted_division().is_none() {
            self.place(folder)?.fetch_division(folder)?;
        }
        Ok(())
    }

    /// Takes the lease of a shard or of the whole run, and fetches what was made of it before. The caller
    /// holds the folder's lock.
    pub(super) fn begin(
        &self,
        session: &Session,
        (folder, shard): (&RunFolder, Option<Shard>),
        wait: Duration,
        holds: &dyn Fn(&str) -> bool,
    ) -> Result<SyncedRun, SessionError> {
        let store = self.place(folder)?;
        let lease = session.lease(&store, folder, shard, Purpose::Make, wait)?;
        let fetched = pull(&store, folder, &Wanted::Part { shard, holds })?;
        if fetched > 0 {
            session.remark(&format!("fetched {fetched} files from {}", store.address()));
        }
        Ok(SyncedRun {
            lease,
            outbox: Mutex::new(Outbox::open(&store, folder, shard)?),
            every: self.every,
        })
    }
}

impl SyncedRun {
    /// Works, and copies what is made meanwhile: at intervals, and when the run is told to end. When another
    /// process takes the lease over, the run ends as if a signal had come.
    pub(super) fn during<T>(&self, session: &Session, work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            // Dropping it ends the thread, also when the work panics.
            let (_stop, stopped) = channel::<()>();
            scope.spawn(move || {
                let mut last = Instant::now();
                let mut is_warned = false;
                while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK) {
                    if self.lease.is_lost() {
                        session.remark(
                            "another process took this run over in the store, since this one gave no sign of life: \
                             stopping",
                        );
                        session.cancel().raise();
                        return;
                    }
                    let warned = session.cancel().is_raised() && !std::mem::replace(&mut is_warned, true);
                    if warned || last.elapsed() >= self.every {
                        if let Err(error) = self.send() {
                            session.remark(&format!("{error}; it is tried again"));
                        }
                        last = Instant::now();
                    }
                }
            });
            work()
        })
    }

    /// Copies what is new.
    fn send(&self) -> Result<usize, SyncError> {
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        outbox.send()
    }

    /// Copies the rest.
    ///
    /// # Errors
    /// Fails if the store refuses. The folder has everything.
    pub(super) fn send_rest(&self) -> Result<(), SessionError> {
        // Whoever took the lease over writes there now.
        if !self.lease.is_lost() {
            self.send()?;
        }
        Ok(())
    }
}

impl Session {
    /// Opens a place in an object store.
    ///
    /// # Errors
    /// Fails if the network may not be used, or the environment lacks the credentials.
    pub fn open_store(&self, at: &Address) -> Result<Store, SessionError> {
        if self.is_offline() {
            return Err(SessionError::OfflineStore { at: at.to_string() });
        }
        Ok(Store::open(at)?)
    }

    /// Copies all runs below a place into a folder of results. Returns their folders, with the number of
    /// files that were new.
    ///
    /// # Errors
    /// Fails if there is no run, a run is being made in its local folder, or a copy fails.
    pub fn pull_runs(
        &self,
        store: &Store,
        out: &Path,
        wait_lock: Duration,
    ) -> Result<Vec<(RunFolder, usize)>, SessionError> {
        let mut pulled = Vec::new();
        for (place, name) in store.runs()? {
            let folder = RunFolder::at(out.join(name));
            let _lock = self.lock(&folder, None, Purpose::Make, wait_lock)?;
            let files = pull(&place, &folder, &Wanted::All)?;
            pulled.push((folder, files));
        }
        Ok(pulled)
    }

    /// Copies run folders to a place. Returns their places, with the number of files that were new.
    ///
    /// # Errors
    /// Fails if a run is being made, here or elsewhere, or a copy fails.
    pub fn push_runs(
        &self,
        folders: &[RunFolder],
        store: &Store,
        wait_lock: Duration,
    ) -> Result<Vec<(Address, usize)>, SessionError> {
        let mut pushed = Vec::new();
        for folder in folders {
            let _lock = self.lock(folder, None, Purpose::Make, wait_lock)?;
            let place = store.below(&run_name(folder))?;
            let _lease = self.lease(&place, folder, None, Purpose::Read, wait_lock)?;
            let files = push(&place, folder)?;
            pushed.push((place.address().clone(), files));
        }
        Ok(pushed)
    }

    /// Copies the runs below a place into a folder of results, joins their shards there, and copies what
    /// follows from them back.
    ///
    /// # Errors
    /// Fails if there is no run, one is being made, or a copy fails.
    pub fn merge_stored(
        &self,
        store: &Store,
        out: &Path,
        wait_lock: Duration,
    ) -> Result<Vec<MergedRun>, SessionError> {
        let mut merged = Vec::new();
        for (place, name) in store.runs()? {
            let folder = RunFolder::at(out.join(name));
            // A lease that this folder has left is not an obstacle: nobody works here.
            let lock = self.lock(&folder, None, Purpose::Make, wait_lock)?;
            let lease = self.lease(&place, &folder, None, Purpose::Read, wait_lock)?;
            pull(&place, &folder, &Wanted::All)?;
            drop(lock);
            let run = self.merge_shards(folder.root(), wait_lock)?;
            push(&place, &folder)?;
            drop(lease);
            merged.push(run);
        }
        Ok(merged)
    }

    fn lease(
        &self,
        store: &Store,
        folder: &RunFolder,
        shard: Option<Shard>,
        purpose: Purpose,
        limit: Duration,
    ) -> Result<Lease, SessionError> {
        let holding = Holding {
            shard,
            purpose,
            folder: folder.root(),
        };
        let patience = Patience {
            limit,
            stopped: &|| self.cancel().is_raised(),
            waiting: &|holder: &str| {
                self.remark(&format!(
                    "waiting at most {limit:?} for the lease: {holder}"
                ))
            },
        };
        Ok(Lease::take(store, &holding, &patience)?)
    }
}

/// The names of suite, model and run, as they are in the path of a run folder.
fn run_name(folder: &RunFolder) -> String {
    let absolute: PathBuf =
        std::path::absolute(folder.root()).unwrap_or_else(|_| folder.root().into());
    let parts: Vec<String> = absolute
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    parts[parts.len().saturating_sub(3)..].join("/")
}
