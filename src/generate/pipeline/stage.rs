//! One step of a pipeline, with the networks that only it needs.

use super::scratch::{Key, Named};
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::model::weights::Checked;
use crate::record::Object;
use image::RgbImage;

/// What a stage makes of a request.
pub enum Made {
    /// For the stages after it.
    Tensors(Named),
    /// The answer: no further stage is asked.
    Pixels(RgbImage),
    /// The answer in words.
    Text(String),
}

/// What a stage made, with what the output's record says of it.
pub struct Step {
    pub made: Made,
    pub extra: Object,
}

/// A step of a pipeline. The networks are loaded before its first request and dropped when another stage needs the
/// memory.
pub trait Stage: Send {
    /// The phase's name in timings and in the plan, such as `denoise`.
    fn name(&self) -> &'static str;

    /// Device memory that its weights take, in bytes.
    fn bytes(&self) -> u64;

    fn loaded(&self) -> bool;

    /// Loads the networks. With `check` their files are only looked at, and nothing is loaded.
    ///
    /// # Errors
    /// When the weights are wrong or do not fit.
    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError>;

    fn unload(&mut self);

    /// Whether it has part in a request; another stage goes on without it.
    fn wants(&self, _: &Request<'_>) -> bool {
        true
    }

    /// How many requests it likes to take at a time.
    fn batch(&self) -> usize {
        1
    }

    /// Hash of everything of the request and of the settings that shapes what this stage makes, given what the stages
    /// before it made (`before`).
    ///
    /// # Errors
    /// When the request cannot be read, such as a broken input image.
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError>;

    /// As [`Self::run`] for up to [`Self::batch`] requests; one result each, in their order.
    fn run_together(
        &mut self,
        requests: &[(&Request<'_>, &Named)],
        cancel: &Cancel,
    ) -> Vec<Result<Step, GenerateError>> {
        let each = requests.iter();
        each.map(|(request, before)| self.run(request, before, cancel))
            .collect()
    }

    /// Makes its part of a request from what the stages before it made.
    ///
    /// # Errors
    /// When this request cannot be made, or none can.
    fn run(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError>;
}
