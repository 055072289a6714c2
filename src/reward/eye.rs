//! An opened observer, and what its looks depend on.

use super::Shown;
use crate::config::Settings;
use crate::files::sha256_of_file;
use crate::guard::caught;
use crate::observe::{Noted, ObserveError, Observer, Subject};
use crate::record::{Evidence, Failure, Item, Object, Output, add_note};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Instant;

/// The kind of observer that sends the output's file to others.
const SENDS_FILES: &str = "judge";

/// An observer that is open, with the settings that it was opened with.
pub struct Eye {
    kind: String,
    settings: Value,
    observer: Box<dyn Observer>,
}

/// What one look gave.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The evidence, or why there is none.
    pub evidence: Result<Value, Failure>,
    /// Seconds that the look took.
    pub seconds: f64,
    /// Notes for readers of the evidence.
    pub notes: Vec<String>,
}

impl Eye {
    /// An observer with the name and the settings that it was opened with.
    pub(super) fn new(kind: &str, settings: &Settings, observer: Box<dyn Observer>) -> Self {
        Self {
            kind: kind.to_owned(),
            settings: settings.to_json(),
            observer,
        }
    }

    /// Whether this is that observer with those settings.
    pub(super) fn is(&self, kind: &str, settings: &Settings) -> bool {
        self.kind == kind && self.settings == settings.to_json()
    }

    /// The observer's name in evidence.
    pub fn name(&self) -> &str {
        self.observer.name()
    }

    /// How many outputs it likes to see together.
    pub fn batch(&self) -> usize {
        self.observer.batch().max(1)
    }

    /// Whether it needs the output's file, and not only its pixels.
    pub fn needs_file(&self) -> bool {
        self.kind == SENDS_FILES
    }

    /// The files of an item that it opens.
    pub fn files(&self, item: &Item) -> Vec<String> {
        self.observer.files(item)
    }

    /// Checks what the observer needs, before its first look.
    ///
    /// # Errors
    /// Fails if it could not observe anything.
    pub fn begin(&self, own: &Path) -> Result<(), ObserveError> {
        self.observer.begin(own)
    }

    /// Ends its work.
    ///
    /// # Errors
    /// Fails if its own files cannot be written.
    pub fn end(&self, own: &Path) -> Result<(), ObserveError> {
        self.observer.end(own)
    }

    /// A hash of all that a look depends on beside the observer: looks with equal keys see the same.
    /// `content` is the hash of the output's picture or words.
    pub fn key(&self, item: &Item, base: &Path, content: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(content);
        hash.update([0_u8]);
        hash.update(self.observer.asked(item).to_string());
        for file in self.observer.files(item) {
            hash.update([0_u8]);
            let content = sha256_of_file(&base.join(&file));
            hash.update(content.unwrap_or_else(|_| "absent".into()));
        }
        hash.finalize().into()
    }

    /// Looks at outputs, as many together as the observer likes. One result each, in order.
    pub fn look(&self, shown: &[Shown<'_>]) -> Vec<Seen> {
        let batches = shown.chunks(self.batch());
        batches
            .flat_map(|batch| self.look_together(batch))
            .collect()
    }

    fn look_together(&self, shown: &[Shown<'_>]) -> Vec<Seen> {
        let start = Instant::now();
        let noted: Vec<Noted> = shown.iter().map(|_| Noted::default()).collect();
        let subjects: Vec<Subject<'_>> = shown
            .iter()
            .zip(&noted)
            .map(|(shown, noted)| Subject {
                item: shown.item,
                base: shown.base,
                output: shown.output,
                image: shown.image,
                file: shown.file,
                noted,
            })
            .collect();
        let results = caught(|| self.observer.observe(&subjects)).unwrap_or_else(|said| {
            let said = said.unwrap_or_else(|| "the observer stopped without a reason".into());
            let failed = || Err(ObserveError::new("panic", said.clone()));
            subjects.iter().map(|_| failed()).collect()
        });
        let seconds = start.elapsed().as_secs_f64() / shown.len().max(1) as f64;
        let short = || {
            let why = "the observer answered for fewer outputs than it was given";
            Err(ObserveError::new("short", why))
        };
        let mut results = results.into_iter();
        let seen = noted.into_iter().map(|noted| Seen {
            evidence: results
                .next()
                .unwrap_or_else(short)
                .map(as_read)
                .map_err(failure),
            seconds,
            notes: noted.into_notes(),
        });
        seen.collect()
    }
}

/// Evidence as grading reads it from a file. The reader of JSON may differ from what was written in the last
/// bit of a number, and a reward here is the same as that of `grade` to the last bit.
fn as_read(evidence: Value) -> Value {
    serde_json::from_str(&evidence.to_string()).unwrap_or(evidence)
}

/// A failed look as records have it.
fn failure(error: ObserveError) -> Failure {
    Seen::failed(error.kind, error.message)
}

impl Seen {
    /// A failure to look; `kind` is a short stable word.
    pub fn failed(kind: &str, message: impl Into<String>) -> Failure {
        Failure {
            stage: "observe".into(),
            kind: kind.into(),
            message: message.into(),
        }
    }

    /// A look that gave nothing.
    pub fn nothing(why: Failure) -> Self {
        Self {
            evidence: Err(why),
            seconds: 0.0,
            notes: Vec::new(),
        }
    }

    /// The record of this look at an output.
    pub fn record(&self, observer: &str, output: &Output) -> Evidence {
        let mut extra = Object::new();
        for note in &self.notes {
            add_note(&mut extra, note);
        }
        Evidence {
            item: output.item.clone(),
            repeat: output.repeat,
            observer: observer.to_owned(),
            fingerprint: String::new(),
            seconds: self.seconds,
            evidence: self.evidence.as_ref().ok().cloned(),
            error: self.evidence.as_ref().err().cloned(),
            extra,
        }
    }
}
