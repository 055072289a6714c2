//! DINO: the vector of a whole picture, and the distance between the structures of two pictures.

use crate::model::dinov2::{Dinov2, Dinov2Config};
use crate::model::processor::CroppedProcessor;
use crate::model::vit::{Vit, VitConfig};
use crate::model::weights::{Files, load};
use crate::model::{ModelError, Result, read_config};
use crate::observe::source::Checkpoint;
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

/// Mean and standard deviation of ImageNet's pictures, by channel.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];
/// The shorter side that PIE-Bench's pictures are resized to, and the largest length of the longer side, in
/// pixels.
const STRUCTURE_SHORT: usize = 224;
const STRUCTURE_LONG: usize = 480;

enum Network {
    First(Vit),
    Second(Dinov2),
}

/// DINO, which represents a whole picture by the state of its class token.
pub(super) struct Dino {
    network: Network,
    processor: CroppedProcessor,
    device: Device,
}

impl Dino {
    /// # Errors
    /// Fails if a file is absent or damaged, or is neither DINO.
    pub(super) fn open(checkpoint: &Checkpoint, device: &Device) -> Result<Self> {
        #[derive(Deserialize)]
        struct Kind {
            #[serde(default)]
            model_type: String,
        }
        let config = config(checkpoint)?;
        let kind: Kind = read_config(config)?;
        let files = Arc::new(Files::open(&checkpoint.weights)?);
        let network = match kind.model_type.as_str() {
            "vit" => Network::First(vit(config, &files, device)?),
            "dinov2" | "dinov2_with_registers" => {
                let config: Dinov2Config = read_config(config)?;
                let build = |weights: &_| Dinov2::new(&config, weights);
                Network::Second(load(&files, DType::F32, device, build)?)
            }
            other => {
                return Err(ModelError::config(
                    config,
                    format!(
                        "`model_type` is {other:?}; it must be vit, dinov2 or dinov2_with_registers"
                    ),
                ));
            }
        };
        Ok(Self {
            network,
            processor: CroppedProcessor::dino(),
            device: device.clone(),
        })
    }

    /// # Errors
    /// Fails if the device fails.
    pub(super) fn class_state(&self, image: &RgbImage) -> Result<Vec<f32>> {
        let pixels = self.processor.prepare(image)?.unsqueeze(0)?;
        let pixels = pixels.to_device(&self.device)?;
        let states = match &self.network {
            Network::First(vit) => vit.forward(&pixels)?,
            Network::Second(dinov2) => dinov2.forward(&pixels)?,
        };
        let state: Vec<f32> = states.narrow(1, 0, 1)?.flatten_all()?.to_vec1()?;
        if state.iter().all(|value| value.is_finite()) {
            return Ok(state);
        }
        Err(ModelError::NotFinite {
            tensor: "DINO's output".into(),
        })
    }
}

fn config(checkpoint: &Checkpoint) -> Result<&Path> {
    checkpoint.config.as_deref().ok_or_else(|| {
        ModelError::file(
            &checkpoint.weights,
            "there is no config.json next to these weights",
            "give the folder of the whole checkpoint: config.json and weights",
        )
    })
}

fn vit(config: &Path, files: &Arc<Files>, device: &Device) -> Result<Vit> {
    let config: VitConfig = read_config(config)?;
    load(files, DType::F32, device, |weights| {
        Vit::new(&config, weights)
    })
}

/// PIE-Bench's structure distance. For each picture, the keys of the last layer are compared with each other
/// by their cosines. The distance is the mean squared difference of these cosines between two pictures.
pub(super) struct Structure {
    vit: Vit,
    device: Device,
}

impl Structure {
    /// # Errors
    /// Fails if a file is absent or damaged.
    pub(super) fn open(checkpoint: &Checkpoint, device: &Device) -> Result<Self> {
        let files = Arc::new(Files::open(&checkpoint.weights)?);
        Ok(Self {
            vit: vit(config(checkpoint)?, &files, device)?,
            device: device.clone(),
        })
    }

    /// # Errors
    /// Fails if the device fails.
    pub(super) fn distance(&self, a: &RgbImage, b: &RgbImage) -> Result<f64> {
        let difference = (self.key_cosines(a)? - self.key_cosines(b)?)?;
        let distance: f32 = difference.sqr()?.mean_all()?.to_scalar()?;
        Ok(f64::from(distance))
    }

    /// Cosines between the keys of all tokens, with the shape [1 + N, 1 + N].
    fn key_cosines(&self, image: &RgbImage) -> Result<Tensor> {
        let keys = self.vit.keys(&self.pixels(image)?)?.squeeze(0)?;
        let lengths = keys.sqr()?.sum_keepdim(1)?.sqrt()?;
        let products = lengths.matmul(&lengths.t()?)?.maximum(1e-8f32)?;
        Ok((keys.matmul(&keys.t()?.contiguous()?)? / products)?)
    }

    /// Prepares a picture as the official script does: values of 0..=255 are normalised as if they were
    /// values of 0..=1.
    fn pixels(&self, image: &RgbImage) -> Result<Tensor> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let values = image.as_raw().iter().map(|value| f32::from(*value));
        let pixels = Tensor::from_iter(values, &self.device)?.reshape((1, height, width, 3))?;
        let pixels = pixels.permute((0, 3, 1, 2))?.contiguous()?;
        let (short, long) = (width.min(height).max(1), width.max(height));
        let mut new = (STRUCTURE_SHORT, STRUCTURE_SHORT * long / short);
        if new.1 > STRUCTURE_LONG {
            new = ((STRUCTURE_LONG * new.0 / new.1).max(1), STRUCTURE_LONG);
        }
        let (width, height) = if width <= height { new } else { (new.1, new.0) };
        let pixels = pixels.upsample_bilinear2d(height, width, false)?;
        let each = |values: &[f32; 3]| Tensor::new(values, &self.device)?.reshape((1, 3, 1, 1));
        let centred = pixels.broadcast_sub(&each(&MEAN)?)?;
        Ok(centred.broadcast_div(&each(&STD)?)?)
    }
}
