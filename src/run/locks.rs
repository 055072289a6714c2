//! Who may write into a run folder.
//!
//! Each shard has a lock, and so has the whole run. The shards of one division write at the same time. Nobody
//! else does: a shard of another division, or a run without shards, waits until they end. So two processes
//! never make the same output.

use super::error::RunError;
use super::folder::RunFolder;
use super::shard::{self, Shard};
use crate::files::{Holder, Lock, LockError};
use std::time::{Duration, Instant};

/// The lock under which a process looks at the other locks and takes its own.
const GUARD: &str = ".lock.guard";
/// How long the guard is waited for. Nobody needs it for more than a moment.
const GUARD_WAIT: Duration = Duration::from_secs(30);
/// How often a lock that is held is tried again.
const AGAIN: Duration = Duration::from_millis(300);

/// How long a lock is waited for.
pub struct Patience<'a> {
    /// The time after which the folder counts as busy.
    pub limit: Duration,
    /// Whether waiting ends before.
    pub stopped: &'a (dyn Fn() -> bool + Sync),
    /// Hears once who is waited for.
    pub waiting: &'a (dyn Fn(&str) + Sync),
}

impl Patience<'static> {
    /// Waits for nobody.
    pub const NONE: Self = Self {
        limit: Duration::ZERO,
        stopped: &|| false,
        waiting: &|_| {},
    };
}

/// What the holder of locks is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It makes outputs: those of a shard, or of the whole run.
    Make,
    /// It reads what is there, and writes what follows from it.
    Read,
}

impl RunFolder {
    /// Takes the lock of a shard or of the whole run. Makes the folder if it is absent.
    ///
    /// # Errors
    /// Fails if the folder cannot be made, or if another process writes what this one wants to write.
    pub fn lock(
        &self,
        shard: Option<Shard>,
        purpose: Purpose,
        patience: &Patience<'_>,
    ) -> Result<Lock, RunError> {
        let mut locks = self.lock_all(&[shard], purpose, patience)?;
        locks
            .pop()
            .ok_or_else(|| RunError::Invalid("a lock is missing".into()))
    }

    /// Takes several locks: all of them or none.
    ///
    /// # Errors
    /// Fails when [`RunFolder::lock`] fails.
    pub fn lock_all(
        &self,
        shards: &[Option<Shard>],
        purpose: Purpose,
        patience: &Patience<'_>,
    ) -> Result<Vec<Lock>, RunError> {
        std::fs::create_dir_all(self.root())
            .map_err(|error| RunError::io("cannot make the folder", self.root(), &error))?;
        let begun = Instant::now();
        let mut told = false;
        loop {
            let error = match self.try_all(shards, purpose) {
                Ok(locks) => return Ok(locks),
                Err(error) => error,
            };
            let RunError::Busy { holder, .. } = &error else {
                return Err(error);
            };
            if begun.elapsed() >= patience.limit || (patience.stopped)() {
                return Err(error);
            }
            if !std::mem::replace(&mut told, true) {
                (patience.waiting)(holder);
            }
            std::thread::sleep(AGAIN.min(patience.limit));
        }
    }

    /// Who holds the lock of a shard or of the whole run. `None` if nobody does.
    pub fn holder(&self, shard: Option<Shard>) -> Option<Holder> {
        Lock::holder(self.root(), &shard::file_name(".lock", shard, ""))
    }

    fn try_all(&self, shards: &[Option<Shard>], purpose: Purpose) -> Result<Vec<Lock>, RunError> {
        let _guard = self.guard()?;
        if purpose == Purpose::Make {
            for other in self.locked_before() {
                if shards.iter().all(|shard| excludes(*shard, other))
                    && let Some(holder) = self.holder(other)
                {
                    return Err(self.busy(other, &holder.to_string()));
                }
            }
        }
        let take = |shard: &Option<Shard>| {
            let name = shard::file_name(".lock", *shard, "");
            Lock::take(self.root(), &name).map_err(|error| match error {
                LockError::Held { holder, .. } => self.busy(*shard, &holder),
                LockError::File(error) => error.into(),
            })
        };
        shards.iter().map(take).collect()
    }

    fn guard(&self) -> Result<Lock, RunError> {
        let begun = Instant::now();
        loop {
            match Lock::take(self.root(), GUARD) {
                Ok(guard) => return Ok(guard),
                Err(LockError::Held { holder, .. }) if begun.elapsed() > GUARD_WAIT => {
                    return Err(self.busy(None, &holder));
                }
                Err(LockError::Held { .. }) => std::thread::sleep(Duration::from_millis(20)),
                Err(LockError::File(error)) => return Err(error.into()),
            }
        }
    }

    /// The whole run and all shards whose lock was ever taken.
    fn locked_before(&self) -> Vec<Option<Shard>> {
        let entries = std::fs::read_dir(self.root())
            .into_iter()
            .flatten()
            .flatten();
        let shard = |name: String| shard::of_file_name(&name, ".lock", "");
        let shards = entries.filter_map(|entry| shard(entry.file_name().into_string().ok()?));
        [None].into_iter().chain(shards.map(Some)).collect()
    }

    fn busy(&self, shard: Option<Shard>, holder: &str) -> RunError {
        RunError::Busy {
            folder: self.root().to_owned(),
            holder: match shard {
                Some(shard) => format!("shard {shard} is being made by {holder}"),
                None => holder.to_owned(),
            },
        }
    }
}

/// Whether the two may not write at the same time, apart from a lock with itself.
fn excludes(own: Option<Shard>, other: Option<Shard>) -> bool {
    own.map(Shard::count) != other.map(Shard::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(text: &str) -> Option<Shard> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn shards_of_one_division_write_together_and_nobody_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::at(dir.path().join("run"));
        let make = |shard| folder.lock(shard, Purpose::Make, &Patience::NONE);
        let first = make(shard("1/3")).unwrap();
        let second = make(shard("2/3")).unwrap();
        for other in [shard("1/3"), shard("1/2"), None] {
            let error = make(other).unwrap_err().to_string();
            assert!(error.contains("/3 is being made by process"), "{error}");
        }
        let reader = folder.lock(None, Purpose::Read, &Patience::NONE).unwrap();
        assert!(make(shard("3/3")).is_err(), "what is joined may not change");
        drop(reader);
        drop((first, second));
        let whole = make(None).unwrap();
        assert!(make(shard("1/2")).is_err());
        drop(whole);
        make(shard("1/2")).unwrap();
    }

    #[test]
    fn who_waits_gets_the_lock_when_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let folder = &RunFolder::at(dir.path());
        let held = folder.lock(None, Purpose::Make, &Patience::NONE).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(move || {
                let patience = Patience {
                    limit: Duration::from_secs(60),
                    ..Patience::NONE
                };
                folder.lock(shard("1/2"), Purpose::Make, &patience).is_ok()
            });
            std::thread::sleep(Duration::from_millis(100));
            drop(held);
            assert!(waiter.join().unwrap());
        });
    }
}
