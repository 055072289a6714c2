//! A file in the place of a lock, for file systems that have no locks.
//!
//! Leases have numbers, and the highest one counts: `.lock.lease.3`. Who wants the lock, and finds the
//! highest lease free or its holder silent for [`SILENCE`], makes the file with the next number. The file
//! system lets only one process make it.

use super::holder::Holder;
use super::lock::SILENCE;
use super::pulse::Beating;
use super::{FileError, host_name};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// What the file of a lease says when its holder has ended.
const FREE: &str = "free\n";

/// What became of a wish for a lease.
pub(super) enum Lease {
    /// It is ours; its file.
    Ours(PathBuf),
    /// Another process has it.
    Of(Holder),
}

/// Makes the next lease of a lock, unless there is a holder.
///
/// # Errors
/// Fails if the file cannot be made.
pub(super) fn take(lock: &Path, who: &str) -> Result<Lease, FileError> {
    loop {
        let before = numbers(lock);
        let highest = before.iter().max().copied().unwrap_or(0);
        if let Some(holder) = holder_of(&file(lock, highest)) {
            return Ok(Lease::Of(holder));
        }
        let own = file(lock, highest + 1);
        let failed = FileError::of_action("cannot make the lease", &own);
        match File::options().write(true).create_new(true).open(&own) {
            Ok(mut file) => file.write_all(who.as_bytes()).map_err(failed)?,
            // Another process was quicker.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(failed(error)),
        }
        if numbers(lock).into_iter().any(|number| number > highest + 1) {
            // The list was old: others had come and gone.
            let _ = std::fs::remove_file(&own);
            continue;
        }
        for number in before {
            // One that stays does not count, since its number is lower.
            let _ = std::fs::remove_file(file(lock, number));
        }
        return Ok(Lease::Ours(own));
    }
}

/// Who has the lease of a lock. `None` if nobody has it.
pub(super) fn holder(lock: &Path) -> Option<Holder> {
    let highest = numbers(lock).into_iter().max()?;
    holder_of(&file(lock, highest))
}

/// Gives a lease back.
pub(super) fn free(own: &Path) {
    let file = File::options().write(true).truncate(true).open(own);
    // If it cannot be written, others wait until it is old.
    let _ = file.and_then(|mut file| file.write_all(FREE.as_bytes()));
}

fn file(lock: &Path, number: u64) -> PathBuf {
    let mut name = lock.as_os_str().to_owned();
    name.push(format!(".lease.{number}"));
    name.into()
}

/// The numbers of all leases of a lock.
fn numbers(lock: &Path) -> Vec<u64> {
    let folder = lock.parent().unwrap_or(Path::new("."));
    let name = lock.file_name().unwrap_or_default().to_string_lossy();
    let begin = format!("{name}.lease.");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let number = |name: String| name.strip_prefix(&begin)?.parse().ok();
    entries
        .filter_map(|entry| number(entry.file_name().into_string().ok()?))
        .collect()
}

/// The living holder of a lease.
fn holder_of(path: &Path) -> Option<Holder> {
    if !path.is_file() {
        return None;
    }
    let holder = Holder::read(path);
    let silent = holder.silent().is_some_and(|silent| silent >= SILENCE);
    let here = holder.host() == Some(host_name().as_str());
    let gone = silent || holder.is_named_in(FREE) || (here && !lives(&holder));
    (!gone).then_some(holder)
}

/// Whether a process of this machine lives. True where that cannot be found out.
fn lives(holder: &Holder) -> bool {
    #[cfg(unix)]
    if let Some(process) = holder.process() {
        use nix::errno::Errno;
        let found = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), None);
        return found != Err(Errno::ESRCH);
    }
    #[cfg(not(unix))]
    let _ = holder.process();
    true
}

/// A lease that is renewed.
pub(super) struct Renewed {
    own: PathBuf,
    who: String,
}

impl Renewed {
    pub(super) fn new(own: PathBuf, who: String) -> Self {
        Self { own, who }
    }
}

impl Beating for Renewed {
    fn beat(&mut self) -> bool {
        // Whoever takes a lease over removes the one before.
        match File::options().write(true).open(&self.own) {
            Ok(mut file) => {
                // A disk that refuses just now is tried again with the next beat.
                let _ = file.write_all(self.who.as_bytes());
                true
            }
            Err(error) => error.kind() != ErrorKind::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    const OTHER: &str = "process 1 on elsewhere since 2026-01-01 00:00:00 UTC\n";

    fn taken(lease: Lease) -> Option<PathBuf> {
        match lease {
            Lease::Ours(own) => Some(own),
            Lease::Of(_) => None,
        }
    }

    fn make_old(path: &Path) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - 2 * SILENCE).unwrap();
    }

    #[test]
    fn a_lease_has_one_holder_until_it_is_old_or_free() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join(".lock");
        let first = taken(take(&lock, OTHER).unwrap()).unwrap();
        let own = Holder::this().to_line();
        assert_eq!(taken(take(&lock, &own).unwrap()), None);
        assert!(holder(&lock).unwrap().to_string().contains("elsewhere"));
        make_old(&first);
        let second = taken(take(&lock, &own).unwrap()).unwrap();
        let mut renewed = Renewed::new(first, OTHER.to_owned());
        assert!(!renewed.beat(), "the first holder finds out");
        assert_eq!(taken(take(&lock, &own).unwrap()), None, "we live");
        free(&second);
        assert_eq!(holder(&lock), None);
        assert!(taken(take(&lock, &own).unwrap()).is_some());
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 1, "earlier ones are removed");
    }

    #[test]
    fn of_sixteen_who_want_an_old_lease_one_gets_it() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let lock = folder.path().join(".lock");
            make_old(&taken(take(&lock, OTHER).unwrap()).unwrap());
            let lock = &lock;
            let got: Vec<bool> = std::thread::scope(|scope| {
                let want = |number: usize| {
                    scope.spawn(move || {
                        let who = format!("process {number} on there since now\n");
                        taken(take(lock, &who).unwrap()).is_some()
                    })
                };
                let wanting: Vec<_> = (0..16).map(want).collect();
                let got = wanting.into_iter().map(|one| one.join().unwrap());
                got.collect()
            });
            assert_eq!(got.iter().filter(|got| **got).count(), 1, "{got:?}");
        }
    }
}
