//! A whole X-Omni as the task `xomni-decoder` writes it, of which a training replaces the autoregressive
//! model.

use super::parts::{FLUX_PARTS, copy, copy_flux_parts};
use crate::model::read_config;
use crate::model::weights::fingerprint;
use crate::model::xomni::XOmniConfig;
use crate::train::{TrainError, state};
use candle_core::Tensor;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of the checkpoint that decide what it is.
pub(super) const FILES: [&str; 2] = ["xomni/config.json", "xomni/model.safetensors"];
/// The weights of an autoregressive model, in its folder.
pub(super) const WEIGHTS: &str = "model.safetensors";

/// The folder of the authors' own files in a checkpoint, and the one that is laid out as FLUX.1's.
const OWN: &str = "xomni";
const FLUX: &str = "flux";
/// The folders of a whole X-Omni.
pub(super) struct Whole {
    folder: PathBuf,
    /// The folder of the decoder, below X-Omni's own.
    decoder: String,
}

impl Whole {
    /// # Errors
    /// Fails if the folder holds no whole X-Omni.
    pub(super) fn open(folder: PathBuf) -> Result<Self, TrainError> {
        let config = XOmniConfig::read(&folder.join(OWN))?;
        let decoder = config.vision()?.decoder.model_path.clone();
        Ok(Self { folder, decoder })
    }

    /// The folder that it was read from.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// X-Omni's own folder.
    pub(super) fn own(&self) -> PathBuf {
        self.folder.join(OWN)
    }

    /// The folder of the decoder.
    pub(super) fn decoder(&self) -> PathBuf {
        self.own().join(&self.decoder)
    }

    /// The folder that is laid out as FLUX.1's.
    pub(super) fn flux(&self) -> PathBuf {
        self.folder.join(FLUX)
    }

    /// The folders of everything between codes and pictures but for the tokenizer's.
    fn parts(&self) -> impl Iterator<Item = PathBuf> {
        let parts = FLUX_PARTS.map(|part| self.flux().join(part));
        parts.into_iter().chain([self.decoder()])
    }

    /// A hash of the decoder, the autoencoder and the text encoders.
    ///
    /// # Errors
    /// Fails if a file cannot be read.
    pub(super) fn fingerprint(&self) -> Result<String, TrainError> {
        let hashes = self
            .parts()
            .map(|part| fingerprint(&part).map_err(|error| TrainError::io(&part, error)));
        let hashes: Vec<String> = hashes.collect::<Result<_, _>>()?;
        Ok(hashes.join("-"))
    }

    /// Checks that an autoregressive model with this `config.json` can stand in place of this one's.
    ///
    /// # Errors
    /// Fails with the first key that differs.
    pub(super) fn check(&self, config: &Value, whose: &str) -> Result<(), TrainError> {
        let mine: Value = read_config(&self.own().join("config.json"))?;
        let both = [&mine, config];
        let keys = both.iter().filter_map(|config| config.as_object());
        let mut keys = keys.flat_map(|config| config.keys());
        let other = keys.find(|key| *key != "vision_config" && mine.get(*key) != config.get(*key));
        match other {
            None => Ok(()),
            Some(key) => Err(TrainError::Definition {
                message: format!(
                    "`from.system`: `{key}` in config.json of {} differs from that of {whose}",
                    self.folder.display()
                ),
            }),
        }
    }

    /// Copies everything to the folder of another checkpoint, and writes an autoregressive model there in
    /// place of this one's.
    ///
    /// # Errors
    /// Fails if a file cannot be read or written.
    pub(super) fn publish(
        &self,
        folder: &Path,
        weights: &BTreeMap<String, Tensor>,
    ) -> Result<(), TrainError> {
        copy_flux_parts(&self.flux(), &folder.join(FLUX))?;
        let own = folder.join(OWN);
        copy(&self.own(), &own)?;
        copy(&self.decoder(), &own.join(&self.decoder))?;
        state::write_weights(&own.join(WEIGHTS), weights)
    }
}
