//! The encoder of the reference images for FLUX, which the settings choose, and its projector.

use super::layout::OWN;
use super::settings::{Encoder, Reference, UniWorldSettings};
use crate::generate::error::GenerateError;
use crate::generate::pipeline::{
    AnyNetwork, CheckpointFolder, Location, Network, NetworkInfo, fatal, running,
};
use crate::image::pillow::Filter;
use crate::model::dinov2::{Dinov2, Dinov2Config};
use crate::model::flux_vae::{self, VaeConfig, placed_tokens, placed_width};
use crate::model::processor::FixedProcessor;
use crate::model::radio::{Radio, RadioConfig};
use crate::model::siglip::{SiglipConfig, SiglipVision};
use crate::model::uniworld::{Projector, UniWorldConfig};
use crate::model::{Result, read_config};
use candle_core::{Device, Tensor};
use image::RgbImage;
use std::path::PathBuf;

/// The side, in pixels, at which RADIO gives 32 × 32 patches of 16 pixels.
const RADIO_SIDE: u32 = 512;

/// The side, in pixels, at which DINOv2 gives 32 × 32 patches of 14 pixels.
const DINOV2_SIDE: u32 = 448;

/// The side, in pixels, of a picture for the VAE.
const VAE_SIDE: u32 = 512;

/// The file with the projector of an encoder other than SigLIP, which training writes into the checkpoint.
const PROJECTOR: &str = "projector.safetensors";

enum Eye {
    Siglip(SiglipVision),
    /// The network, and the number of tokens before the patches.
    Dinov2(Dinov2, usize),
    Radio(Radio),
    Vae(Box<flux_vae::Encoder>),
}

/// The encoder and its projector by their configurations.
pub(super) struct ReferenceNetworks {
    eye: Network<Eye>,
    projector: Network<Projector>,
    processor: FixedProcessor,
    /// The encoder's folder.
    folder: PathBuf,
}

/// The encoder with its projector.
pub(super) struct ReferenceEncoder {
    eye: Network<Eye>,
    projector: Network<Projector>,
    processor: FixedProcessor,
    device: Device,
}

impl ReferenceNetworks {
    /// The encoder that the settings choose. `None` if they choose none.
    ///
    /// # Errors
    /// Fails if its configuration is absent or wrong, or its sizes cannot be read from its weights.
    pub(super) fn read(
        settings: &UniWorldSettings,
        config: &UniWorldConfig,
        folder: &CheckpointFolder,
    ) -> Result<Option<Self>, GenerateError> {
        let encoder = settings.reference.encoder;
        let Some(location) = encoder_location(settings, folder)? else {
            return Ok(None);
        };
        let place = location.path.clone();
        let (eye, width, processor) = match encoder {
            Encoder::None => return Ok(None),
            Encoder::Siglip => siglip(location, folder)?,
            Encoder::Dinov2 => dinov2(location, false, folder)?,
            Encoder::Dinov2Registers => dinov2(location, true, folder)?,
            Encoder::Radio => radio(location, folder)?,
            Encoder::Vae => vae(location, settings.reference.size, folder)?,
        };
        let output = config.denoise_tower.output_hidden_size;
        Ok(Some(Self {
            eye,
            projector: projector(&settings.reference, width, output, folder),
            processor,
            folder: place,
        }))
    }

    /// The two networks.
    pub(super) fn networks(&self) -> [Box<dyn AnyNetwork>; 2] {
        [self.eye.any(), self.projector.any()]
    }

    /// Opens the encoder, and reads how pictures are prepared for it.
    ///
    /// # Errors
    /// Fails if the encoder has no projector of its own, or if its published preparation is not supported.
    pub(super) fn open(
        self,
        settings: &UniWorldSettings,
        folder: &CheckpointFolder,
        device: &Device,
    ) -> Result<ReferenceEncoder, GenerateError> {
        let mut processor = self.processor.with_published(&self.folder).map_err(fatal)?;
        if let Some(size) = settings.reference.size {
            processor.size = size;
        }
        let beside = folder.location_of(PROJECTOR).path;
        let named = settings.reference.projector.is_some() || beside.is_file();
        if !named && settings.reference.encoder != Encoder::Siglip {
            return Err(GenerateError::fatal(
                format!(
                    "`reference.projector` is not set, and there is no {}",
                    beside.display()
                ),
                "an encoder other than siglip needs the projector that was trained with it: set its file",
            ));
        }
        Ok(ReferenceEncoder {
            eye: self.eye,
            projector: self.projector,
            processor,
            device: device.clone(),
        })
    }
}

/// The folder of the encoder. `None` if the settings choose none.
fn encoder_location(
    settings: &UniWorldSettings,
    folder: &CheckpointFolder,
) -> Result<Option<Location>, GenerateError> {
    let Reference {
        encoder,
        checkpoint,
        ..
    } = &settings.reference;
    let Some(name) = encoder.folder() else {
        return Ok(None);
    };
    let mut location = folder.location_of(name);
    if let Some(path) = checkpoint {
        location.path.clone_from(path);
    }
    if location.path.join("config.json").is_file() {
        return Ok(Some(location));
    }
    let own = settings.checkpoint.join(name);
    let missing = checkpoint.as_ref().unwrap_or(&own);
    Err(GenerateError::fatal(
        format!(
            "{}: no such file: the reference encoder's configuration",
            missing.join("config.json").display()
        ),
        "set `reference.checkpoint` to the folder of the encoder",
    ))
}

