//! Pictures that are cropped to their centre, for CLIP and DINO.

use crate::image::pillow::{Filter, resize};
use crate::model::Result;
use candle_core::{Device, Tensor};
use image::{RgbImage, imageops};

/// The shorter side is resized to `short`, the central `size` × `size` pixels are kept, and the values are
/// normalised by mean and deviation (open_clip's transform, mode `shortest`).
#[derive(Debug, Clone, PartialEq)]
pub struct CroppedProcessor {
    /// Pixels; at least `size`.
    pub short: u32,
    /// Side of the picture after cropping, in pixels.
    pub size: u32,
    /// The filter of the resizing.
    pub filter: Filter,
    /// The mean of each channel.
    pub mean: [f32; 3],
    /// The deviation of each channel.
    pub std: [f32; 3],
}

/// The mean of CLIP's pictures, by channel.
pub const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// The deviation of CLIP's pictures, by channel.
pub const CLIP_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

impl CroppedProcessor {
    /// CLIP's.
    pub fn clip(size: u32) -> Self {
        Self {
            short: size,
            size,
            filter: Filter::Bicubic,
            mean: CLIP_MEAN,
            std: CLIP_STD,
        }
    }

    /// The processor of both versions of DINO: 224 of 256 pixels, with the mean and deviation of ImageNet.
    pub fn dino() -> Self {
        Self {
            short: 256,
            size: 224,
            filter: Filter::Bicubic,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        }
    }

    /// `[3, size, size]`, F32 on the CPU.
    ///
    /// # Errors
    /// Fails if memory runs out.
    pub fn prepare(&self, image: &RgbImage) -> Result<Tensor> {
        let (width, height) = image.dimensions();
        let long = |short: u32, long: u32| {
            let scaled = u64::from(self.short) * u64::from(long) / u64::from(short.max(1));
            u32::try_from(scaled).unwrap_or(u32::MAX).max(self.short)
        };
        let (new_width, new_height) = if width <= height {
            (self.short, long(width, height))
        } else {
            (long(height, width), self.short)
        };
        let resized = resize(image, new_width, new_height, self.filter);
        let start = |side: u32| (f64::from(side - self.size) / 2.0).round_ties_even() as u32;
        let middle = imageops::crop_imm(
            &resized,
            start(new_width),
            start(new_height),
            self.size,
            self.size,
        );
        let side = self.size as usize;
        let values = super::planes(&middle.to_image(), self.mean, self.std);
        Ok(Tensor::from_vec(values, (3, side, side), &Device::Cpu)?)
    }
}
