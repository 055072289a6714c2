//! What runs the networks of a phase.

use super::scratch::{Key, Named};
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
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
    /// Tensors or the answer.
    pub made: Made,
    /// Further keys for the output's record.
    pub extra: Object,
}

/// A step of a pipeline.
pub trait Stage: Send {
    /// Whether it has part in a request; another stage goes on without it.
    fn wants(&self, _: &Request<'_>) -> bool {
        true
    }

    /// How many requests it likes to take at a time.
    fn batch(&self) -> usize {
        1
    }

    /// Hash of everything of the request and of the settings that shapes what this stage makes, given what
    /// the stages before it made (`before`).
    ///
    /// # Errors
    /// Fails if the request cannot be read, such as a broken input image.
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
    /// Fails if this request cannot be made, or none can.
    fn run(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError>;
}
