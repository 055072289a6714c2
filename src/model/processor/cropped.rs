//! Pictures whose middle is cut out: CLIP.

use crate::image::pillow::{Filter, resize};
use crate::model::Result;
use candle_core::{Device, Tensor};
use image::{RgbImage, imageops};

/// The shorter side is resized to `size`, the middle `size` × `size` is kept, then mean and deviation as CLIP's
/// (open_clip's transform, mode `shortest`).
#[derive(Debug, Clone, PartialEq)]
pub struct CroppedProcessor {
    pub size: u32,
    pub filter: Filter,
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

/// The mean of CLIP's pictures, by channel.
pub const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// Their deviation.
pub const CLIP_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

impl CroppedProcessor {
    /// CLIP's.
    pub fn clip(size: u32) -> Self {
        Self {
            size,
            filter: Filter::Bicubic,
            mean: CLIP_MEAN,
            std: CLIP_STD,
        }
    }

    /// `[3, size, size]`, F32 on the CPU.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn prepare(&self, image: &RgbImage) -> Result<Tensor> {
        let (width, height) = image.dimensions();
        let long = |short: u32, long: u32| {
            let scaled = u64::from(self.size) * u64::from(long) / u64::from(short.max(1));
            u32::try_from(scaled).unwrap_or(u32::MAX).max(self.size)
        };
        let (new_width, new_height) = match width <= height {
            true => (self.size, long(width, height)),
            false => (long(height, width), self.size),
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
