//! Pictures of any shape within bounds of their sides: BAGEL's transform (its specification, 10).

use crate::image::pillow::{Filter, resize};
use crate::model::{ModelError, Result};
use candle_core::{Device, Tensor};
use image::RgbImage;

/// Scales a picture so that its longer side is at most, and its shorter side at least, of a given length, and
/// then to whole strides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StridedProcessor {
    /// The longest side, in pixels.
    pub max_side: u32,
    /// The shortest side, in pixels. It counts more than `max_side`.
    pub min_side: u32,
    /// Both sides are multiples of it, in pixels.
    pub stride: u32,
    /// The largest area, in pixels. Both sides of a larger picture are multiplied by the ratio of the areas,
    /// and not by its root, as in the authors' code.
    pub max_pixels: u64,
}

impl StridedProcessor {
    /// The new (width, height) of a picture of (width, height).
    ///
    /// # Errors
    /// Fails if a side or the stride is zero.
    pub fn size(&self, (width, height): (u32, u32)) -> Result<(u32, u32)> {
        if width == 0 || height == 0 || self.stride == 0 {
            return Err(ModelError::Input(format!(
                "a picture of {width} × {height} pixels cannot be resized to multiples of {}",
                self.stride
            )));
        }
        let stride = f64::from(self.stride);
        // Python rounds halves to even, first to whole pixels and then to whole strides.
        let fit = |side: f64| {
            let strides = (side.round_ties_even() / stride).round_ties_even();
            (strides * stride).max(stride)
        };
        let (max, min) = (f64::from(self.max_side), f64::from(self.min_side));
        let (width, height) = (f64::from(width), f64::from(height));
        let scale = (max / width.max(height)).min(1.0);
        let scale = scale.max(min / width.min(height));
        let (mut w, mut h) = (fit(width * scale), fit(height * scale));
        let most = self.max_pixels as f64;
        if w * h > most {
            let scale = most / (w * h);
            (w, h) = (fit(w * scale), fit(h * scale));
        }
        if w.max(h) > max {
            let scale = max / w.max(h);
            (w, h) = (fit(w * scale), fit(h * scale));
        }
        Ok((w as u32, h as u32))
    }

    /// The resized picture.
    ///
    /// # Errors
    /// Fails when [`Self::size`] fails.
    pub fn resized(&self, image: &RgbImage) -> Result<RgbImage> {
        let (width, height) = self.size(image.dimensions())?;
        Ok(resize(image, width, height, Filter::Bicubic))
    }

    /// Pixels in −1 to 1, [3, H, W], F32 on the CPU.
    ///
    /// # Errors
    /// Fails when [`Self::size`] fails.
    pub fn prepare(&self, image: &RgbImage) -> Result<Tensor> {
        normalised(&self.resized(image)?)
    }
}

/// A picture as pixels in −1 to 1, [3, H, W], F32 on the CPU.
///
/// # Errors
/// Fails if there is no room.
pub fn normalised(image: &RgbImage) -> Result<Tensor> {
    let (width, height) = image.dimensions();
    let values = super::planes(image, [0.5; 3], [0.5; 3]);
    let shape = (3, height as usize, width as usize);
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The specification's vectors, 10.
    #[test]
    fn sizes_are_the_published_ones() {
        let with = |max_side, min_side, stride| StridedProcessor {
            max_side,
            min_side,
            stride,
            max_pixels: 1_806_336,
        };
        let (vae, demo) = (with(1024, 512, 16), with(980, 224, 14));
        let scripts = with(980, 378, 14);
        for (given, want) in [
            ((1024, 1024), [(1024, 1024), (980, 980), (980, 980)]),
            ((1920, 1080), [(1024, 576), (980, 546), (980, 546)]),
            ((640, 480), [(688, 512), (644, 476), (644, 476)]),
            ((300, 200), [(768, 512), (336, 224), (560, 378)]),
            ((3000, 1000), [(1024, 336), (980, 322), (980, 322)]),
            ((512, 2100), [(256, 1024), (238, 980), (238, 980)]),
        ] {
            for (processor, want) in [vae, demo, scripts].iter().zip(want) {
                assert_eq!(processor.size(given).unwrap(), want, "{given:?}");
            }
        }
        assert!(vae.size((0, 5)).is_err());
    }
}
