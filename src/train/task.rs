//! What a training needs of the network that it trains.

use super::TrainError;
use super::optimizer::AdamW;
use crate::model::weights::Variables;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Numbers by name, in an order for people.
pub type Numbers = Vec<(String, f64)>;

/// The loss of one step: a scalar with its graph, and its parts.
pub struct Loss {
    /// The scalar that is minimised.
    pub total: Tensor,
    parts: Vec<(&'static str, Tensor)>,
    more: Numbers,
}

impl Loss {
    /// A loss and its named parts, which are all scalars.
    pub fn new(total: Tensor, parts: &[(&'static str, Tensor)]) -> Self {
        Self {
            total,
            parts: parts.to_vec(),
            more: Numbers::new(),
        }
    }

    /// The same loss with further numbers of its step.
    #[must_use]
    pub fn with(self, more: Numbers) -> Self {
        Self { more, ..self }
    }

    /// `loss`, the parts and the further numbers.
    ///
    /// # Errors
    /// Fails if a part is not a scalar.
    pub fn numbers(&self) -> Result<Numbers, TrainError> {
        let all = std::iter::once(("loss", &self.total));
        let parts = self.parts.iter().map(|(name, part)| (*name, part));
        let scalars = all.chain(parts);
        let scalars = scalars
            .map(|(name, value)| Ok((name.to_owned(), f64::from(value.to_scalar::<f32>()?))));
        scalars.chain(self.more.iter().cloned().map(Ok)).collect()
    }
}

/// A network that learns.
pub trait Learner {
    /// What is trained.
    fn variables(&self) -> &Arc<Variables>;

    /// The loss of a step, from 1. It depends only on the weights, the seed and the step.
    ///
    /// # Errors
    /// Fails if the network cannot be computed.
    fn loss(&self, step: u64) -> Result<Loss, TrainError>;

    /// The same as [`Self::loss`], for a network that learns from the moving average of its own weights:
    /// `averages` puts it in place.
    ///
    /// # Errors
    /// Fails when [`Self::loss`] fails.
    fn loss_beside(&self, step: u64, _averages: &AdamW) -> Result<Loss, TrainError> {
        self.loss(step)
    }

    /// Whether a training may rest after a step: a state is saved only there, and an interruption waits
    /// for it.
    fn rests(&self, _step: u64) -> bool {
        true
    }

    /// Hashes of what a training by reward builds on, by name. A training goes on only with the same.
    fn foundations(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Measures how good the network is on samples that training does not see.
    ///
    /// # Errors
    /// Fails if the network cannot be computed.
    fn check(&self) -> Result<Numbers, TrainError>;

    /// The files of the checkpoint.
    fn files(&self) -> &'static [&'static str];

    /// Writes a checkpoint in the form in which it is published. The weights are the current ones of the
    /// network, with those that are frozen. Returns numbers that are worth knowing.
    ///
    /// # Errors
    /// Fails if the folder cannot be written.
    fn publish(
        &self,
        folder: &Path,
        weights: BTreeMap<String, Tensor>,
    ) -> Result<Numbers, TrainError>;
}
