//! A phase of a pipeline: its networks, and the stage that runs them.

use super::checkpoint::Shelf;
use super::network::AnyNetwork;
use super::part::Part;
use super::stage::Stage;
use crate::generate::error::GenerateError;
use crate::model::weights::Checked;
use candle_core::Device;

type Networks = Vec<Box<dyn AnyNetwork>>;
type OpenStage = dyn FnOnce(&Device) -> Result<Box<dyn Stage>, GenerateError>;

/// A phase by its configurations. Its networks are known, and no file is open.
pub struct Phase {
    name: &'static str,
    networks: Networks,
    stage: Box<OpenStage>,
}

impl Phase {
    /// A phase with this name. `stage` checks the settings, and opens what the stage needs in addition to its
    /// networks, such as tokenizers.
    pub fn new<S: Stage + 'static>(
        name: &'static str,
        networks: Networks,
        stage: impl FnOnce(&Device) -> Result<S, GenerateError> + 'static,
    ) -> Self {
        Self {
            name,
            networks,
            stage: Box::new(|device| Ok(Box::new(stage(device)?))),
        }
    }

    /// The parts of its networks, from their configurations alone.
    ///
    /// # Errors
    /// Fails if a configuration is wrong.
    pub fn parts(&self) -> Result<Vec<Part>, GenerateError> {
        let mut parts = Vec::new();
        for network in &self.networks {
            parts.extend(network.parts(self.name)?);
        }
        Ok(parts)
    }

    /// Opens the stage and the files of the networks. The weights are memory-mapped and loaded later.
    ///
    /// # Errors
    /// Fails if a setting is wrong, a file is absent or damaged, or weights and configuration do not fit.
    pub fn open(self, shelf: &Shelf, device: &Device) -> Result<OpenPhase, GenerateError> {
        let stage = (self.stage)(device)?;
        for network in &self.networks {
            network.open(shelf, device)?;
        }
        Ok(OpenPhase {
            name: self.name,
            networks: self.networks,
            stage,
        })
    }
}

/// An open phase. The networks are loaded before its first request and dropped when another phase needs the
/// memory.
pub struct OpenPhase {
    /// The name in timings and in the plan, such as `denoise`.
    pub name: &'static str,
    /// The stage, which runs the networks.
    pub stage: Box<dyn Stage>,
    networks: Networks,
}

impl OpenPhase {
    /// The device memory of the weights, in bytes.
    pub fn bytes(&self) -> u64 {
        self.networks.iter().map(|network| network.bytes()).sum()
    }

    /// Whether all its networks are loaded.
    pub fn is_loaded(&self) -> bool {
        self.networks.iter().all(|network| network.is_loaded())
    }

    /// Loads the networks. With `check`, their files are only checked, and nothing is loaded.
    ///
    /// # Errors
    /// Fails if the weights are wrong or do not fit.
    pub fn load(&self, check: Option<Checked>) -> Result<(), GenerateError> {
        let mut networks = self.networks.iter();
        networks.try_for_each(|network| network.load(check))
    }

    /// Drops the networks.
    pub fn unload(&self) {
        self.networks.iter().for_each(|network| network.unload());
    }
}
