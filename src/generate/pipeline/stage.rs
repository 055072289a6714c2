//! Stages, which run the networks of phases.

use super::scratch::{Key, Named};
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::record::Object;
use image::RgbImage;

/// The result of a stage for a request.
pub enum Made {
    /// Tensors for later stages.
    Tensors(Named),
    /// The picture that answers the request. No further stage runs.
    Pixels(RgbImage),
    /// The answer in words. No further stage runs.
    Text(String),
}

/// The result of a stage, with its additions to the output's record.
pub struct Step {
    /// Tensors or the answer.
    pub made: Made,
    /// Further keys for the output's record.
    pub extra: Object,
}

/// A step of a pipeline.
pub trait Stage: Send {
    /// Whether the stage is needed for a request. If not, the next stage runs without it.
    fn wants(&self, _: &Request<'_>) -> bool {
        true
    }

    /// The number of requests that the stage should get at a time.
    fn batch(&self) -> usize {
        1
    }

    /// The key of the stage's result: the hash of everything in the request and the settings that determines
    /// it, together with the key of the stage before it (`before`).
    ///
    /// # Errors
    /// Fails if the request cannot be read, such as a broken input image.
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError>;

    /// The same as [`Self::run`], for up to [`Self::batch`] requests. Returns one result for each, in their
    /// order.
    fn run_together(
        &mut self,
        requests: &[(&Request<'_>, &Named)],
        cancel: &Cancel,
    ) -> Vec<Result<Step, GenerateError>> {
        let each = requests.iter();
        each.map(|(request, before)| self.run(request, before, cancel))
            .collect()
    }

    /// Makes the result for a request from the results of the earlier stages.
    ///
    /// # Errors
    /// Fails if this request cannot be answered, or if no request can.
    fn run(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError>;
}
