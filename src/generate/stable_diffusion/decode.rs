//! The phase `decode`: from latents to pixels, at the size that the benchmark stores.

use super::names::LATENTS;
use super::variant::weights_of;
use crate::cancel::Cancel;
use crate::generate::diffusion::to_pixels;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::image::pillow::{Filter, resize};
use crate::model::processor::CroppedProcessor;
use crate::model::stable_diffusion::{SafetyChecker, SafetyConfig, SdDecoder, SdVaeConfig};
use crate::model::{ModelError, Result};
use crate::record::{Object, add_note};
use candle_core::{DType, Device};
use image::RgbImage;
use serde_json::json;

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

struct Decode {
    decoder: Network<SdDecoder>,
    safety: Option<Safety>,
    device: Device,
    /// The number format of the network.
    dtype: DType,
    stored_size: Option<[u32; 2]>,
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
    let mut networks = vec![decoder.any()];
    networks.extend(safety.iter().map(|safety| safety.checker.any()));
    Phase::new("decode", networks, move |device| {
        Ok(Decode {
            decoder,
            safety,
            device: device.clone(),
            dtype,
            stored_size,
        })
    })
}

impl Stage for Decode {
    fn key(&self, _: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let parts = match &self.safety {
            Some(_) => json!(["decode", "safety checker"]),
            None => json!(["decode"]),
        };
        Ok(Key::after(before, &parts, &[]))
    }

    fn run(&mut self, _: &Request<'_>, before: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let decoder = self.decoder.get()?;
        let decode = || -> Result<RgbImage> {
            let latents = before
                .get(LATENTS)
                .ok_or_else(|| ModelError::Input("there are no latents to decode".into()))?;
            to_pixels(&decoder.decode(&latents.to_dtype(self.dtype)?)?)
        };
        let mut pixels = decode().map_err(running("decode"))?;
        let mut extra = Object::new();
        if let Some(safety) = &self.safety
            && safety.finds(&pixels, &self.device)?
        {
            pixels = RgbImage::new(pixels.width(), pixels.height());
            add_note(&mut extra, BLACKENED);
        }
        if let Some([width, height]) = self.stored_size {
            pixels = resize(&pixels, width, height, Filter::Bicubic);
        }
        Ok(Step {
            made: Made::Pixels(pixels),
            extra,
        })
    }
}
