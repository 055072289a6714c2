//! One writer for each shard, by an object that is written on condition.
//!
//! The holder renews the object every minute, each time on condition that nobody else wrote it since. Whoever
//! finds it free, or silent for five minutes, takes it the same way. A holder that was replaced finds out at
//! its next renewal, and stops.

use super::error::SyncError;
use super::listed::LEASES;
use super::store::{Content, Store};
use crate::files::{Holder, SILENCE, host_name};
use crate::run::{Patience, Purpose, Shard};
use object_store::UpdateVersion;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// How often a holder shows that it lives.
const BEAT: Duration = Duration::from_secs(60);
/// How often a lease that is held is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// What the object says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The process, its machine and since when, in words.
    holder: String,
    /// The machine's name.
    host: String,
    /// The run folder there.
    folder: String,
    /// Differs for every holder.
    key: String,
    /// How often the holder renewed it.
    beat: u64,
    /// Whether nobody holds it any more.
    free: bool,
}

impl Note {
    fn new(folder: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let host = host_name();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let key = format!(
            "{host} {} {} {}",
            std::process::id(),
            now.unwrap_or_default().as_nanos(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        Self {
            holder: Holder::this().words().to_owned(),
            folder: folder.display().to_string(),
            host,
            key,
            beat: 0,
            free: false,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        // Texts and numbers always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The right to write the objects of a shard, or of a whole run. It ends when it is dropped.
#[derive(Debug)]
pub struct Lease {
    held: Arc<Held>,
    /// Dropping it ends the thread that renews.
    stop: Option<Sender<()>>,
    beat: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Held {
    store: Store,
    name: String,
    state: Mutex<(Note, UpdateVersion)>,
    lost: AtomicBool,
}

/// Who wants a lease, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Holding<'a> {
    /// The shard, and for the whole run `None`.
    pub shard: Option<Shard>,
    /// What the holder is about to do. Who reads needs the whole run, and no shard may be made.
    pub purpose: Purpose,
    /// The local run folder, of which the caller holds the lock. A lease from there is that of an earlier
    /// process.
    pub folder: &'a Path,
}

impl Lease {
    /// Takes the lease of a shard or of the whole run.
    ///
    /// # Errors
    /// Fails if another process holds it, or the store refuses.
    pub fn take(
        store: &Store,
        holding: &Holding<'_>,
        patience: &Patience<'_>,
    ) -> Result<Self, SyncError> {
        let begun = Instant::now();
        let mut told = false;
        loop {
            let holder = match Held::attempt(store, holding)? {
                Ok(held) => return Ok(Self::keep(held)),
                Err(holder) => holder,
            };
            if begun.elapsed() >= patience.limit || (patience.stopped)() {
                return Err(SyncError::Busy {
                    at: store.address().to_string(),
                    holder,
                });
            }
            if !std::mem::replace(&mut told, true) {
                (patience.waiting)(&holder);
            }
            std::thread::sleep(AGAIN.min(patience.limit));
        }
    }

    /// Whether another process took it over.
    pub fn is_lost(&self) -> bool {
        self.held.lost.load(Ordering::SeqCst)
    }

    fn keep(held: Held) -> Self {
        let held = Arc::new(held);
        let (stop, stopped) = channel::<()>();
        let renewed = held.clone();
        let beat = std::thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(BEAT) {
                // A store that cannot be reached is tried again.
                let _ = renewed.renew(false);
            }
        });
        Self {
            held,
            stop: Some(stop),
            beat: Some(beat),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(beat) = self.beat.take() {
            // It panics only if the store's code does. The lease is then not renewed, and ends by itself.
            let _ = beat.join();
        }
        if !self.is_lost() {
            // A lease that cannot be given back ends by itself.
            let _ = self.held.renew(true);
        }
    }
}

impl Held {
    /// Writes the object anew: as held, or as free.
    fn renew(&self, free: bool) -> Result<(), SyncError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (note, version) = &mut *state;
        note.beat += 1;
        note.free = free;
        match write(&self.store, &self.name, note, Some(version))? {
            Some(new) => *version = new,
            None => self.lost.store(true, Ordering::SeqCst),
        }
        Ok(())
    }

    /// Tries once. The inner error is the holder, in words.
    fn attempt(store: &Store, holding: &Holding<'_>) -> Result<Result<Self, String>, SyncError> {
        let note = Note::new(holding.folder);
        if let Some(holder) = excluding(store, holding, &note)? {
            return Ok(Err(holder));
        }
        let name = name(holding.shard);
        let version = match store.get(&name)? {
            None => write(store, &name, &note, None)?,
            Some(found) => match holder(&found, &note) {
                Some(holder) => return Ok(Err(in_words(holding.shard, &holder))),
                None => write(store, &name, &note, Some(&found.version))?,
            },
        };
        let Some(version) = version else {
            return Ok(Err(describe(store, holding.shard, &name)?));
        };
        let held = Self {
            store: store.clone(),
            name,
            state: Mutex::new((note.clone(), version)),
            lost: AtomicBool::new(false),
        };
        // Two that exclude each other may both have come this far.
        if let Some(holder) = excluding(store, holding, &note)? {
            held.renew(true)?;
            return Ok(Err(holder));
        }
        Ok(Ok(held))
    }
}

/// Writes a note: as a new object, or in the place of a known state. `None` if another process wrote one. A
/// request that was sent twice, since its first answer was lost, counts as what it did.
fn write(
    store: &Store,
    name: &str,
    note: &Note,
    known: Option<&UpdateVersion>,
) -> Result<Option<UpdateVersion>, SyncError> {
    let bytes = note.to_bytes();
    let written = match known {
        None => store.create(name, &bytes)?,
        Some(known) => store.replace(name, &bytes, known)?,
    };
    if written.is_some() {
        return Ok(written);
    }
    let found = store.get(name)?;
    Ok(found
        .filter(|found| found.bytes == bytes)
        .map(|found| found.version))
}

/// The holder of a lease, in words. `None` if nobody holds it, or an earlier process of the same folder did.
fn holder(found: &Content, own: &Note) -> Option<String> {
    let silent = SystemTime::now()
        .duration_since(found.modified)
        .unwrap_or_default();
    // An object that is no note keeps the place until it is old.
    let note = serde_json::from_slice::<Note>(&found.bytes).ok();
    let is_free = note.as_ref().is_some_and(|note| {
        note.free || (note.host == own.host && note.folder == own.folder && note.key != own.key)
    });
    if is_free || silent >= SILENCE {
        return None;
    }
    let words = note.map_or_else(String::new, |note| note.holder);
    Some(Holder::of(words, Some(silent)).to_string())
}

/// Who has a lease that excludes the one that is wanted: a process that divides the run otherwise, or does
/// not divide it. Who reads is excluded by all shards.
fn excluding(
    store: &Store,
    holding: &Holding<'_>,
    own: &Note,
) -> Result<Option<String>, SyncError> {
    let leases = store.below(LEASES)?;
    for listed in leases.list()? {
        let other = parse(&listed.name);
        let excludes = match holding.purpose {
            Purpose::Make => other.map(Shard::count) != holding.shard.map(Shard::count),
            Purpose::Read => other != holding.shard,
        };
        if !excludes {
            continue;
        }
        let Some(found) = leases.get(&listed.name)? else {
            continue;
        };
        if let Some(holder) = holder(&found, own) {
            return Ok(Some(in_words(other, &holder)));
        }
    }
    Ok(None)
}

/// Who was faster, in words.
fn describe(store: &Store, shard: Option<Shard>, name: &str) -> Result<String, SyncError> {
    let found = store.get(name)?;
    let note = found.and_then(|found| serde_json::from_slice::<Note>(&found.bytes).ok());
    let words = note.map_or_else(String::new, |note| note.holder);
    Ok(in_words(shard, &Holder::of(words, None).to_string()))
}

fn in_words(shard: Option<Shard>, holder: &str) -> String {
    match shard {
        Some(shard) => format!("shard {shard} is being made by {holder}"),
        None => format!("the run is being made by {holder}"),
    }
}

/// The object's name.
fn name(shard: Option<Shard>) -> String {
    let own = shard.map(|shard| format!("{}-of-{}", shard.number() + 1, shard.count()));
    format!("{LEASES}/{}", own.as_deref().unwrap_or("whole"))
}

/// The shard of an object's name without the folder. `None` for the whole run.
fn parse(name: &str) -> Option<Shard> {
    name.replacen("-of-", "/", 1).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    fn store() -> Store {
        let at = "s3://bucket/suite/model/run".parse().unwrap();
        Store::with(Arc::new(InMemory::new()), &at).unwrap()
    }

    fn take(
        store: &Store,
        shard: &str,
        purpose: Purpose,
        folder: &str,
    ) -> Result<Lease, SyncError> {
        let holding = Holding {
            shard: shard.parse().ok(),
            purpose,
            folder: Path::new(folder),
        };
        Lease::take(store, &holding, &Patience::NONE)
    }

    #[test]
    fn of_sixteen_writers_one_wins() {
        let store = store();
        let leases: Vec<_> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16)
                .map(|number| {
                    let store = store.clone();
                    scope
                        .spawn(move || take(&store, "1/2", Purpose::Make, &format!("/out{number}")))
                })
                .collect();
            writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect()
        });
        assert_eq!(leases.iter().filter(|lease| lease.is_ok()).count(), 1);
        for error in leases.iter().filter_map(|lease| lease.as_ref().err()) {
            let error = error.to_string();
            assert!(
                error.contains("shard 1/2 is being made by process"),
                "{error}"
            );
        }
        drop(leases);
        assert!(take(&store, "1/2", Purpose::Make, "/later").is_ok());
    }

