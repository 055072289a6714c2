//! Encoding: lossless files for a run, and small pictures for pages.

use super::decode::ImageError;
use super::edit::Mask;
use super::shrink::mean_of_areas;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::imageops;
use image::{ExtendedColorType, ImageEncoder, RgbImage};

/// The picture as PNG, compressed quickly. The same pixels give the same bytes.
///
/// # Errors
/// Fails if a side of the picture is 0.
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

/// The picture as JPEG with a quality from 1 to 100, and with half the chroma resolution in both directions
/// (4:2:0).
///
/// # Errors
/// Fails if a side of the picture is 0 or above 65535.
pub fn encode_jpeg(rgb: &RgbImage, quality: u8) -> Result<Vec<u8>, ImageError> {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
    let side = |side: u32| u16::try_from(side).unwrap_or(0);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(
            rgb.as_raw(),
            side(rgb.width()),
            side(rgb.height()),
            ColorType::Rgb,
        )
        .map_err(|error| refused(rgb, "jpg", &error))?;
    Ok(bytes)
}

/// The colour of the white pixels of a mask. All other pixels are transparent.
const MASKED: [u8; 4] = [0xd5, 0x5e, 0x00, 0xff];

/// The mask as PNG. White pixels have one colour, which is readable on light and dark, and all others are
/// transparent.
///
/// # Errors
/// Fails if a side of the mask is 0.
pub fn encode_mask(mask: &Mask) -> Result<Vec<u8>, ImageError> {
    let (width, height) = (mask.width() as u32, mask.height() as u32);
    let pixels = mask.pixels().iter();
    let pixels: Vec<u8> = pixels
        .flat_map(|white| if *white { MASKED } else { [0; 4] })
        .collect();
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive)
        .write_image(&pixels, width, height, ExtendedColorType::Rgba8)
        .map_err(|error| ImageError::Damaged {
            name: format!("a mask of {width}x{height} pixels"),
            format: "png",
            reason: error.to_string(),
        })?;
    Ok(bytes)
}

/// Longest side, in pixels, of a picture that is enlarged so that it can be seen.
const TINY: u32 = 64;
/// The quality of small pictures, from 1 to 100.
const THUMB_QUALITY: u8 = 82;

/// A small JPEG of the picture, whose longer side has at most `max_side` pixels. Small pictures are not
/// enlarged, except tiny ones, whose pixels become squares.
///
/// # Errors
/// Fails if a side of the picture is 0.
pub fn thumbnail(rgb: &RgbImage, max_side: u32) -> Result<Vec<u8>, ImageError> {
    let (width, height) = rgb.dimensions();
    let longest = width.max(height).max(1);
    if longest > max_side && width.min(height) > 0 {
        let scale = f64::from(max_side) / f64::from(longest);
        let side = |side: u32| ((f64::from(side) * scale).round() as u32).clamp(1, side);
        return encode_jpeg(
            &mean_of_areas(rgb, side(width), side(height)),
            THUMB_QUALITY,
        );
    }
    if longest <= TINY {
        let factor = max_side / longest;
        let (width, height) = (width * factor, height * factor);
        let large = imageops::resize(rgb, width, height, imageops::FilterType::Nearest);
        return encode_jpeg(&large, THUMB_QUALITY);
    }
    encode_jpeg(rgb, THUMB_QUALITY)
}

fn refused(rgb: &RgbImage, format: &'static str, error: &dyn std::error::Error) -> ImageError {
    ImageError::Damaged {
        name: format!("a picture of {}x{} pixels", rgb.width(), rgb.height()),
        format,
        reason: error.to_string(),
    }
}
