//! A training from its first or last step to its checkpoint.

use super::definition::TrainingFile;
use super::optimizer::AdamW;
use super::place::{Event, Place};
use super::setup::Setup;
use super::sources::Sources;
use super::state::{self, Progress};
use super::task::{Learner, Numbers};
use super::{TrainError, curve};
use crate::files::{Lock, LockError, hex};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// The file that a complete training leaves beside its checkpoint.
pub const RECORD: &str = "training.json";

/// How a training ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The checkpoint is written; the record of the training.
    Complete(Value),
    /// It was complete before, so nothing was done.
    Already(Value),
    /// Interrupted after a step; the state is saved.
    Interrupted {
        /// The last step that was done.
        step: u64,
    },
}

/// Trains a network from its first step or its last saved one.
///
/// # Errors
/// Fails if the definition has a mistake, the folder holds another training, or a step fails.
pub fn run(training: &TrainingFile, place: &Place<'_>) -> Result<Outcome, TrainError> {
    let folder = place.folder;
    std::fs::create_dir_all(folder).map_err(|error| TrainError::io(folder, error))?;
    let _lock = lock(folder)?;
    let definition = toml::to_string(training).map_err(TrainError::definition)?;
    let fingerprint = fingerprint(training)?;
    if place.restart {
        state::remove(&folder.join(RECORD))?;
        state::remove(&folder.join(state::FILE))?;
    } else if let Some(record) = complete(folder, &fingerprint)? {
        return Ok(Outcome::Already(record));
    }
    training.task.check_roles(&training.from)?;
    let learner = (training.task.open)(&Setup {
        seed: training.seed,
        batch: training.batch,
        trainable: &training.trainable,
        network: &training.network,
        settings: &training.settings,
        sources: Sources::new(&training.from, place),
        device: place.device,
        folder,
        rewards: place.rewards,
    })?;
    let variables = learner.variables().by_name();
    let mut optimizer = AdamW::new(&training.optimizer, training.steps, variables)?;
    let mut progress = Progress {
        step: 0,
        seconds: 0.0,
        fingerprint,
        foundations: learner.foundations(),
    };
    if let Some((saved, tensors)) = state::open(folder)? {
        let path = folder.join(state::FILE);
        let wrong = |problem: String| TrainError::State { path, problem };
        if saved.fingerprint != progress.fingerprint {
            return Err(wrong(
                "it belongs to a training with another definition".into(),
            ));
        }
        if let Some(name) = changed(&saved.foundations, &progress.foundations) {
            return Err(wrong(format!(
                "the training began with another `{name}` than there is now"
            )));
        }
        optimizer.restore(&tensors).map_err(wrong)?;
        progress = saved;
        (place.on)(Event::Resumed {
            step: progress.step,
        });
    } else {
        // An earlier checkpoint does not belong to this training.
        for file in learner.files() {
            state::remove(&folder.join(file))?;
        }
    }
    let curve = curve::Curve::open(folder, progress.step)?;
    state::replace(&folder.join("training.toml"), definition.as_bytes())?;
    let mut steps = Steps {
        training,
        place,
        learner: &*learner,
        optimizer,
        progress,
        curve,
        save_due: false,
    };
    steps.complete_all()
}

/// The name of something that a training builds on and that is not what it was.
fn changed<'a>(
    before: &'a BTreeMap<String, String>,
    now: &'a BTreeMap<String, String>,
) -> Option<&'a str> {
    let mut names = before.keys().chain(now.keys());
    let name = names.find(|name| before.get(*name) != now.get(*name));
    name.map(String::as_str)
}

/// Keeps other processes out of the folder until the training ends.
fn lock(folder: &Path) -> Result<Lock, TrainError> {
    Lock::take(folder, ".lock").map_err(|error| match error {
        LockError::Held { folder, holder } => TrainError::Busy { folder, holder },
        LockError::File(error) => TrainError::io(folder, error),
    })
}

/// A hash of everything that decides the weights. Titles and descriptions are not part of it, and neither are
/// the steps of checks and of saved states.
fn fingerprint(training: &TrainingFile) -> Result<String, TrainError> {
    let essential = TrainingFile {
        title: String::new(),
        description: String::new(),
        save_every: 0,
        check_every: 0,
        ..training.clone()
    };
    let definition = toml::to_string(&essential).map_err(TrainError::definition)?;
    let digest = Sha256::digest(definition);
    Ok(hex(&digest[..8]))
}

