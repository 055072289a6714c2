//! One writer in a folder.
//!
//! The kernel keeps a lock and ends it when its process dies. Two things are added for folders that many
//! machines share. The holder writes into the file of the lock every [`BEAT`]; a lock whose holder is on
//! another machine and has been silent for [`SILENCE`] is taken over, and a holder that finds itself replaced
//! knows it ([`Lock::is_lost`]). A file system without locks gets a lease file in the place of the lock.

use super::FileError;
use super::holder::Holder;
use super::lease::{self, Lease};
use super::pulse::Pulse;
use std::fs::{File, TryLockError};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a holder shows that it lives.
pub(super) const BEAT: Duration = Duration::from_secs(20);
/// After this time without a sign of life, a holder on another machine counts as dead.
pub const SILENCE: Duration = Duration::from_secs(5 * 60);
/// How long a lock is tried again that somebody may only have looked at.
const GLANCE: Duration = Duration::from_millis(60);

/// Exclusive right to write into a folder. It ends when it is dropped, and the kernel ends it when the
/// process dies.
#[derive(Debug)]
pub struct Lock {
    kept: Kept,
    /// Stops before the lock is released. `None` after that.
    pulse: Option<Pulse>,
}

/// What keeps others out.
#[derive(Debug)]
enum Kept {
    Kernel(File),
    Lease(PathBuf),
}

impl Drop for Lock {
    fn drop(&mut self) {
        let lost = self.is_lost();
        drop(self.pulse.take());
        match &self.kept {
            // A child process that another thread starts just now has the file open until it runs its own
            // program: closing our file alone would leave the lock to the child for that long. If unlocking
            // fails, closing the file is all that can be done.
            Kept::Kernel(file) => drop(file.unlock()),
            Kept::Lease(own) if !lost => lease::free(own),
            Kept::Lease(_) => {}
        }
    }
}

/// Why a lock cannot be obtained.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("{folder}: {holder} holds the lock", folder = folder.display())]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The process, its machine, since when, and when it was last seen, in words.
        holder: String,
    },
    /// The file of the lock cannot be opened or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Lock {
    /// Takes the lock `name` of a folder that exists. Its file says who holds it.
    ///
    /// # Errors
    /// Fails if another process holds it, or its file cannot be made.
    pub fn take(folder: &Path, name: &str) -> Result<Self, LockError> {
        let path = folder.join(name);
        let begun = Instant::now();
        loop {
            let failed = FileError::of_action("cannot open the lock", &path);
            let file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(failed)?;
            match file.try_lock() {
                // Whoever takes a lock over puts a new file in the place of this one.
                Ok(()) if !is_file_at(&file, &path) => continue,
                Ok(()) => return Ok(Self::hold(file, path.clone(), failed)?),
                Err(TryLockError::WouldBlock) if begun.elapsed() < GLANCE => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    let holder = Holder::read(&path);
                    let dead = holder.is_dead(SILENCE) && is_file_at(&file, &path);
                    if !(dead && std::fs::remove_file(&path).is_ok()) {
                        return Err(held(folder, &holder));
                    }
                    tracing::warn!(
                        "{}: {holder} is dead; its lock is taken over",
                        folder.display()
                    );
                }
                Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                    tracing::debug!(
                        "{}: this file system has no locks ({error}); a lease file takes their place",
                        folder.display()
                    );
                    let who = Holder::this().to_line();
                    return match lease::take(&path, &who)? {
                        Lease::Ours(own) => Ok(Self {
                            pulse: Some(Pulse::start(lease::Renewed::new(own.clone(), who))),
                            kept: Kept::Lease(own),
                        }),
                        Lease::Of(holder) => Err(held(folder, &holder)),
                    };
                }
                Err(TryLockError::Error(error)) => return Err(failed(error).into()),
            }
        }
    }

    fn hold(
        mut file: File,
        path: PathBuf,
        failed: impl Fn(std::io::Error) -> FileError,
    ) -> Result<Self, FileError> {
        let who = Holder::this().to_line();
        let written = file.set_len(0).and_then(|()| file.rewind());
        written
            .and_then(|()| file.write_all(who.as_bytes()))
            .map_err(&failed)?;
        let own = file.try_clone().map_err(&failed)?;
        Ok(Self {
            kept: Kept::Kernel(file),
            pulse: Some(Pulse::start(Rewritten {
                file: own,
                path,
                who,
            })),
        })
    }

    /// Whether another process took the lock over, since it saw no sign of life for [`SILENCE`].
    pub fn is_lost(&self) -> bool {
        self.pulse.as_ref().is_some_and(Pulse::is_lost)
    }

    /// Who holds the lock `name` of a folder. `None` if nobody does.
    pub fn holder(folder: &Path, name: &str) -> Option<Holder> {
        let path = folder.join(name);
        let file = File::open(&path).ok()?;
        match file.try_lock_shared() {
            Ok(()) => {
                // If this fails, closing the file does the same.
                let _ = file.unlock();
                None
            }
            Err(TryLockError::WouldBlock) => Some(Holder::read(&path)),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => lease::holder(&path),
            Err(TryLockError::Error(_)) => None,
        }
    }
}

