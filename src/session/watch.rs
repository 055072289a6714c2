//! Scores the sample folders of checkpoints as a training writes them.

use super::prepared::suite_observers;
use super::sample_folders::{Changes, sample_folders};
use super::{MadeRun, PictureFolder, PictureRequest, SelectedSuite, Session, SessionError};
use crate::files::sha256_hex;
use crate::generate::folder::Inventory;
use crate::observe::Observer;
use crate::record::Summary;
use crate::run::{Manifest, RunFolder, read_json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The longest time between two looks at the folder.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a waiting watch checks whether it must end.
const STEP: Duration = Duration::from_millis(50);

/// Which folder to watch, and how its samples are scored.
#[derive(Debug, Clone)]
pub struct WatchRequest {
    /// How each sample folder is scored. Its `pictures` is the watched folder. Each sub-folder is scored as a
    /// run with the name of the sub-folder.
    pub pictures: PictureRequest,
    /// A sample folder without a file `done` is complete when nothing in it changed for this time.
    pub settle: Duration,
    /// Whether only the sample folders are scored that are there at the beginning. It waits until each of
    /// them is complete.
    pub once: bool,
}

/// What a watch reports of one sample folder.
pub enum Watched<'a> {
    /// An earlier run scored it, and nothing was added since.
    Known {
        /// Whether outputs of it have no score.
        is_partial: bool,
    },
    /// It is complete, and is going to be scored.
    Complete(&'a Inventory),
    /// It was scored.
    Scored(&'a MadeRun),
    /// It is not scored, for this reason.
    Skipped(String),
}

/// Hears of the sample folders, by their names.
pub type Hear<'a> = dyn FnMut(&str, Watched<'_>) + 'a;

impl Session {
    /// Scores each sample folder as it appears, until the session is cancelled or, if that is asked for, all
    /// that are there are scored. What an earlier watch scored is known from the run folders.
    ///
    /// # Errors
    /// Fails if the folder cannot be listed, the suite has mistakes, or a folder cannot be scored.
    pub fn watch(&self, request: &WatchRequest, hear: &mut Hear<'_>) -> Result<(), SessionError> {
        let mut watch = Watch::begin(self, request)?;
        let mut names = sample_folders(&watch.folder)?;
        loop {
            for name in &names {
                if !self.cancel().is_raised() && !watch.finished.contains(name) {
                    watch.look(name, hear)?;
                }
            }
            let is_over = request.once && names.iter().all(|name| watch.is_handled(name));
            if self.cancel().is_raised() || is_over {
                return Ok(());
            }
            watch.pause();
            if !request.once {
                names = sample_folders(&watch.folder)?;
            }
        }
    }
}

/// A watch with what it knows.
struct Watch<'a> {
    session: &'a Session,
    request: &'a WatchRequest,
    /// The watched folder, absolute.
    folder: PathBuf,
    selected: SelectedSuite,
    /// Made for the first sample folder.
    observers: Option<Vec<Box<dyn Observer>>>,
    /// The sample folders that were seen.
    seen: BTreeMap<String, Changes>,
    /// Those that were skipped, or scored with pictures missing, and have not changed since.
    skipped: BTreeSet<String>,
    /// Those that were scored with all their pictures.
    finished: BTreeSet<String>,
}

/// An earlier run over a sample folder.
struct Earlier {
    is_partial: bool,
    /// When it began.
    began: SystemTime,
}

impl<'a> Watch<'a> {
    fn begin(session: &'a Session, request: &'a WatchRequest) -> Result<Self, SessionError> {
        let pictures = &request.pictures;
        let folder = std::path::absolute(&pictures.pictures);
        let folder = folder.unwrap_or_else(|_| pictures.pictures.clone());
        let items = pictures.items.as_deref();
        let from = Path::new("");
        let selected =
            SelectedSuite::load(session, &pictures.suite, from, items, &pictures.select)?;
        Ok(Self {
            session,
            request,
            folder,
            selected,
            observers: None,
            seen: BTreeMap::new(),
            skipped: BTreeSet::new(),
            finished: BTreeSet::new(),
        })
    }

    fn is_handled(&self, name: &str) -> bool {
        self.finished.contains(name) || self.skipped.contains(name)
    }

