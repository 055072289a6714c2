//! Pictures of any shape within bounds: X-Omni's transform (its specification, 1.1).

use crate::image::pillow::{Filter, resize};
use crate::model::xomni::Transform;
use crate::model::{ModelError, Result};
use candle_core::{Device, Tensor};
use image::RgbImage;

/// Scales a picture only where a side is out of bounds, then to whole patches.
#[derive(Debug, Clone, Copy)]
pub struct BoundedProcessor(pub Transform);

impl BoundedProcessor {
    /// The new (width, height) of a picture of (width, height).
    ///
    /// # Errors
    /// Fails if the picture is smaller or narrower than the network was trained on. The message names the
    /// limits.
    pub fn size(&self, (width, height): (u32, u32)) -> Result<(u32, u32)> {
        let Transform {
            short_size,
            long_size,
            patch_size,
            min_short_size,
            max_aspect_ratio,
            filtering,
        } = self.0;
        let (short, long) = (f64::from(width.min(height)), f64::from(width.max(height)));
        if filtering && (short < f64::from(min_short_size) || long / short > max_aspect_ratio) {
            return Err(ModelError::Input(format!(
                "a picture of {width} × {height} pixels is outside the training of the tokenizer: the short side must \
                 have at least {min_short_size} pixels, and the long side may be at most {max_aspect_ratio} times as long; \
                 `any_image_size = true` resizes it anyway"
            )));
        }
        let (mut w, mut h) = (f64::from(width), f64::from(height));
        let scale = |w: &mut f64, h: &mut f64, by: f64| (*w, *h) = (*w * by, *h * by);
        if w.min(h) < f64::from(short_size) {
            let by = f64::from(short_size) / w.min(h);
            scale(&mut w, &mut h, by);
        }
        if w.max(h) > f64::from(long_size) {
            let by = f64::from(long_size) / w.max(h);
            scale(&mut w, &mut h, by);
        }
        // Python rounds halves to even; a side of no patches gets one.
        let patches = |side: f64| ((side / f64::from(patch_size)).round_ties_even() as u32).max(1);
        Ok((patches(w) * patch_size, patches(h) * patch_size))
    }

    /// Pixels in −1 to 1, [1, 3, H, W], F32 on the CPU.
    ///
    /// # Errors
    /// Fails when [`Self::size`] fails.
    pub fn prepare(&self, image: &RgbImage) -> Result<Tensor> {
        let (width, height) = self.size(image.dimensions())?;
        let resized = resize(image, width, height, Filter::Bicubic);
        let values = super::planes(&resized, [0.5; 3], [0.5; 3]);
        let shape = (1, 3, height as usize, width as usize);
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The specification's vectors, 1.1.
    #[test]
    fn sizes_are_the_published_ones() {
        let processor = BoundedProcessor(Transform::default());
        for (given, want) in [
            ((1024, 768), (1024, 768)),
            ((640, 480), (640, 480)),
            ((200, 500), (384, 960)),
            ((1000, 1000), (992, 992)),
            ((3000, 1200), (1152, 464)),
            ((1920, 1080), (1152, 640)),
            ((1240, 1754), (816, 1152)),
            ((128, 300), (384, 896)),
        ] {
            assert_eq!(processor.size(given).unwrap(), want, "{given:?}");
        }
        for outside in [(127, 300), (1000, 3001)] {
            let error = processor.size(outside).unwrap_err().to_string();
            assert!(
                error.contains("at least 128 pixels") && error.contains("at most 3 times"),
                "{error}"
            );
        }
        let any = BoundedProcessor(Transform {
            filtering: false,
            ..Transform::default()
        });
        assert_eq!(any.size((100, 1000)).unwrap(), (112, 1152));
        assert_eq!(any.size((1, 4000)).unwrap(), (16, 1152));
    }
}