fn held(folder: &Path, holder: &Holder) -> LockError {
    LockError::Held {
        folder: folder.to_owned(),
        holder: holder.to_string(),
    }
}

/// The file of a lock that the kernel keeps.
struct Rewritten {
    file: File,
    path: PathBuf,
    who: String,
}

impl super::pulse::Beating for Rewritten {
    /// Writes the same words again, so that the file system notes the time by its own clock.
    fn beat(&mut self) -> bool {
        // A disk that refuses just now is tried again with the next beat.
        let _ = (self.file.rewind()).and_then(|()| self.file.write_all(self.who.as_bytes()));
        is_file_at(&self.file, &self.path)
    }
}

/// Whether the path still leads to this open file. True where that cannot be found out.
fn is_file_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        match (file.metadata(), std::fs::metadata(path)) {
            (Ok(own), Ok(there)) => (own.dev(), own.ino()) == (there.dev(), there.ino()),
            (_, Err(error)) => error.kind() != std::io::ErrorKind::NotFound,
            (Err(_), _) => true,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

/// Whether the file system has no locks. Some file systems of clusters have none.
fn has_no_locks(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    let no_locks = {
        use nix::errno::Errno;
        let known = [Errno::ENOLCK, Errno::ENOSYS, Errno::EOPNOTSUPP];
        let code = error.raw_os_error();
        known.iter().any(|errno| code == Some(*errno as i32))
    };
    #[cfg(not(unix))]
    let no_locks = false;
    no_locks || error.kind() == std::io::ErrorKind::Unsupported
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_silent_holder_on_another_machine_is_replaced_and_one_on_this_machine_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let old = SystemTime::now() - 2 * SILENCE;
        for (host, expected) in [
            (super::super::host_name(), false),
            ("elsewhere".into(), true),
        ] {
            let who = format!("process 1 on {host} since 2026-01-01 00:00:00 UTC\n");
            std::fs::write(&path, who).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.lock().unwrap();
            file.set_modified(old).unwrap();
            let taken = Lock::take(folder.path(), ".lock");
            assert_eq!(taken.is_ok(), expected, "{host}: {taken:?}");
            if expected {
                assert!(!is_file_at(&file, &path), "the other one can know it");
                assert!(Lock::take(folder.path(), ".lock").is_err());
            }
        }
    }

    #[test]
    fn a_lock_tells_who_holds_it_and_nobody_after_its_end() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Lock::holder(folder.path(), ".lock").is_none());
        let lock = Lock::take(folder.path(), ".lock").unwrap();
        let holder = Lock::holder(folder.path(), ".lock").unwrap().to_string();
        let process = format!("process {}", std::process::id());
        assert!(holder.starts_with(&process), "{holder}");
        assert!(holder.contains("last seen"), "{holder}");
        drop(lock);
        assert!(Lock::holder(folder.path(), ".lock").is_none());
        Lock::take(folder.path(), ".lock").unwrap();
    }
}
