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
}

impl Loss {
    /// A loss and its named parts, which are all scalars.
    pub fn new(total: Tensor, parts: &[(&'static str, Tensor)]) -> Self {
        Self {
            total,
            parts: parts.to_vec(),
        }
    }

    /// `loss` and the parts.
    ///
    /// # Errors
    /// Fails if a part is not a scalar.
    pub fn numbers(&self) -> Result<Numbers, TrainError> {
        let all = std::iter::once(("loss", &self.total));
        let parts = self.parts.iter().map(|(name, part)| (*name, part));
        all.chain(parts)
            .map(|(name, value)| Ok((name.to_owned(), f64::from(value.to_scalar::<f32>()?))))
            .collect()
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
