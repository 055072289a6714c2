//! Exact maps, and what is wrong with them in a known way.

use super::Asked;
use crate::generate::error::GenerateError;
use crate::image::cv::{Channels, Element, canny, dilate};
use crate::image::edit::Mask;
use image::{Rgb, RgbImage};
use serde_json::Value;

/// The value of `expect.reference` if the map is Canny's edges of the input.
const CANNY: &str = "canny";
/// Canny's usual bounds.
const BOUNDS: [u32; 2] = [100, 200];

/// The map that an item asks for.
///
/// # Errors
/// Fails if the item has no map or its picture cannot be read.
pub(super) fn exact(asked: &Asked<'_>) -> Result<RgbImage, GenerateError> {
    if asked.item().expect.get("reference").and_then(Value::as_str) != Some(CANNY) {
        return asked.expected("reference");
    }
    let (channels, bounds) = canny_settings(asked);
    Ok(painted(&canny(&asked.input()?, channels, bounds)))
}

/// Canny's edges with another lower bound, and twice that as the upper one.
///
/// # Errors
/// Fails if the item's picture cannot be read.
pub(super) fn canny_at(asked: &Asked<'_>, low: f64) -> Result<RgbImage, GenerateError> {
    let (channels, _) = canny_settings(asked);
    let low = low.round() as u32;
    Ok(painted(&canny(&asked.input()?, channels, [low, 2 * low])))
}

/// The channels and the bounds that `expect` gives.
fn canny_settings(asked: &Asked<'_>) -> (Channels, [u32; 2]) {
    let expect = &asked.item().expect;
    let read = |key: &str| expect.get(key).cloned();
    let channels = read("channels").and_then(|value| serde_json::from_value(value).ok());
    let bounds = read("bounds").and_then(|value| serde_json::from_value(value).ok());
    (channels.unwrap_or_default(), bounds.unwrap_or(BOUNDS))
}

/// White lines on black.
fn painted(mask: &Mask) -> RgbImage {
    let (width, height) = (mask.width() as u32, mask.height() as u32);
    let mut picture = RgbImage::new(width, height);
    for (pixel, white) in picture.pixels_mut().zip(mask.pixels()) {
        *pixel = Rgb([if *white { u8::MAX } else { 0 }; 3]);
    }
    picture
}

/// Lines of three pixels.
pub(super) fn thick(map: &RgbImage) -> RgbImage {
    let (width, height) = (map.width() as usize, map.height() as usize);
    let mask = Mask::from_fn(width, height, |x, y| {
        map.get_pixel(x as u32, y as u32).0[0] > 127
    });
    painted(&dilate(&mask, &Element::square(1)))
}

/// The map with the last two colours of the item's palette exchanged.
///
/// # Errors
/// Fails if the item has no map or no palette of two colours or more.
pub(super) fn swapped(asked: &Asked<'_>) -> Result<RgbImage, GenerateError> {
    let palette = asked.item().expect.get("palette").cloned();
    let palette: Option<Vec<[u8; 3]>> =
        palette.and_then(|value| serde_json::from_value(value).ok());
    let Some(&[.., a, b]) = palette.as_deref() else {
        return Err(GenerateError::item(
            "expect",
            "this control needs the item's `expect.palette` with two colours or more",
        ));
    };
    let mut map = exact(asked)?;
    for pixel in map.pixels_mut() {
        if pixel.0 == a {
            pixel.0 = b;
        } else if pixel.0 == b {
            pixel.0 = a;
        }
    }
    Ok(map)
}
