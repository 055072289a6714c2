//! The [`Generator`] trait, with its requests and its answers.

use super::error::GenerateError;
use crate::cancel::Cancel;
use crate::model::weights::Checked;
use crate::record::Item;
use std::collections::BTreeMap;

/// One output to make.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The item.
    pub item: &'a Item,
    /// The folder to which relative paths in `item.images` refer.
    pub base: &'a std::path::Path,
    /// The number of the output among those of the item, from 0.
    pub repeat: u32,
    /// Derived from the run's seed, the item and the repeat. It does not depend on order, shards or
    /// interruptions.
    pub seed: u64,
}

/// The answer of a generator.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Pixels, which the engine encodes as PNG on another core.
    Pixels(image::RgbImage),
    /// An encoded picture, which is stored byte for byte.
    Encoded {
        /// The content of the picture's file.
        bytes: Vec<u8>,
        /// The extension without the dot, according to the bytes.
        extension: &'static str,
    },
    /// An answer in words.
    Text(String),
}

/// An answer, with the other content of its record.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The output.
    pub answer: Answer,
    /// Seconds by phase. The engine measures the total itself.
    pub timings: BTreeMap<String, f64>,
    /// Further keys for the output's record, such as the number of tokens, a revised prompt or a truncation.
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

/// Makes outputs of items. The engine makes one generator for each worker, and calls each from one thread.
pub trait Generator: Send {
    /// Makes one output, which must depend only on the request and on the generator's settings.
    ///
    /// # Errors
    /// Fails if this output cannot be made, no further output can be made, or Ctrl-C was pressed.
    fn generate(
        &mut self,
        request: &Request<'_>,
        cancel: &Cancel,
    ) -> Result<Generated, GenerateError>;

    /// Called before the first request if outputs with the same settings exist already. So the server or
    /// program has answered before.
    fn worked_before(&mut self) {}

    /// The number of requests that it should get together, which may change between chunks. A pipeline whose
    /// networks do not fit into memory together first encodes all prompts of a chunk, then denoises, and then
    /// decodes.
    fn chunk(&self) -> usize {
        1
    }

    /// Checks the files of all its networks, as `how` says, and loads nothing.
    ///
    /// # Errors
    /// Fails if the networks cannot be loaded.
    fn check(&mut self, _how: Checked) -> Result<(), GenerateError> {
        Ok(())
    }

    /// How it would use the memory of the device, in lines for people. Empty if it runs no networks.
    fn plan(&self) -> Vec<String> {
        Vec::new()
    }

    /// Makes the outputs of a chunk. Calls `done` once for each request, with its index, as soon as its
    /// output is made.
    fn generate_chunk(&mut self, requests: &[Request<'_>], cancel: &Cancel, done: &mut Done<'_>) {
        for (index, request) in requests.iter().enumerate() {
            done(index, self.generate(request, cancel));
        }
    }
}

/// Receives the answer to one request of a chunk.
pub type Done<'a> = dyn FnMut(usize, Result<Generated, GenerateError>) + 'a;
