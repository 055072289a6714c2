//! What is seen: the [`Observer`] trait and one file per observer.
//!
//! An observer writes down raw evidence and never a score.

pub mod clip_score;
pub mod edit_pixels;
pub mod edit_similarity;
pub mod geneval_detector;
pub mod got_ocr;
pub mod hpsv2;
pub mod judge;
pub mod mplug_vqa;
pub mod openai_ocr;
pub mod ppocr;
pub mod quality;
pub mod qwen;
pub mod vqascore;
pub mod world;

mod checkpoints;
mod clip;
mod noted;
mod pictures;
mod questions;
mod registry;
mod reply;
mod source;

pub use checkpoints::checkpoints;
pub use noted::Noted;
pub use registry::{BuildError, NAMES, OpenDevice, assets, build, engine};

use crate::record::{Item, Output};
use serde_json::Value;
use std::path::Path;

/// One output to look at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub item: &'a Item,
    /// The folder that the item's relative pictures start from.
    pub base: &'a Path,
    pub output: &'a Output,
    /// Decoded picture, upright; absent when the output is text.
    pub image: Option<&'a image::RgbImage>,
    /// The picture's file.
    pub file: Option<&'a Path>,
    /// Takes what a reader of the evidence must know of the pictures beside the output.
    pub noted: &'a Noted,
}

/// Why one output could not be observed. `kind` is a short stable word for the record.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ObserveError {
    pub kind: &'static str,
    pub message: String,
    /// Set when no further output can be observed.
    pub halt: Option<Halt>,
}

/// Why the run ends. What is finished is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// Ctrl-C was pressed while waiting.
    Interrupted,
    /// A bound that the user set is reached, such as a budget.
    Incomplete { help: String },
    /// Something that the observer needs is not there any more.
    Environment { help: String },
}

impl ObserveError {
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            halt: None,
        }
    }

    /// The same as the end of the run.
    #[must_use]
    pub fn halting(mut self, halt: Halt) -> Self {
        self.halt = Some(halt);
        self
    }
}

/// Looks at outputs. Called from several threads at once.
pub trait Observer: Send + Sync {
    /// The name in `evidence.jsonl`.
    fn name(&self) -> &str;

    /// Everything that could change what is seen: settings, model hashes, versions. Part of the fingerprint.
    fn identity(&self) -> Value;

    /// What of an item shapes what is seen in its outputs; part of the fingerprint of each observation.
    fn asked(&self, _item: &Item) -> Value {
        Value::Null
    }

    /// Files of an item beside its outputs that shape what is seen, such as input pictures, as the item names them; their
    /// content is part of the fingerprint of each observation.
    fn files(&self, _item: &Item) -> Vec<String> {
        Vec::new()
    }

    /// How many subjects the engine should hand over at once.
    fn batch(&self) -> usize {
        1
    }

    /// What a reader of a table must know, for the row's name: who judged, and in which words.
    fn remark(&self) -> Option<String> {
        None
    }

    /// Called before any work in a run, and only when there is work: checks what the observer needs. `own` is the place
    /// of a folder in the run folder for files of its own.
    ///
    /// # Errors
    /// When it could not observe anything.
    fn begin(&self, _own: &Path) -> Result<(), ObserveError> {
        Ok(())
    }

    /// Called before [`Observer::begin`] where it has seen outputs of this run in the same way already: what it asks has
    /// answered before.
    fn worked_before(&self) {}

    /// Called after the work, however it ended.
    ///
    /// # Errors
    /// When its own files cannot be written.
    fn end(&self, _own: &Path) -> Result<(), ObserveError> {
        Ok(())
    }

    /// One evidence object (the `evidence` key of the record) per subject, in order. Results must not depend on
    /// how subjects are batched.
    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>>;
}
