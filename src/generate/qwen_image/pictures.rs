//! The input images of an edit, at the sizes that the networks read, and the size of the output.

use super::release::Release;
use super::settings::QwenImageSettings;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::image::pillow::{Filter, resize};
use crate::image::{decode_file, read_file};
use crate::record::{Object, add_note};
use image::RgbImage;

/// The sides of an input image become multiples of this number of pixels.
const STEP: f64 = 32.0;

/// The size of the output of Qwen-Image, in pixels.
const SQUARE: [u32; 2] = [1328, 1328];

/// How input images are prepared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictures {
    /// The release.
    pub release: Release,
    /// The `[width, height]` that the settings ask for.
    pub size: Option<[u32; 2]>,
    /// The area for the autoencoder, in pixels.
    pub reference_pixels: u64,
    /// The area for the language model, in pixels.
    pub vision_pixels: u64,
}

impl Pictures {
    /// As the settings ask for.
    pub(super) fn new(settings: &QwenImageSettings, release: Release) -> Self {
        let reference_pixels = settings.reference_pixels;
        let vision_pixels = settings.vision_pixels.or(release.vision_pixels());
        let size = if release.edits() {
            settings.size
        } else {
            Some(settings.size.unwrap_or(SQUARE))
        };
        Self {
            release,
            size,
            reference_pixels,
            vision_pixels: vision_pixels.unwrap_or(reference_pixels),
        }
    }

    /// Checks that the release can answer a request with these input images.
    ///
    /// # Errors
    /// Fails if the images are too many or too few.
    pub(super) fn check(self, request: &Request<'_>) -> Result<(), GenerateError> {
        let count = request.item.images.len();
        let message = match self.release {
            Release::Image if count > 0 => {
                "the item has an input image, but this checkpoint is Qwen-Image, which makes pictures from prompts \
                 alone; edits need a checkpoint of Qwen-Image-Edit"
                    .to_owned()
            }
            Release::Edit | Release::EditPlus if count == 0 => {
                "the item has no input image, but this checkpoint is Qwen-Image-Edit, which edits pictures".to_owned()
            }
            Release::Edit if count > 1 => format!(
                "the item has {count} input images, but Qwen-Image-Edit reads one; Qwen-Image-Edit-2509 and -2511 read \
                 several"
            ),
            _ => return Ok(()),
        };
        Err(GenerateError::item("image", message))
    }

    /// The bytes of all input images.
    ///
    /// # Errors
    /// Fails if a file cannot be read, or when [`Self::check`] fails.
    pub(super) fn bytes(self, request: &Request<'_>) -> Result<Vec<Vec<u8>>, GenerateError> {
        self.check(request)?;
        let images = request.item.images.iter();
        images
            .map(|image| Ok(read_file(&request.base.join(image))?))
            .collect()
    }

    /// All input images at this area. The changes of decoding are noted.
    ///
    /// # Errors
    /// Fails if an image cannot be read.
    pub(super) fn at(
        pixels: u64,
        request: &Request<'_>,
        extra: &mut Object,
    ) -> Result<Vec<RgbImage>, GenerateError> {
        let mut pictures = Vec::new();
        for image in &request.item.images {
            let decoded = decode_file(&request.base.join(image))?;
            for change in &decoded.changes {
                add_note(extra, &change.note("an input picture of the item"));
            }
            let [width, height] = size_of_area(decoded.rgb.dimensions(), pixels)?;
            pictures.push(resize(&decoded.rgb, width, height, Filter::Lanczos));
        }
        Ok(pictures)
    }

    /// The `[width, height]` of the output.
    ///
    /// # Errors
    /// Fails if the last input image cannot be read.
    pub(super) fn output(self, request: &Request<'_>) -> Result<[u32; 2], GenerateError> {
        if let Some(size) = self.size {
            return Ok(size);
        }
        let Some(image) = request.item.images.last() else {
            return Ok(SQUARE);
        };
        // The header alone does not say how the image is turned.
        let decoded = decode_file(&request.base.join(image))?;
        size_of_area(decoded.rgb.dimensions(), self.reference_pixels)
    }
}

/// The `[width, height]` in multiples of 32 that has the ratio and this area as nearly as rounding allows. Each
/// side is rounded half to even, as Python does.
fn size_of_area((width, height): (u32, u32), pixels: u64) -> Result<[u32; 2], GenerateError> {
    let ratio = f64::from(width) / f64::from(height.max(1));
    let wide = (pixels as f64 * ratio).sqrt();
    let sides = [wide, wide / ratio].map(|side| ((side / STEP).round_ties_even() * STEP) as u32);
    if width == 0 || height == 0 || sides.contains(&0) {
        return Err(GenerateError::item(
            "image",
            format!("an input image of {width}x{height} pixels is too narrow for the network"),
        ));
    }
    Ok(sides)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Computed by hand: the root of 1,048,576 · 1.5 is 1254.14, that is 39.19 steps; 1254.14 / 1.5 is 836.09,
    // that is 26.13 steps. The root of 147,456 · 16 / 9 is 512, that is 16 steps; 288 is 9 steps.
    #[test]
    fn sides_are_multiples_near_an_area() {
        let size = |size, pixels| size_of_area(size, pixels).unwrap();
        assert_eq!(size((300, 200), 1024 * 1024), [1248, 832]);
        assert_eq!(size((200, 300), 1024 * 1024), [832, 1248]);
        assert_eq!(size((1920, 1080), 384 * 384), [512, 288]);
        assert_eq!(size((7, 7), 1024 * 1024), [1024, 1024]);
        assert!(size_of_area((5000, 1), 1024 * 1024).is_err());
    }
}
