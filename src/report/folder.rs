//! The folder of a page, which has what the page needs and nothing that only an earlier page needed.
//!
//! Files whose names say what is in them (`thumbs/`, `cards/`) are written at once, since no other page
//! changes by that. Files with fixed names (the page, tables, charts) are staged, and get their names together
//! at the end. So a report that fails or is killed leaves the earlier report as it was.

use super::error::ReportError;
use super::files::{absolute, create, relative};
use crate::files::{Lock, LockError, PARTIAL, Staged, write_whole};
use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The folder of small pictures, and the ending of their names.
pub(super) const THUMBS: (&str, &str) = ("thumbs", ".jpg");
/// The folder of the gallery's cards, and the ending of their names.
pub(super) const CARDS: (&str, &str) = ("cards", ".js");

const LOCK: &str = ".lock";
/// How long a report waits for another one that is being written into the same folder.
const PATIENCE: Duration = Duration::from_secs(600);

/// The folder of a page while it is written. No other process writes into it at the same time.
#[derive(Debug)]
pub(crate) struct PageFolder {
    dir: PathBuf,
    /// The same without links.
    here: PathBuf,
    staged: Vec<Staged>,
    _lock: Lock,
}

impl PageFolder {
    /// Makes the folder if there is none, and waits while another report is written into it.
    ///
    /// # Errors
    /// Fails if the folder or its lock cannot be made, or if the other report takes too long.
    pub(crate) fn open(dir: &Path) -> Result<Self, ReportError> {
        create(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            here: absolute(dir).unwrap_or_else(|| dir.to_owned()),
            staged: Vec::new(),
            _lock: wait_for_lock(dir, PATIENCE)?,
        })
    }

    /// The path of something in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The length of a file in the folder, in bytes. 0 if there is no such file.
    pub(super) fn length(&self, name: &str) -> u64 {
        std::fs::metadata(self.path(name)).map_or(0, |file| file.len())
    }

    /// A link from the page to a file, where one can name it.
    pub(super) fn link(&self, path: &Path) -> Option<String> {
        relative(&self.here, path)
    }

    /// The names in a folder below. Empty if there is no such folder.
    pub(super) fn names(&self, below: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.join(below));
        let names = entries.into_iter().flatten().flatten();
        names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    /// Writes a file whose name says what is in it.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub(super) fn add(&self, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
        Ok(write_whole(&self.dir.join(name), bytes)?)
    }

    /// Writes a file that gets its name when the page is finished, and gives its path.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub(super) fn stage(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf, ReportError> {
        let path = self.dir.join(name);
        let staged = Staged::write(&path, |file| file.write_all(bytes))?;
        self.staged.push(staged);
        Ok(path)
    }

    /// Writes the page, gives all staged files their names, the page last, and removes the thumbnails and
    /// cards that are not in `used`. Gives the path of the page.
    ///
    /// # Errors
    /// Fails if a file cannot be written.
    pub(crate) fn finish(
        mut self,
        html: &str,
        used: &HashSet<String>,
    ) -> Result<PathBuf, ReportError> {
        let page = self.stage("index.html", html.as_bytes())?;
        for staged in std::mem::take(&mut self.staged) {
            staged.publish()?;
        }
        self.tidy(used);
        Ok(page)
    }

    /// Removes what only an earlier page needed, and what a killed process left. The page is whole without
    /// this, so a file that cannot be removed stays.
    fn tidy(&self, used: &HashSet<String>) {
        for (below, ending) in [THUMBS, CARDS] {
            for name in self.names(below) {
                let ours = name.ends_with(ending) || name.starts_with(PARTIAL);
                let path = format!("{below}/{name}");
                if ours && !used.contains(&path) {
                    let _ = std::fs::remove_file(self.dir.join(path));
                }
            }
            // This fails where something is left in the folder.
            let _ = std::fs::remove_dir(self.dir.join(below));
        }
    }
}

/// Takes the lock of a folder, once nobody else has it.
fn wait_for_lock(dir: &Path, patience: Duration) -> Result<Lock, ReportError> {
    let end = Instant::now() + patience;
    loop {
        match Lock::take(dir, LOCK) {
            Ok(lock) => return Ok(lock),
            Err(LockError::File(error)) => return Err(error.into()),
            Err(LockError::Held { folder, holder }) if Instant::now() >= end => {
                return Err(ReportError::Busy { folder, holder });
            }
            Err(LockError::Held { .. }) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(names: &[&str]) -> HashSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_report_that_is_not_finished_changes_nothing_of_the_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let mut first = PageFolder::open(dir).unwrap();
        first.stage("table.md", b"old").unwrap();
        first.add("cards/a.js", b"old").unwrap();
        first.finish("old", &used(&["cards/a.js"])).unwrap();
        let mut second = PageFolder::open(dir).unwrap();
        second.stage("table.md", b"new").unwrap();
        second.add("cards/b.js", b"new").unwrap();
        drop(second);
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        assert_eq!(
            ["table.md", "index.html", "cards/a.js"].map(read),
            ["old"; 3]
        );
        std::fs::write(dir.join(format!("cards/{PARTIAL}x")), "").unwrap();
        std::fs::write(dir.join("cards/mine.txt"), "").unwrap();
        let third = PageFolder::open(dir).unwrap();
        third.finish("new", &used(&["cards/b.js"])).unwrap();
        let mut names = PageFolder::open(dir).unwrap().names("cards");
        names.sort();
        assert_eq!(names, ["b.js", "mine.txt"]);
    }

    #[test]
    fn a_second_report_waits_for_the_first_one() {
        let folder = tempfile::tempdir().unwrap();
        let first = PageFolder::open(folder.path()).unwrap();
        let error = wait_for_lock(folder.path(), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("process"), "{error}");
        let second = std::thread::spawn({
            let dir = folder.path().to_owned();
            move || PageFolder::open(&dir)?.finish("second", &HashSet::new())
        });
        std::thread::sleep(Duration::from_millis(120));
        first.finish("first", &HashSet::new()).unwrap();
        let page = second.join().unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(page).unwrap(), "second");
    }
}
