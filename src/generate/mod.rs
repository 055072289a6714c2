//! Who answers: the [`Generator`] trait and one file per generator.

pub mod command;
mod diffusion;
mod echo;
pub mod flux;
pub mod folder;
mod identity;
pub mod openai;
mod parts;
mod picture;
mod place;
pub mod qwen_vl;
mod registry;
mod released;
mod spoken;
pub mod typeset;
pub mod uniworld;
mod world;
pub mod xomni;

pub use diffusion::plan_lines;
pub use identity::{resolved, weights};
pub use parts::{Part, parts, phases};
pub use place::{Place, Precision};
pub use registry::{BuildError, NAMES, Resources, build, check, in_process, wanted_assets};
pub use released::lay_out as lay_out_released;

use crate::cancel::Cancel;
use crate::model::weights::Checked;
use crate::record::Item;
use std::collections::BTreeMap;

/// One output to make.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The item.
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
    /// An encoded picture, stored byte for byte. `extension` without the dot, as sniffed from the bytes.
    Encoded {
        /// The bytes of the file.
        bytes: Vec<u8>,
        /// The usual extension of the format.
        extension: &'static str,
    },
    /// A text.
    Text(String),
}

/// An answer with what the record says beside it.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The answer.
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

/// Why one output could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GenerateError {
    /// This output fails; the run goes on. `kind` is a short stable word for the record.
    #[error("{message}")]
    Item {
        /// A short fixed word for the record.
        kind: &'static str,

        /// What happened, in words.
        message: String,
    },
    /// No further output can be made (server refuses the key, program not found, …): the run stops cleanly.
    #[error("{message}")]
    Fatal {
        /// What happened, in words.
        message: String,

        /// What to do.
        help: String,
    },
    /// Ctrl-C was pressed while waiting.
    #[error("interrupted")]
    Cancelled,
}

impl From<crate::remote::RemoteError> for GenerateError {
    fn from(error: crate::remote::RemoteError) -> Self {
        use crate::remote::RemoteError;
        match error {
            RemoteError::Item { kind, message } => Self::Item { kind, message },
            RemoteError::Fatal { message, help } => Self::Fatal { message, help },
            RemoteError::Cancelled => Self::Cancelled,
        }
    }
}

impl GenerateError {
    /// The item.
    pub fn item(kind: &'static str, message: impl Into<String>) -> Self {
        Self::Item {
            kind,
            message: message.into(),
        }
    }

    /// An error of all outputs.
    pub fn fatal(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Fatal {
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Turns items into outputs. The engine makes one generator per worker and calls each from one thread.
pub trait Generator: Send {
    /// Makes one output. Must depend on nothing but the request and the generator's settings.
    fn generate(
        &mut self,
        request: &Request<'_>,
        cancel: &Cancel,
    ) -> Result<Generated, GenerateError>;

    /// Called before the first request where outputs of the same settings are there already: what it asks has answered
    /// before.
    fn worked_before(&mut self) {}

    /// How many requests it likes to see together: a pipeline whose networks do not fit side by side encodes all
    /// prompts of a chunk, then denoises, then decodes.
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

    /// What it would do with the device's memory, for people; empty where it runs no networks.
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
