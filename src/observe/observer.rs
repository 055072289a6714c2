//! The trait of observers, and the outputs that they look at.

use super::{Noted, ObserveError};
use crate::record::{Item, Output};
use serde_json::Value;
use std::path::Path;

/// One output to look at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What the model was asked.
    pub item: &'a Item,
    /// The folder that the item's relative pictures start from.
    pub base: &'a Path,
    /// What the model answered.
    pub output: &'a Output,
    /// The decoded picture, upright. `None` if the output is text.
    pub image: Option<&'a image::RgbImage>,
    /// The picture's file.
    pub file: Option<&'a Path>,
    /// Collects notes on the pictures beside the output, for readers of the evidence.
    pub noted: &'a Noted,
}

/// Looks at outputs. Several threads may call it at the same time.
pub trait Observer: Send + Sync {
    /// The name in `evidence.jsonl`.
    fn name(&self) -> &str;

    /// Everything that could change what is seen: settings, model hashes, versions. Part of the fingerprint.
    fn identity(&self) -> Value;

    /// The parts of an item that shape what is seen in its outputs. They are part of the fingerprint of each
    /// observation.
    fn asked(&self, _item: &Item) -> Value {
        Value::Null
    }

    /// The files of an item that shape what is seen, such as input pictures, by the paths that the item
    /// gives. Their content is part of the fingerprint of each observation.
    fn files(&self, _item: &Item) -> Vec<String> {
        Vec::new()
    }

    /// How many subjects the engine passes to one call.
    fn batch(&self) -> usize {
        1
    }

    /// What a reader of a table must know, such as the name of the judge. It becomes part of the name of the
    /// row.
    fn remark(&self) -> Option<String> {
        None
    }

    /// Checks what the observer needs. The engine calls it before any work in a run, and only if there is
    /// work. `own` is the path of a folder in the run folder for the observer's own files.
    ///
    /// # Errors
    /// Fails if the observer could not observe anything.
    fn begin(&self, _own: &Path) -> Result<(), ObserveError> {
        Ok(())
    }

    /// Says that this observer has observed outputs of this run before, so its server has answered before.
    /// The engine calls it before [`Observer::begin`].
    fn worked_before(&self) {}

    /// Ends the work. The engine calls it after an error too.
    ///
    /// # Errors
    /// Fails if the observer's own files cannot be written.
    fn end(&self, _own: &Path) -> Result<(), ObserveError> {
        Ok(())
    }

    /// One evidence object ([`crate::record::evidence`], the `evidence` key of the record) for each subject,
    /// in order. Results do not depend on how subjects are batched.
    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>>;
}
