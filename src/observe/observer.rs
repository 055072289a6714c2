//! What looks at outputs.

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
    /// Takes what a reader of the evidence must know of the pictures beside the output.
    pub noted: &'a Noted,
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

    /// Files of an item beside its outputs that shape what is seen, such as input pictures, as the item names
    /// them; their content is part of the fingerprint of each observation.
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

    /// Called before any work in a run, and only when there is work: checks what the observer needs. `own` is
    /// the place of a folder in the run folder for files of its own.
    ///
    /// # Errors
    /// Fails if it could not observe anything.
    fn begin(&self, _own: &Path) -> Result<(), ObserveError> {
        Ok(())
    }

    /// Called before [`Observer::begin`] where it has seen outputs of this run in the same way already: what
    /// it asks has answered before.
    fn worked_before(&self) {}

    /// Called after the work, however it ended.
    ///
    /// # Errors
    /// Fails if its own files cannot be written.
    fn end(&self, _own: &Path) -> Result<(), ObserveError> {
        Ok(())
    }

    /// One evidence object ([`crate::record::evidence`], the `evidence` key of the record) for each subject,
    /// in order. Results do not depend on how subjects are batched.
    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>>;
}