    /// Looks at one sample folder, and scores it if it is complete.
    fn look(&mut self, name: &str, hear: &mut Hear<'_>) -> Result<(), SessionError> {
        let earlier = self.earlier(name)?;
        let is_known = |earlier: &Earlier| !earlier.is_partial;
        if earlier.as_ref().is_some_and(is_known) {
            self.finished.insert(name.to_owned());
            hear(name, Watched::Known { is_partial: false });
            return Ok(());
        }
        let path = self.folder.join(name);
        let changes = self.seen.entry(name.to_owned()).or_default();
        if changes.look(&path) {
            self.skipped.remove(name);
        }
        if self.skipped.contains(name) {
            return Ok(());
        }
        // Pictures that came after an earlier run are scored too.
        if earlier.is_some_and(|earlier| !changes.is_newer_than(earlier.began)) {
            self.skipped.insert(name.to_owned());
            hear(name, Watched::Known { is_partial: true });
            return Ok(());
        }
        if !changes.is_complete(&path, self.request.settle) {
            return Ok(());
        }
        self.score(name, path, hear)
    }

    fn score(
        &mut self,
        name: &str,
        pictures: PathBuf,
        hear: &mut Hear<'_>,
    ) -> Result<(), SessionError> {
        let request = PictureRequest {
            pictures,
            run_name: Some(run_name(name)),
            ..self.request.pictures.clone()
        };
        let folder = match PictureFolder::open(self.session, &request) {
            Ok(folder) if folder.inventory().found == 0 => {
                let why = "it has no picture of the suite".to_owned();
                self.skip(name, why, hear);
                return Ok(());
            }
            Ok(folder) => folder,
            Err(SessionError::Pictures(error)) => {
                self.skip(name, error.to_string(), hear);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        hear(name, Watched::Complete(folder.inventory()));
        let observers = match self.observers.take() {
            Some(observers) => observers,
            None => suite_observers(self.session, &self.selected.suite, request.device)?,
        };
        let made = folder.score_by(self.session, &observers)?;
        self.observers = Some(observers);
        if let Some(titled) = &made.summary {
            let is_partial = titled.summary.partial;
            let handled = if is_partial {
                &mut self.skipped
            } else {
                &mut self.finished
            };
            handled.insert(name.to_owned());
            hear(name, Watched::Scored(&made));
        }
        Ok(())
    }

    fn skip(&mut self, name: &str, why: String, hear: &mut Hear<'_>) {
        self.skipped.insert(name.to_owned());
        hear(name, Watched::Skipped(why));
    }

    /// The run that scored what is asked for of a sample folder.
    ///
    /// # Errors
    /// Fails if the run folder is damaged, or is that of another sample folder.
    fn earlier(&self, name: &str) -> Result<Option<Earlier>, SessionError> {
        let request = &self.request.pictures;
        let suite = &self.selected.suite.name;
        let root = request.out.join(suite).join(&request.model);
        let run = RunFolder::at(root.join(run_name(name)));
        if !run.manifest().is_file() {
            return Ok(None);
        }
        let manifest = Manifest::read(&run)?;
        let pictures = self.folder.join(name);
        let settings = &manifest.model.as_json()["settings"];
        match settings["path"].as_str() {
            Some(path) if Path::new(path) == pictures => {}
            other => {
                return Err(SessionError::OtherPictures {
                    run: run.root().to_owned(),
                    pictures: other.unwrap_or("another model").to_owned(),
                });
            }
        }
        let is_same = manifest.selection == self.selected.selection;
        if !is_same || manifest.finished.is_none() || !run.summary().is_file() {
            return Ok(None);
        }
        let summary: Summary = read_json(&run.summary())?;
        Ok(Some(Earlier {
            is_partial: summary.partial,
            began: manifest.started.into(),
        }))
    }

    /// Waits until the next look, or the end.
    fn pause(&self) {
        let mut left = LOOK_EVERY.min(self.request.settle / 4).max(STEP);
        while !left.is_zero() && !self.session.cancel().is_raised() {
            let step = left.min(STEP);
            std::thread::sleep(step);
            left -= step;
        }
    }
}

/// The name of the run of a sample folder. A name that no run can have is changed, and gets a part of its
/// hash.
fn run_name(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if name.chars().all(is_plain) {
        return name.to_owned();
    }
    let plain = |c| if is_plain(c) { c } else { '-' };
    let plain: String = name.chars().map(plain).collect();
    format!("{plain}-{}", &sha256_hex(name)[..6])
}

#[cfg(test)]
mod tests {
    use super::run_name;

    #[test]
    fn every_folder_has_a_run_of_its_own() {
        assert_eq!(run_name("step-1000"), "step-1000");
        assert_eq!(run_name("epoch_3.5"), "epoch_3.5");
        let names = [run_name("step=1 000"), run_name("step 1=000")];
        assert!(names[0].starts_with("step-1-000-") && names[1].starts_with("step-1-000-"));
        assert_ne!(names[0], names[1]);
    }
}