    #[test]
    fn who_divides_the_run_otherwise_or_reads_it_waits() {
        let store = store();
        let first = take(&store, "1/2", Purpose::Make, "/a").unwrap();
        let second = take(&store, "2/2", Purpose::Make, "/b").unwrap();
        for other in ["1/3", "whole"] {
            let error = take(&store, other, Purpose::Make, "/c").unwrap_err();
            assert!(error.to_string().contains("/2 is being made by"), "{error}");
        }
        assert!(take(&store, "whole", Purpose::Read, "/c").is_err());
        drop((first, second));
        let reader = take(&store, "whole", Purpose::Read, "/c").unwrap();
        assert!(take(&store, "1/2", Purpose::Make, "/a").is_err());
        drop(reader);
        assert!(take(&store, "1/3", Purpose::Make, "/a").is_ok());
    }

    #[test]
    fn a_process_that_was_killed_is_replaced_from_its_own_folder_at_once_and_elsewhere_after_some_time()
     {
        let store = store();
        let killed = take(&store, "1/2", Purpose::Make, "/a").unwrap();
        let found = || store.get("leases/1-of-2").unwrap().unwrap();
        let elsewhere = Note::new(Path::new("/b"));
        assert!(holder(&found(), &elsewhere).is_some());
        let old = Content {
            modified: SystemTime::now() - SILENCE,
            ..found()
        };
        assert_eq!(holder(&old, &elsewhere), None);
        let next = take(&store, "1/2", Purpose::Make, "/a").unwrap();
        killed.held.renew(false).unwrap();
        assert!(killed.is_lost(), "a holder that was replaced finds out");
        next.held.renew(false).unwrap();
        assert!(!next.is_lost());
        drop(killed);
        assert!(
            take(&store, "1/2", Purpose::Make, "/b").is_err(),
            "the loser gives nothing back"
        );
    }
}
