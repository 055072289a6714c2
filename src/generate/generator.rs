//! The [`Generator`] trait, with what it is asked and what it answers.

use super::error::GenerateError;
use crate::cancel::Cancel;
use crate::model::weights::Checked;
use crate::record::Item;
use std::collections::BTreeMap;

/// One output to make.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What is asked.
    pub item: &'a Item,
    /// Folder that relative `item.images` are relative to.
    pub base: &'a std::path::Path,
    /// 0-based among the outputs asked for that item.
    pub repeat: u32,
    /// Derived from (run seed, item, repeat); independent of order, shards and resume.
    pub seed: u64,
}

/// What a generator answers with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Pixels that the engine encodes as PNG, on another core.
    Pixels(image::RgbImage),
    /// An encoded picture, stored byte for byte.
    Encoded {
        /// The content of the picture's file.
        bytes: Vec<u8>,
        /// Without the dot, as sniffed from the bytes.
        extension: &'static str,
    },
    /// An answer in words.
    Text(String),
}

/// An answer with what the record says beside it.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The output.
    pub answer: Answer,
    /// Seconds by phase, beside the total that the engine measures.
    pub timings: BTreeMap<String, f64>,
    /// Further keys for the output's record (tokens used, revised prompt, truncation, …).
    pub extra: crate::record::Object,
}

impl From<Answer> for Generated {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            timings: BTreeMap::new(),
            extra: crate::record::Object::new(),
        }
    }
}

/// Turns items into outputs. The engine makes one generator per worker and calls each from one thread.
pub trait Generator: Send {
    /// Makes one output. Must depend on nothing but the request and the generator's settings.
    ///
    /// # Errors
    /// Fails if this output cannot be made, no further output can be made, or Ctrl-C was pressed.
    fn generate(
        &mut self,
        request: &Request<'_>,
        cancel: &Cancel,
    ) -> Result<Generated, GenerateError>;

    /// Called before the first request where outputs of the same settings are there already: what it asks has
    /// answered before.
    fn worked_before(&mut self) {}

    /// How many requests it likes to see together: a pipeline whose networks do not fit side by side encodes
    /// all prompts of a chunk, then denoises, then decodes.
    fn chunk(&self) -> usize {
        1
    }

    /// Looks at the files of all its networks, as far as `how` says, and loads nothing.
    ///
    /// # Errors
    /// What loading them would say.
    fn check(&mut self, _how: Checked) -> Result<(), GenerateError> {
        Ok(())
    }

    /// What it would do with the device's memory, for people. Empty if it runs no networks.
    fn plan(&self) -> Vec<String> {
        Vec::new()
    }

    /// Makes the outputs of a chunk; calls `done` once for each request, by its index, as soon as it is made.
    fn generate_chunk(&mut self, requests: &[Request<'_>], cancel: &Cancel, done: &mut Done<'_>) {
        for (index, request) in requests.iter().enumerate() {
            done(index, self.generate(request, cancel));
        }
    }
}

/// Takes the answer to one request of a chunk.
pub type Done<'a> = dyn FnMut(usize, Result<Generated, GenerateError>) + 'a;
