//! Where an observer's networks come from: assets of the hub, or files that the user names.

use crate::hub::{Hub, HubError};
use crate::model::{ModelError, Result};
use std::path::{Path, PathBuf};

/// The files of one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkpoint {
    /// The configuration. `None` if it is built into the program.
    pub config: Option<PathBuf>,
    /// A file, or a folder of shards.
    pub weights: PathBuf,
    /// The folder of the tokenizer's files, if there is one.
    pub tokenizer: Option<PathBuf>,
}

impl Checkpoint {
    /// A checkpoint that the user names: a folder as its authors publish it, or a file of weights alone.
    ///
    /// # Errors
    /// Fails if there is nothing at the path.
    pub(super) fn named(path: &Path, configs: &[&str]) -> Result<Self> {
        if path.is_file() {
            return Ok(Self {
                config: None,
                weights: path.into(),
                tokenizer: None,
            });
        }
        if !path.is_dir() {
            return Err(ModelError::file(
                path,
                "no such file or folder",
                "give a folder with configuration and weights, or leave out the option and run `unigauge fetch` for the observer's assets",
            ));
        }
        let config = configs.iter().map(|name| path.join(name));
        Ok(Self {
            config: config.into_iter().find(|config| config.is_file()),
            weights: path.into(),
            tokenizer: Some(path.into()),
        })
    }

    /// A checkpoint among the assets. An absent asset is fetched if the network may be used. The tokenizer is
    /// a file `tokenizer.json`.
    ///
    /// # Errors
    /// Fails if an asset cannot be obtained.
    pub(super) fn asset(
        hub: &Hub,
        weights: &str,
        config: Option<&str>,
        tokenizer: Option<&str>,
    ) -> std::result::Result<Self, HubError> {
        let folder = |path: PathBuf| path.parent().map(Path::to_path_buf).unwrap_or(path);
        let config = config.map(|id| hub.ensure(id)).transpose()?;
        let tokenizer = tokenizer.map(|id| hub.ensure(id)).transpose()?;
        Ok(Self {
            config,
            weights: hub.ensure(weights)?,
            tokenizer: tokenizer.map(folder),
        })
    }

    /// A hash of the weights.
    ///
    /// # Errors
    /// Fails if a file cannot be read.
    pub(super) fn fingerprint(&self) -> Result<String> {
        crate::model::weights::fingerprint(&self.weights)
            .map_err(|error| ModelError::io(&self.weights, &error))
    }
}
