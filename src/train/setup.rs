//! What a task makes its network from.

use super::TrainError;
use super::scores::Rewards;
use super::sources::{Sources, files};
use crate::config::Settings;
use crate::model::weights::{Files, Variables};
use candle_core::Device;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;

/// The parts of a definition that belong to the task, and the checkpoints that the training begins from.
pub struct Setup<'a> {
    /// The seed of all random choices.
    pub seed: u64,
    /// How many samples a step has.
    pub batch: usize,
    /// Which parameters learn, by their names: `*` stands for any characters.
    pub trainable: &'a [String],
    /// The network's `config.json`.
    pub network: &'a Settings,
    /// What belongs to the task, such as the weights of a loss.
    pub settings: &'a Settings,
    /// The checkpoints that the training begins from.
    pub sources: Sources<'a>,
    /// Where the network is computed.
    pub device: &'a Device,
    /// The folder of the checkpoint, for what a training shows of itself.
    pub folder: &'a Path,
    /// Opens rewards, by name.
    pub rewards: &'a Rewards<'a>,
}

impl Setup<'_> {
    /// The settings of the task.
    ///
    /// # Errors
    /// Fails if they have a mistake.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, TrainError> {
        self.settings.read().map_err(TrainError::definition)
    }

    /// The configuration of the network.
    ///
    /// # Errors
    /// Fails if it has a mistake.
    pub fn network<T: DeserializeOwned>(&self) -> Result<T, TrainError> {
        self.network.read().map_err(TrainError::definition)
    }

    /// The batches that so many samples make.
    pub fn batches(&self, samples: u64) -> u64 {
        samples / self.batch.max(1) as u64
    }

    /// The parameters of a network, which begin with the weights of `files`, each below a prefix; the others
    /// begin at random.
    pub fn variables(&self, files: Vec<(String, Arc<Files>)>) -> Arc<Variables> {
        let trainable = self.trainable.to_vec();
        Variables::from_base(self.seed, self.device.clone(), files, trainable)
    }

    /// The parameters of a network of one folder, which begin with those of `from.begin` where that is named.
    ///
    /// # Errors
    /// Fails if the folder is not there or has no weights.
    pub fn own_variables(&self) -> Result<Arc<Variables>, TrainError> {
        let begin = self.sources.get("begin")?.map(|folder| files(&folder));
        let begin = begin.transpose()?.map(|files| (String::new(), files));
        Ok(self.variables(begin.into_iter().collect()))
    }
}
