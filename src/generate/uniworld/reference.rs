//! What looks at the reference images for FLUX: an encoder that the settings choose, and its projector.

use super::settings::{Encoder, UniWorldSettings};
use crate::generate::GenerateError;
use crate::generate::diffusion::{Network, fatal};
use crate::model::dinov2::{Dinov2, Dinov2Config};
use crate::model::processor::FixedProcessor;
use crate::model::radio::{Radio, RadioConfig};
use crate::model::siglip::{SiglipConfig, SiglipVision};
use crate::model::uniworld::{Config, Projector};
use crate::model::weights::{Checked, Files};
use crate::model::{Result, read_config};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use std::path::Path;
use std::sync::Arc;

/// Side for RADIO at which it gives 32 × 32 patches of 16 pixels.
const RADIO_SIDE: u32 = 512;

/// Side for DINOv2 at which it gives 32 × 32 patches of 14 pixels.
const DINOV2_SIDE: u32 = 448;

/// The projector of an encoder other than SigLIP, as training leaves it in the checkpoint.
pub const PROJECTOR: &str = "projector.safetensors";

enum Eye {
    Siglip(SiglipVision),
    /// With the number of tokens before the patches.
    Dinov2(Dinov2, usize),
    Radio(Radio),
}

/// The encoder with its projector.
pub struct ReferenceEncoder {
    eye: Network<Eye>,
    projector: Network<Projector>,
    processor: FixedProcessor,
    device: Device,
}

impl ReferenceEncoder {
    /// The encoder of the settings; none when they want none.
    ///
    /// # Errors
    /// When a checkpoint is absent or wrong, or the encoder has no projector of its own.
    pub fn open(
        settings: &UniWorldSettings,
        config: &Config,
        files: &Arc<Files>,
        dtype: DType,
        device: &Device,
    ) -> Result<Option<Self>, GenerateError> {
        let own = settings
            .checkpoint
            .join(settings.reference.encoder.folder());
        let folder = settings.reference.checkpoint.as_deref().unwrap_or(&own);
        let (eye, width, processor) = match settings.reference.encoder {
            Encoder::None => return Ok(None),
            Encoder::Siglip => siglip(folder, dtype, device)?,
            Encoder::Dinov2 => dinov2(folder, false, dtype, device)?,
            Encoder::Dinov2Registers => dinov2(folder, true, dtype, device)?,
            Encoder::Radio => radio(folder, dtype, device)?,
        };
        let mut processor = processor.with_published(folder).map_err(fatal)?;
        if let Some(size) = settings.reference.size {
            processor.size = size;
        }
        let output = config.denoise_tower.output_hidden_size;
        let beside = settings.checkpoint.join(PROJECTOR);
        let named = settings.reference.projector.as_ref();
        let file = match (named, settings.reference.encoder) {
            (Some(path), _) => Some(path),
            (None, Encoder::Siglip) => None,
            (None, _) if beside.is_file() => Some(&beside),
            (None, _) => {
                return Err(GenerateError::fatal(
                    format!(
                        "`reference.projector` is not set, and there is no {}",
                        beside.display()
                    ),
                    "an encoder other than siglip needs the projector that was trained with it: set its file",
                ));
            }
        };
        let projector = match file {
            Some(path) => Network::open(path, dtype, device, move |weights| {
                Projector::new(weights, width, output)
            })?,
            None => Network::of(files.clone(), dtype, device, move |weights| {
                Projector::new(&weights.at("denoise_tower.siglip_projector"), width, output)
            })?,
        };
        Ok(Some(Self {
            eye,
            projector,
            processor,
            device: device.clone(),
        }))
    }

    pub fn bytes(&self) -> u64 {
        self.eye.bytes() + self.projector.bytes()
    }

