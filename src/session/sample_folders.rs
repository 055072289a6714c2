//! The sample folders of a training: which there are, and whether they are complete.

use super::SessionError;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// The file that says that a sample folder is complete.
const DONE: &str = "done";

/// The names of the folders in a folder, in the order in which people count: `step-900` before `step-1000`.
/// Hidden folders and links do not count.
///
/// # Errors
/// [`SessionError::NotListed`]
pub(super) fn sample_folders(folder: &Path) -> Result<Vec<String>, SessionError> {
    let not_listed = |error: std::io::Error| SessionError::NotListed {
        folder: folder.to_owned(),
        reason: error.to_string(),
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(not_listed)? {
        let entry = entry.map_err(not_listed)?;
        // A folder that is gone in the meantime does not count.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if let Ok(name) = entry.file_name().into_string()
            && is_folder
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort_by_key(|name| (counted(name), name.clone()));
    Ok(names)
}

/// The name with its numbers in twenty digits.
fn counted(name: &str) -> String {
    let mut padded = String::new();
    let mut digits = String::new();
    for character in name.chars().chain(['\0']) {
        if character.is_ascii_digit() {
            digits.push(character);
        } else {
            if !digits.is_empty() {
                padded.push_str(&format!("{digits:0>20}"));
                digits.clear();
            }
            padded.push(character);
        }
    }
    padded
}

/// When a folder changed.
#[derive(Default)]
pub(super) struct Changes {
    state: Option<u64>,
    /// When the last change was seen.
    seen: Option<Instant>,
    /// When a file was changed last, by the file system's clock.
    newest: Option<SystemTime>,
}

impl Changes {
    /// Looks at the folder. True if it changed since the last look.
    pub(super) fn look(&mut self, folder: &Path) -> bool {
        let mut hasher = DefaultHasher::new();
        let mut newest = None;
        walk(folder, &mut hasher, &mut newest);
        let state = Some(hasher.finish());
        if self.state == state {
            return false;
        }
        (self.state, self.newest) = (state, newest);
        self.seen = Some(Instant::now());
        true
    }

    /// Whether a file was changed after this time.
    pub(super) fn is_newer_than(&self, time: SystemTime) -> bool {
        self.newest.is_some_and(|newest| newest > time)
    }

    /// Whether the folder has the file `done`, or nothing changed for this time.
    pub(super) fn is_complete(&self, folder: &Path, settle: Duration) -> bool {
        let is_still = || self.seen.is_some_and(|seen| seen.elapsed() >= settle);
        let is_old = || {
            let newest = self.newest.and_then(|newest| newest.elapsed().ok());
            newest.is_some_and(|age| age >= settle)
        };
        folder.join(DONE).is_file() || is_still() || is_old()
    }
}

/// Adds all names, sizes and times below a folder. What cannot be read counts as absent.
fn walk(folder: &Path, hasher: &mut DefaultHasher, newest: &mut Option<SystemTime>) {
    let mut add_time = |path: &Path, hasher: &mut DefaultHasher| {
        let data = std::fs::symlink_metadata(path).ok();
        let changed = data.as_ref().and_then(|data| data.modified().ok());
        (path, data.as_ref().map(std::fs::Metadata::len), changed).hash(hasher);
        *newest = (*newest).max(changed);
        data.is_some_and(|data| data.is_dir())
    };
    add_time(folder, hasher);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let mut below = Vec::new();
    for path in paths {
        if add_time(&path, hasher) {
            below.push(path);
        }
    }
    for path in below {
        walk(&path, hasher, newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn folders_come_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["step-1000", "step-900", "a2b10", "a2b9", ".hidden", "final"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("file"), "").unwrap();
        let names = sample_folders(dir.path()).unwrap();
        assert_eq!(names, ["a2b9", "a2b10", "final", "step-900", "step-1000"]);
        assert!(sample_folders(&dir.path().join("absent")).is_err());
    }

    #[test]
    fn a_folder_is_complete_when_it_says_so_or_rests() {
        let dir = tempfile::tempdir().unwrap();
        let mut changes = Changes::default();
        fs::write(dir.path().join("a.png"), "x").unwrap();
        assert!(changes.look(dir.path()) && !changes.look(dir.path()));
        let hour = Duration::from_secs(3600);
        assert!(!changes.is_complete(dir.path(), hour));
        assert!(changes.is_complete(dir.path(), Duration::ZERO));
        fs::create_dir(dir.path().join("below")).unwrap();
        assert!(changes.look(dir.path()));
        fs::write(dir.path().join("below/b.png"), "y").unwrap();
        assert!(changes.look(dir.path()));
        fs::write(dir.path().join("done"), "").unwrap();
        assert!(changes.is_complete(dir.path(), hour));
    }

    #[cfg(unix)]
    #[test]
    fn what_rested_before_the_first_look_is_complete_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        fs::write(&path, "x").unwrap();
        let old = SystemTime::now() - Duration::from_secs(7200);
        for path in [path.as_path(), dir.path()] {
            fs::File::open(path).unwrap().set_modified(old).unwrap();
        }
        let mut changes = Changes::default();
        changes.look(dir.path());
        assert!(changes.is_complete(dir.path(), Duration::from_secs(3600)));
    }
}