/// SigLIP's projector is among the weights of the checkpoint. That of another encoder is in a file of its
/// own.
fn projector(
    reference: &Reference,
    width: usize,
    output: usize,
    folder: &CheckpointFolder,
) -> Network<Projector> {
    let dtype = folder.dtype();
    let named = reference.projector.as_ref();
    if reference.encoder == Encoder::Siglip && named.is_none() {
        let info = NetworkInfo::new("siglip_projector", folder.location_of(OWN), dtype);
        return Network::new(info, move |weights| {
            Projector::new(&weights.at("denoise_tower.siglip_projector"), width, output)
        });
    }
    let mut location = folder.location_of(PROJECTOR);
    if let Some(path) = named {
        location.path.clone_from(path);
    }
    let info = NetworkInfo::new("reference projector", location, dtype);
    Network::new(info, move |weights| Projector::new(weights, width, output))
}

impl ReferenceEncoder {
    /// The projected features [n, N, J] of pictures.
    ///
    /// # Errors
    /// Fails if the device is out of memory.
    pub(super) fn encode(&self, pictures: &[RgbImage]) -> Result<Tensor, GenerateError> {
        let wrong = running("prompt");
        let pixels = || -> Result<Tensor> {
            let each = pictures
                .iter()
                .map(|picture| self.processor.prepare(picture));
            let each: Vec<Tensor> = each.collect::<Result<_>>()?;
            Ok(Tensor::stack(&each, 0)?.to_device(&self.device)?)
        };
        let pixels = pixels().map_err(&wrong)?;
        let features = match &*self.eye.get()? {
            Eye::Siglip(tower) => tower.forward(&pixels),
            Eye::Radio(network) => network.forward(&pixels),
            Eye::Vae(encoder) => placed_tokens(encoder, &pixels),
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

/// The encoder, the width of its tokens, and the preparation of pictures for it.
type Read = (Network<Eye>, usize, FixedProcessor);

fn siglip(location: Location, folder: &CheckpointFolder) -> Result<Read, GenerateError> {
    let path = location.path.join("config.json");
    let config: SiglipConfig = read_config(&path).map_err(fatal)?;
    let config = config.vision().clone();
    let (width, size) = (config.hidden_size, config.image_size as u32);
    let info = NetworkInfo::new("SigLIP", location, folder.dtype());
    let eye = Network::new(info, move |weights| {
        Ok(Eye::Siglip(SiglipVision::new(&config, weights)?))
    });
    Ok((eye, width, FixedProcessor::siglip(size)))
}

/// DINOv2. `registers` requires a network with registers.
fn dinov2(
    location: Location,
    registers: bool,
    folder: &CheckpointFolder,
) -> Result<Read, GenerateError> {
    let path = location.path.join("config.json");
    let config: Dinov2Config = read_config(&path).map_err(fatal)?;
    if registers && config.num_register_tokens == 0 {
        return Err(GenerateError::fatal(
            format!("{}: this DINOv2 has no registers", location.path.display()),
            "give a checkpoint with registers, or set `reference.encoder = \"dinov2\"`",
        ));
    }
    let (width, before) = (config.hidden_size, 1 + config.num_register_tokens);
    let info = NetworkInfo::new("DINOv2", location, folder.dtype());
    let eye = Network::new(info, move |weights| {
        Ok(Eye::Dinov2(Dinov2::new(&config, weights)?, before))
    });
    Ok((eye, width, FixedProcessor::dinov2(DINOV2_SIDE)))
}

/// RADIO, whose sizes follow from its weights alone.
fn radio(location: Location, folder: &CheckpointFolder) -> Result<Read, GenerateError> {
    let path = location.path.join("config.json");
    let config: RadioConfig = read_config(&path).map_err(fatal)?;
    let files = folder.shelf().open(&location.path)?;
    let width = Radio::width(&files).ok_or_else(|| {
        GenerateError::fatal(
            format!(
                "{}: these are not weights of RADIO",
                location.path.display()
            ),
            "give a folder with the published safetensors",
        )
    })?;
    let info = NetworkInfo {
        stored: Some(files),
        ..NetworkInfo::new("RADIO", location, folder.dtype())
    };
    let eye = Network::new(info, move |weights| {
        Ok(Eye::Radio(Radio::new(&config, weights)?))
    });
    Ok((eye, width, FixedProcessor::radio(RADIO_SIDE)))
}

/// FLUX's own VAE. The width of its tokens depends on the size of the pictures.
fn vae(
    location: Location,
    size: Option<u32>,
    folder: &CheckpointFolder,
) -> Result<Read, GenerateError> {
    let config: VaeConfig = read_config(&location.path.join("config.json")).map_err(fatal)?;
    let size = size.unwrap_or(VAE_SIDE);
    let width = placed_width(&config, size as usize);
    let info = NetworkInfo::new("VAE encoder", location, folder.dtype());
    let eye = Network::new(info, move |weights| {
        Ok(Eye::Vae(Box::new(flux_vae::Encoder::new(
            &config, weights,
        )?)))
    });
    let processor = FixedProcessor {
        filter: Filter::Bicubic,
        ..FixedProcessor::siglip(size)
    };
    Ok((eye, width, processor))
}