    pub fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        self.eye.load(check)?;
        self.projector.load(check)
    }

    pub fn unload(&mut self) {
        self.eye.unload();
        self.projector.unload();
    }

    /// Projected features [n, N, J] of pictures.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn encode(&mut self, pictures: &[RgbImage]) -> Result<Tensor, GenerateError> {
        let wrong = crate::generate::diffusion::running("prompt");
        let pixels = || -> Result<Tensor> {
            let each = pictures
                .iter()
                .map(|picture| self.processor.prepare(picture));
            let each: Vec<Tensor> = each.collect::<Result<_>>()?;
            Ok(Tensor::stack(&each, 0)?.to_device(&self.device)?)
        };
        let pixels = pixels().map_err(&wrong)?;
        let features = match self.eye.get()? {
            Eye::Siglip(tower) => tower.forward(&pixels),
            Eye::Radio(network) => network.forward(&pixels),
            Eye::Dinov2(network, before) => network.forward(&pixels).and_then(|states| {
                let patches = states.dim(1)? - before;
                Ok(states.narrow(1, *before, patches)?.contiguous()?)
            }),
        };
        let projector = self.projector.get()?;
        features
            .and_then(|features| projector.forward(&features))
            .map_err(&wrong)
    }
}

type Opened = (Network<Eye>, usize, FixedProcessor);

fn siglip(folder: &Path, dtype: DType, device: &Device) -> Result<Opened, GenerateError> {
    let path = folder.join("config.json");
    let config: SiglipConfig = read_config(&path).map_err(fatal)?;
    let config = config.vision().clone();
    let (width, size) = (config.hidden_size, config.image_size as u32);
    let eye = Network::open(folder, dtype, device, move |weights| {
        Ok(Eye::Siglip(SiglipVision::new(&config, weights)?))
    })?;
    Ok((eye, width, FixedProcessor::siglip(size)))
}

fn dinov2(
    folder: &Path,
    registers: bool,
    dtype: DType,
    device: &Device,
) -> Result<Opened, GenerateError> {
    let config = dinov2_config(folder, registers)?;
    let (width, before) = (config.hidden_size, 1 + config.num_register_tokens);
    let eye = Network::open(folder, dtype, device, move |weights| {
        Ok(Eye::Dinov2(Dinov2::new(&config, weights)?, before))
    })?;
    Ok((eye, width, FixedProcessor::dinov2(DINOV2_SIDE)))
}

fn radio(folder: &Path, dtype: DType, device: &Device) -> Result<Opened, GenerateError> {
    let (config, files, width) = radio_files(folder)?;
    let eye = Network::of(files, dtype, device, move |weights| {
        Ok(Eye::Radio(Radio::new(&config, weights)?))
    })?;
    Ok((eye, width, FixedProcessor::radio(RADIO_SIDE)))
}

/// DINOv2's configuration; `registers` asks for a network that has them.
///
/// # Errors
/// When it is absent or wrong, or the network has no registers.
pub fn dinov2_config(folder: &Path, registers: bool) -> Result<Dinov2Config, GenerateError> {
    let config: Dinov2Config = read_config(&folder.join("config.json")).map_err(fatal)?;
    if registers && config.num_register_tokens == 0 {
        return Err(GenerateError::fatal(
            format!("{}: this DINOv2 has no registers", folder.display()),
            "give a checkpoint with registers, or set `reference.encoder = \"dinov2\"`",
        ));
    }
    Ok(config)
}

/// RADIO's configuration, its weights, and the width of its tokens, which only the weights tell.
///
/// # Errors
/// When a file is absent or wrong.
pub fn radio_files(folder: &Path) -> Result<(RadioConfig, Arc<Files>, usize), GenerateError> {
    let config: RadioConfig = read_config(&folder.join("config.json")).map_err(fatal)?;
    let files = Arc::new(Files::open(folder).map_err(fatal)?);
    let width = Radio::width(&files).ok_or_else(|| {
        GenerateError::fatal(
            format!("{}: these are not weights of RADIO", folder.display()),
            "give a folder with the published safetensors",
        )
    })?;
    Ok((config, files, width))
}
