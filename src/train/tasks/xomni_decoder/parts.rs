//! The checkpoints that X-Omni is put together from, and the folder that it is written to.

use crate::model::flux::FluxConfig;
use crate::model::read_config;
use crate::model::weights::Files;
use crate::train::codes::ImageTokenizer;
use crate::train::sources::files;
use crate::train::tasks::parts::{copy, copy_flux_parts, write_json};
use crate::train::tasks::xomni_ar::TOKENIZER;
use crate::train::{TrainError, state};
use crate::world::SIDE;
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of the checkpoint that the training writes itself.
pub(super) const FILES: [&str; 3] = [
    "xomni/config.json",
    "xomni/diffusers/config.json",
    "xomni/diffusers/diffusion_pytorch_model.safetensors",
];
/// The decoder's folder, below the checkpoint's own.
pub(super) const DECODER: &str = "diffusers";
/// The layer that takes the features of codes.
const EMBED: &str = "siglip_embed.weight";

/// Folders and configurations.
pub(super) struct Parts {
    flux: PathBuf,
    ar: PathBuf,
    /// Of FLUX's transformer and of the autoregressive model.
    transformer: Value,
    config: Value,
}

impl Parts {
    /// `token` is the side in pixels of what FLUX takes for a token.
    ///
    /// # Errors
    /// Fails if a configuration is damaged, or the parts do not belong together.
    pub(super) fn open(
        flux: &Path,
        ar: PathBuf,
        images: &ImageTokenizer,
        token: usize,
    ) -> Result<Self, TrainError> {
        let config: Value = read_config(&ar.join("config.json"))?;
        let wrong = |message: String| Err(TrainError::Definition { message });
        if config[TOKENIZER] != json!(images.fingerprint()?) {
            return wrong(format!(
                "`from.ar`: {} was trained with another tokenizer than {}",
                ar.display(),
                images.folder().display()
            ));
        }
        if token * images.side != SIDE as usize {
            return wrong(format!(
                "`from.flux` has tokens of {token} pixels, but `from.tokenizer` has {} codes along a side of {SIDE} pixels: \
                 the cells must be the same",
                images.side
            ));
        }
        Ok(Self {
            flux: flux.to_owned(),
            transformer: read_config(&flux.join("transformer/config.json"))?,
            ar,
            config,
        })
    }

    /// # Errors
    /// Fails if a field is absent.
    pub(super) fn flux_config(&self) -> Result<FluxConfig, TrainError> {
        serde_json::from_value(self.transformer.clone()).map_err(TrainError::definition)
    }

    /// The weights that the training begins with: FLUX, and zeros where features of so many numbers join.
    ///
    /// # Errors
    /// Fails if FLUX has no weights.
    pub(super) fn base(
        &self,
        config: &FluxConfig,
        features: usize,
    ) -> Result<Vec<(String, Arc<Files>)>, TrainError> {
        let transformer = files(&self.flux.join("transformer"))?;
        let embed = Tensor::zeros((config.width(), features), DType::F32, &Device::Cpu)?;
        let zeros = Files::made(transformer.path(), [(EMBED.to_owned(), embed)].into());
        let own = String::new;
        Ok(vec![(own(), Arc::new(zeros)), (own(), transformer)])
    }

    /// Writes `xomni/` and `flux/`; `decoder` is what `vision_config` says of the decoder with these weights.
    ///
    /// # Errors
    /// Fails if a file cannot be read or written.
    pub(super) fn publish(
        &self,
        folder: &Path,
        decoder: Value,
        images: &ImageTokenizer,
        weights: &BTreeMap<String, Tensor>,
    ) -> Result<(), TrainError> {
        copy_flux_parts(&self.flux, &folder.join("flux"))?;
        let own = folder.join("xomni");
        copy(images.folder(), &own)?;
        copy(&self.ar, &own)?;
        let mut config = self.config.clone();
        config["vision_config"] = json!({
            "dtype": "float32",
            "transform": images.json["transform"],
            "encoder": images.json["encoder"],
            "decoder": decoder,
        });
        write_json(&folder.join(FILES[0]), &config)?;
        write_json(&folder.join(FILES[1]), &self.transformer)?;
        state::write_weights(&folder.join(FILES[2]), weights)
    }
}
