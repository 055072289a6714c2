//! The phase `decode`: the autoencoder of Stable Diffusion, from latents to pixels, and the safety checker.

use super::variant::weights_of;
use crate::generate::error::GenerateError;
use crate::generate::latents::{self, Decode, to_pixels};
use crate::generate::pipeline::{CheckpointFolder, Network, NetworkInfo, Phase, fatal, running};
use crate::model::processor::CroppedProcessor;
use crate::model::stable_diffusion::{SafetyChecker, SafetyConfig, SdDecoder, SdVaeConfig};
use crate::model::{ModelError, Result};
use crate::record::add_note;
use candle_core::{DType, Device, Tensor};
use image::RgbImage;

/// What readers of the output are told when a picture is black.
const BLACKENED: &str = "the safety checker made the picture black";

/// The safety checker of a checkpoint.
pub(super) struct Safety {
    checker: Network<SafetyChecker>,
    processor: CroppedProcessor,
}

impl Safety {
    /// The checker of a folder that has `safety_checker/`.
    ///
    /// # Errors
    /// Fails if its configuration is absent or wrong.
    pub(super) fn of_folder(
        folder: &CheckpointFolder,
        variant: Option<&str>,
    ) -> Result<Self, GenerateError> {
        let config: SafetyConfig = folder.config("safety_checker/config.json")?;
        let side = u32::try_from(config.vision_config.image_size).map_err(|_| {
            fatal(ModelError::Input(
                "safety_checker/config.json: `image_size` is too large".into(),
            ))
        })?;
        let location = weights_of(folder, "safety_checker", variant);
        let info = NetworkInfo::new("safety checker", location, folder.dtype());
        Ok(Self {
            checker: Network::new(info, move |weights| SafetyChecker::new(&config, weights)),
            processor: CroppedProcessor::clip(side),
        })
    }

    /// Whether the picture is one that must not be shown.
    fn finds(&self, picture: &RgbImage, device: &Device) -> Result<bool, GenerateError> {
        let checker = self.checker.get()?;
        let look = || -> Result<bool> {
            let pixels = self.processor.prepare(picture)?.unsqueeze(0)?;
            checker.finds(&pixels.to_device(device)?)
        };
        look().map_err(running("decode"))
    }
}

/// The phase for a folder that has `vae/`.
pub(in crate::generate) fn decode_phase(
    folder: &CheckpointFolder,
    variant: Option<&str>,
    stored_size: Option<[u32; 2]>,
    config: SdVaeConfig,
) -> Phase {
    checked_decode_phase(folder, variant, stored_size, config, None)
}

/// The same with a safety checker, if there is one.
pub(super) fn checked_decode_phase(
    folder: &CheckpointFolder,
    variant: Option<&str>,
    stored_size: Option<[u32; 2]>,
    config: SdVaeConfig,
    safety: Option<Safety>,
) -> Phase {
    // The activations of SDXL's network overflow in f16, and lose too much in bf16.
    let dtype = if config.force_upcast {
        DType::F32
    } else {
        folder.dtype()
    };
    let location = weights_of(folder, "vae", variant);
    let info = NetworkInfo::new("VAE", location, dtype);
    let decoder = Network::new(info, move |weights| SdDecoder::new(&config, weights));
    let decode = move |decoder: &SdDecoder, latents: &Tensor| -> Result<RgbImage> {
        to_pixels(&decoder.decode(&latents.to_dtype(dtype)?)?)
    };
    let Some(safety) = safety else {
        return latents::decode_phase(decoder, stored_size, decode);
    };
    let networks = vec![decoder.any(), safety.checker.any()];
    Phase::new("decode", networks, move |device| {
        let device = device.clone();
        let checked = Decode::new(decoder, stored_size, move |decoder, latents, _, extra| {
            let picture = decode(decoder, latents).map_err(running("decode"))?;
            if !safety.finds(&picture, &device)? {
                return Ok(picture);
            }
            add_note(extra, BLACKENED);
            Ok(RgbImage::new(picture.width(), picture.height()))
        });
        Ok(checked.with_part("safety checker"))
    })
}
