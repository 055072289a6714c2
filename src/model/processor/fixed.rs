//! Pictures that are resized to one fixed size regardless of their aspect ratio, for SigLIP, and for DINOv2
//! and RADIO as encoders of reference pictures.

use crate::image::pillow::{Filter, resize};
use crate::model::{ModelError, Result, read_config};
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde::Deserialize;
use std::path::Path;

/// Resizes to `size` × `size`, divides by 255, subtracts the mean and divides by the deviation.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedProcessor {
    /// Side of the resized picture, in pixels.
    pub size: u32,
    /// The filter of the resizing.
    pub filter: Filter,
    /// The mean of each channel.
    pub mean: [f32; 3],
    /// The deviation of each channel.
    pub std: [f32; 3],
}

/// The fields of the published `preprocessor_config.json` that are used here.
#[derive(Deserialize)]
struct Published {
    size: Option<serde_json::Value>,
    resample: Option<u64>,
    image_mean: Option<[f32; 3]>,
    image_std: Option<[f32; 3]>,
    do_normalize: Option<bool>,
}

impl FixedProcessor {
    /// The processor of SigLIP: bilinear, −1..1.
    pub fn siglip(size: u32) -> Self {
        Self {
            size,
            filter: Filter::Bilinear,
            mean: [0.5; 3],
            std: [0.5; 3],
        }
    }

    /// The processor of DINOv2: bicubic, with the mean and deviation of ImageNet.
    pub fn dinov2(size: u32) -> Self {
        Self {
            size,
            filter: Filter::Bicubic,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        }
    }

    /// The processor of RADIO: bicubic, 0..1. The network itself normalises.
    pub fn radio(size: u32) -> Self {
        Self {
            size,
            filter: Filter::Bicubic,
            mean: [0.0; 3],
            std: [1.0; 3],
        }
    }

    /// Applies the settings of the folder's `preprocessor_config.json`, if there is one. A size that is given
    /// as a shortest edge is meant for cropping and is ignored.
    ///
    /// # Errors
    /// Fails if the file cannot be read or if it requires something that this processor does not do.
    pub fn with_published(mut self, folder: &Path) -> Result<Self> {
        let path = folder.join("preprocessor_config.json");
        if !path.is_file() {
            return Ok(self);
        }
        let published: Published = read_config(&path)?;
        if let Some((height, width)) = published.size.as_ref().and_then(sides) {
            if height != width {
                return Err(ModelError::config(&path, "`size` is not square"));
            }
            self.size = u32::try_from(height)
                .map_err(|_| ModelError::config(&path, "`size` is too large"))?;
        }
        if let Some(number) = published.resample {
            let unknown = || ModelError::config(&path, format!("`resample` {number} is unknown"));
            self.filter = Filter::from_number(number).ok_or_else(unknown)?;
        }
        if published.do_normalize == Some(false) {
            (self.mean, self.std) = ([0.0; 3], [1.0; 3]);
        } else {
            self.mean = published.image_mean.unwrap_or(self.mean);
            self.std = published.image_std.unwrap_or(self.std);
        }
        if self.size == 0 || !super::spread(self.std) {
            return Err(ModelError::config(
                &path,
                "`size` and `image_std` must be positive",
            ));
        }
        Ok(self)
    }

    /// `[3, size, size]`, F32 on the CPU.
    ///
    /// # Errors
    /// Fails if memory runs out.
    pub fn prepare(&self, image: &RgbImage) -> Result<Tensor> {
        let resized = resize(image, self.size, self.size, self.filter);
        let values = super::planes(&resized, self.mean, self.std);
        let side = self.size as usize;
        Ok(Tensor::from_vec(values, (3, side, side), &Device::Cpu)?)
    }
}

fn sides(size: &serde_json::Value) -> Option<(u64, u64)> {
    match size.as_u64() {
        Some(side) => Some((side, side)),
        None => Some((size.get("height")?.as_u64()?, size.get("width")?.as_u64()?)),
    }
}
