//! The files of a checkpoint, and the networks in them.

use crate::generate::error::GenerateError;
use crate::generate::pipeline::{CheckpointFolder, Network, NetworkInfo, fatal};
use crate::model::bagel::{Bagel, BagelConfig, Eye};
use crate::model::flux_vae::{Decoder, Encoder, VaeConfig, bfl};
use crate::model::weights::Files;
use candle_core::DType;
use std::sync::Arc;

/// The weights of the decoder and of the eyes.
const EMA: &str = "ema.safetensors";
/// The weights of the autoencoder, in its authors' layout.
const AE: &str = "ae.safetensors";
/// The configuration of another autoencoder than FLUX.1's, in the form of diffusers. The weights then have the
/// names of diffusers. No published checkpoint has it.
const AE_CONFIG: &str = "ae.json";

/// The parts in which people see the decoder.
const SPLIT: &[(&str, &str)] = &[
    ("language_model.", "decoder"),
    ("", "latent and time embedders"),
];

/// The parts in which people see the eyes.
const EYES: &[(&str, &str)] = &[("vit_model.", "SigLIP NaViT"), ("", "connector")];

/// A checkpoint by its configurations, and by the sizes of its tensors where it has no configuration.
pub(super) struct Checkpoint {
    /// Its folder.
    pub folder: CheckpointFolder,
    /// The sizes of the decoder and of the eyes.
    pub config: BagelConfig,
    /// The sizes of the autoencoder.
    pub vae: VaeConfig,
    /// Whether the autoencoder has its authors' layout.
    is_bfl: bool,
    ema: Option<Arc<Files>>,
}

impl Checkpoint {
    /// Reads the configurations. Without weights, sizes that are in no configuration are those of the
    /// release.
    ///
    /// # Errors
    /// Fails if a configuration is absent or wrong, or a file of weights is damaged.
    pub(super) fn read(folder: &CheckpointFolder) -> Result<Self, GenerateError> {
        let config = BagelConfig::read(folder.path()).map_err(fatal)?;
        let open = |name: &str| {
            let path = folder.path().join(name);
            let open = || folder.shelf().open(&path);
            path.is_file().then(open).transpose()
        };
        let is_bfl = !folder.path().join(AE_CONFIG).is_file();
        let vae = match open(AE)? {
            _ if !is_bfl => folder.config(AE_CONFIG)?,
            Some(files) => bfl::config(&files).map_err(fatal)?,
            None => VaeConfig::flux(),
        };
        Ok(Self {
            is_bfl,
            ema: open(EMA)?,
            folder: folder.clone(),
            config,
            vae,
        })
    }

    /// Side of a token of latents, in pixels.
    pub(super) fn token_pixels(&self) -> u32 {
        2 * self.vae.scale_factor() as u32
    }

    /// The decoder, in the number format of the folder.
    pub(super) fn bagel(&self) -> Network<Bagel> {
        let info = NetworkInfo {
            split: SPLIT,
            stored: self.ema.clone(),
            ..NetworkInfo::new("decoder", self.folder.location_of(EMA), self.folder.dtype())
        };
        let config = self.config.clone();
        Network::new(info, move |weights| Bagel::new(&config, weights))
    }

    /// The eyes. They are small and always in f32, as in the authors' evaluation.
    pub(super) fn eye(&self) -> Network<Eye> {
        let info = NetworkInfo {
            split: EYES,
            stored: self.ema.clone(),
            ..NetworkInfo::new("SigLIP NaViT", self.folder.location_of(EMA), DType::F32)
        };
        let config = self.config.clone();
        Network::new(info, move |weights| Eye::new(&config, weights))
    }

    /// The first half of the autoencoder, in f32.
    pub(super) fn encoder(&self) -> Network<Encoder> {
        let config = self.vae.clone();
        let build = move |weights: &_| Encoder::new(&config, weights);
        Network::new(self.vae_info("VAE encoder"), build)
    }

    /// The second half of the autoencoder, in f32.
    pub(super) fn decoder(&self) -> Network<Decoder> {
        let config = self.vae.clone();
        let build = move |weights: &_| Decoder::new(&config, weights);
        Network::new(self.vae_info("VAE decoder"), build)
    }

    fn vae_info(&self, name: &'static str) -> NetworkInfo {
        NetworkInfo {
            in_files: if self.is_bfl { Some(bfl::stored) } else { None },
            ..NetworkInfo::new(name, self.folder.location_of(AE), DType::F32)
        }
    }
}
