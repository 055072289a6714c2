//! The autoregressive model: that of the checkpoint, or another one in its place.

use super::layout::OWN;
use super::settings::XOmniSettings;
use crate::generate::error::GenerateError;
use crate::generate::pipeline::{CheckpointFolder, Location, fatal};
use crate::model::read_config;
use crate::model::xomni::XOmniConfig;
use serde::Deserialize;
use std::path::Path;

/// The name of another model in the output of `--keys`.
const OTHER: &str = "language model";

/// An autoregressive model by its configuration.
pub(super) struct Language {
    /// Its sizes.
    pub config: XOmniConfig,
    /// Its folder.
    pub location: Location,
}

impl Language {
    /// The model that the settings name. `own` is the configuration of the checkpoint's.
    ///
    /// # Errors
    /// Fails if a configuration is absent or wrong, or the model was trained over other codes than those of
    /// the checkpoint's tokenizer.
    pub(super) fn read(
        settings: &XOmniSettings,
        own: XOmniConfig,
        folder: &CheckpointFolder,
    ) -> Result<Self, GenerateError> {
        let checkpoint = folder.below(OWN);
        let Some(path) = &settings.language_model else {
            return Ok(Self {
                config: own,
                location: checkpoint.location(),
            });
        };
        let config = XOmniConfig::read(path).map_err(fatal)?;
        let sizes = [own.image_vocab_size, config.image_vocab_size];
        let tokenizers = [tokenizer(checkpoint.path())?, tokenizer(path)?];
        let differ = matches!(&tokenizers, [Some(one), Some(other)] if one != other);
        if sizes[0] != sizes[1] || differ {
            return Err(GenerateError::fatal(
                format!(
                    "`language_model`: {} was trained over the codes of another tokenizer than that of {}",
                    path.display(),
                    checkpoint.path().display()
                ),
                "name a model that was trained over the tokenizer of `checkpoint`, or leave the setting out",
            ));
        }
        let location = Location {
            label: OTHER.into(),
            path: path.clone(),
        };
        Ok(Self { config, location })
    }
}

/// The hash of the tokenizer that a model was trained over. Only trainings of the miniature world write it.
fn tokenizer(folder: &Path) -> Result<Option<String>, GenerateError> {
    #[derive(Deserialize)]
    struct Trained {
        #[serde(default)]
        image_tokenizer_sha256: Option<String>,
    }
    let trained: Trained = read_config(&folder.join("config.json")).map_err(fatal)?;
    Ok(trained.image_tokenizer_sha256)
}