/// The record of a complete training of this definition.
fn complete(folder: &Path, fingerprint: &str) -> Result<Option<Value>, TrainError> {
    let path = folder.join(RECORD);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TrainError::io(&path, error)),
    };
    let record: Value = serde_json::from_str(&text).map_err(|error| TrainError::State {
        path: path.clone(),
        problem: error.to_string(),
    })?;
    if record["fingerprint"] == fingerprint {
        Ok(Some(record))
    } else {
        Err(TrainError::State {
            path,
            problem: "it belongs to a training with another definition".into(),
        })
    }
}

/// A training under way.
struct Steps<'a> {
    training: &'a TrainingFile,
    place: &'a Place<'a>,
    learner: &'a dyn Learner,
    optimizer: AdamW,
    progress: Progress,
    curve: curve::Curve,
    /// Whether a state should be saved as soon as the learner rests.
    save_due: bool,
}

impl Steps<'_> {
    fn complete_all(&mut self) -> Result<Outcome, TrainError> {
        let mut checked = Numbers::new();
        while self.progress.step < self.training.steps {
            let stop = self.place.cancel.is_raised() || self.progress.step >= self.place.until;
            if stop && self.learner.rests(self.progress.step) {
                self.save()?;
                return Ok(Outcome::Interrupted {
                    step: self.progress.step,
                });
            }
            self.step()?;
            let step = self.progress.step;
            let last = step == self.training.steps;
            if last || step.is_multiple_of(self.training.check_every) {
                checked = self.optimizer.averaged(|| self.learner.check())?;
                self.curve.add(step, &checked)?;
                (self.place.on)(Event::Checked {
                    step,
                    numbers: &checked,
                });
            }
            self.save_due |= step.is_multiple_of(self.training.save_every);
            if last || (self.save_due && self.learner.rests(step)) {
                self.save()?;
            }
        }
        self.finish(checked)
    }

    fn step(&mut self) -> Result<(), TrainError> {
        let began = Instant::now();
        let step = self.progress.step + 1;
        let loss = self.learner.loss_beside(step, &self.optimizer)?;
        let mut numbers = loss.numbers()?;
        if !numbers.iter().all(|(_, value)| value.is_finite()) {
            return Err(TrainError::NotFinite { what: "loss", step });
        }
        let grads = loss.total.backward()?;
        let moved = self.optimizer.step(step, &grads)?;
        numbers.push(("learning_rate".into(), moved.learning_rate));
        numbers.push(("gradient".into(), moved.gradient));
        self.progress.step = step;
        self.progress.seconds += began.elapsed().as_secs_f64();
        self.curve.add(step, &numbers)?;
        (self.place.on)(Event::Step {
            step,
            numbers: &numbers,
        });
        Ok(())
    }

    fn save(&mut self) -> Result<(), TrainError> {
        self.save_due = false;
        self.curve.flush()?;
        state::save(self.place.folder, &self.progress, self.optimizer.state()?)
    }

    /// Writes the checkpoint, then the record that says it is whole, and removes the state last.
    fn finish(&mut self, mut checked: Numbers) -> Result<Outcome, TrainError> {
        let folder = self.place.folder;
        let mut weights = self.optimizer.averages()?;
        let parameters: usize = weights.values().map(|tensor| tensor.elem_count()).sum();
        // The checkpoint has the frozen weights, too.
        weights.extend(self.learner.variables().fixed());
        let known = self.optimizer.averaged(|| {
            if checked.is_empty() {
                checked = self.learner.check()?;
            }
            self.learner.publish(folder, weights)
        })?;
        let named = |numbers: Numbers| {
            let pairs = numbers.into_iter();
            pairs
                .map(|(name, value)| (name, Value::from(value)))
                .collect::<serde_json::Map<_, _>>()
        };
        let mut record = json!({
            "name": self.training.name,
            "fingerprint": self.progress.fingerprint,
            "program": {"version": env!("CARGO_PKG_VERSION"), "commit": env!("UNIGAUGE_COMMIT")},
            "steps": self.progress.step,
            "seconds": self.progress.seconds,
            "parameters": parameters,
            "checked": named(checked),
            "known": named(known),
        });
        if !self.progress.foundations.is_empty() {
            record["foundations"] = json!(self.progress.foundations);
        }
        self.curve.thin()?;
        let text = format!("{record:#}\n");
        state::replace(&folder.join(RECORD), text.as_bytes())?;
        state::remove(&folder.join(state::FILE))?;
        Ok(Outcome::Complete(record))
    }
}
