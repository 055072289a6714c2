//! The picture processor of Qwen2-VL and Qwen2.5-VL: native aspect ratio, flattened patches.
//!
//! A picture is first resized by the rule of `qwen_vl_utils` within [`PixelLimits`] ("fetched"), and then cut
//! into patches as in transformers' `Qwen2VLImageProcessor`.

use crate::image::pillow::{Filter, resize};
use crate::image::target_size::smart_resize;
use crate::model::{ModelError, Result, read_config};
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde::Deserialize;
use std::path::Path;

/// How many pixels a fetched picture may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelLimits {
    /// The smallest number of pixels.
    pub min: u64,
    /// The largest number of pixels.
    pub max: u64,
}

impl Default for PixelLimits {
    /// Four to 16384 tokens of 28 × 28 pixels, the default of `qwen_vl_utils`.
    fn default() -> Self {
        Self {
            min: 3136,
            max: 12_845_056,
        }
    }
}

/// A picture in patches.
#[derive(Debug, Clone)]
pub struct Pixels {
    /// `[P, 3·T·p·p]`, F32 on the CPU; rows in the order (h / merge, w / merge, merge, merge), each flattened
    /// (channel, temporal, y, x).
    pub values: Tensor,
    /// Patches along time, height and width.
    pub grid: [usize; 3],
    /// Tokens in the language model.
    pub tokens: usize,
}

/// The published `preprocessor_config.json`; its pixel limits are not used, since the caller has its own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct QwenProcessor {
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Number of frames of a patch.
    pub temporal_patch_size: usize,
    /// Number of patches along the side of a token.
    pub merge_size: usize,
    /// The mean of each channel.
    pub image_mean: [f32; 3],
    /// The deviation of each channel.
    pub image_std: [f32; 3],
}

impl Default for QwenProcessor {
    fn default() -> Self {
        Self {
            patch_size: 14,
            temporal_patch_size: 2,
            merge_size: 2,
            image_mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
            image_std: [0.268_629_54, 0.261_302_6, 0.275_777_1],
        }
    }
}

impl QwenProcessor {
    /// From a folder's `preprocessor_config.json`, or the published defaults where there is none.
    ///
    /// # Errors
    /// Fails if the file cannot be read or contains a zero.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("preprocessor_config.json");
        if !path.is_file() {
            return Ok(Self::default());
        }
        let processor: Self = read_config(&path)?;
        let sizes = [
            processor.patch_size,
            processor.temporal_patch_size,
            processor.merge_size,
        ];
        if sizes.iter().any(|size| !(1..=1024).contains(size))
            || !super::spread(processor.image_std)
        {
            let message = "patch sizes, merge size and `image_std` must be positive";
            return Err(ModelError::config(&path, message));
        }
        Ok(processor)
    }

    /// The factor of both sides of a picture.
    pub fn factor(&self) -> usize {
        self.patch_size * self.merge_size
    }

    /// Resizes to multiples of the factor within the limits.
    ///
    /// # Errors
    /// Fails if the picture is empty or too narrow.
    pub fn fetch(&self, image: &RgbImage, limits: PixelLimits) -> Result<RgbImage> {
        let (width, height) = image.dimensions();
        let factor = self.factor() as u32;
        let (height, width) = smart_resize(height, width, factor, limits.min, limits.max)
            .map_err(|error| ModelError::Input(error.to_string()))?;
        Ok(resize(image, width, height, Filter::Bicubic))
    }

    /// Cuts a fetched picture into patches. The still picture is repeated in time.
    ///
    /// # Errors
    /// Fails if a side is not a multiple of the factor.
    pub fn patches(&self, image: &RgbImage) -> Result<Pixels> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let factor = self.factor();
        if image.is_empty() || width % factor != 0 || height % factor != 0 {
            let message = format!(
                "a picture of {width}x{height} pixels cannot be cut into patches: its sides must be multiples of {factor}"
            );
            return Err(ModelError::Input(message));
        }
        let (side, merge) = (self.patch_size, self.merge_size);
        let (rows, columns) = (height / side, width / side);
        let tables = super::table(self.image_mean, self.image_std);
        let length = 3 * self.temporal_patch_size * side * side;
        let mut values = Vec::with_capacity(rows * columns * length);
        for block_y in 0..rows / merge {
            for block_x in 0..columns / merge {
                for inner in 0..merge * merge {
                    let y = (block_y * merge + inner / merge) * side;
                    let x = (block_x * merge + inner % merge) * side;
                    for (channel, table) in tables.iter().enumerate() {
                        let start = values.len();
                        for y in y..y + side {
                            let first = (y * width + x) * 3;
                            let row = image.as_raw()[first..first + side * 3].chunks_exact(3);
                            values.extend(row.map(|pixel| table[pixel[channel] as usize]));
                        }
                        let end = values.len();
                        for _ in 1..self.temporal_patch_size {
                            values.extend_from_within(start..end);
                        }
                    }
                }
            }
        }
        Ok(Pixels {
            values: Tensor::from_vec(values, (rows * columns, length), &Device::Cpu)?,
            grid: [1, rows, columns],
            tokens: rows * columns / (merge * merge),
        })
    }

    /// Fetches and cuts.
    ///
    /// # Errors
    /// Fails when [`Self::fetch`] fails.
    pub fn prepare(&self, image: &RgbImage, limits: PixelLimits) -> Result<Pixels> {
        self.patches(&self.fetch(image, limits)?)
    }
}
