//! Encoding: lossless files of a run, small pictures for pages.

use super::decode::ImageError;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, RgbImage};

/// The picture as PNG, compressed quickly. The same pixels give the same bytes.
///
/// # Errors
/// When a side of the picture is 0.
pub fn encode_png(rgb: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::with_capacity(rgb.as_raw().len() / 8);
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(
            rgb.as_raw(),
            rgb.width(),
            rgb.height(),
            ExtendedColorType::Rgb8,
        )
        .map_err(|error| refused(rgb, "png", &error))?;
    Ok(bytes)
}

/// A small JPEG of the picture whose longer side has at most `max_side` pixels. Small pictures are not enlarged.
///
/// # Errors
/// When a side of the picture is 0.
pub fn thumbnail(rgb: &RgbImage, max_side: u32) -> Result<Vec<u8>, ImageError> {
    let mut small = DynamicImage::ImageRgb8(rgb.clone());
    if rgb.width().max(rgb.height()) > max_side {
        small = small.thumbnail(max_side, max_side);
    }
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 82)
        .encode_image(&small)
        .map_err(|error| refused(rgb, "jpg", &error))?;
    Ok(bytes)
}

fn refused(rgb: &RgbImage, format: &'static str, error: &image::ImageError) -> ImageError {
    ImageError::Damaged {
        name: format!("a picture of {}x{} pixels", rgb.width(), rgb.height()),
        format,
        reason: error.to_string(),
    }
}
