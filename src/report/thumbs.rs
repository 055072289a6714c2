//! Small pictures for the gallery.

use image::codecs::jpeg::JpegEncoder;
use image::imageops;
use image::{DynamicImage, ImageReader, Limits, RgbImage};
use std::path::Path;

/// A small JPEG and the size of the picture it was made from.
#[derive(Debug, Clone)]
pub struct Thumb {
    pub jpeg: Vec<u8>,
    /// Pixels of the original.
    pub width: u32,
    pub height: u32,
}

const QUALITY: u8 = 78;

/// Shrinks a picture so that its longer side has at most `side` pixels; transparency becomes white.
///
/// # Errors
/// A sentence for the card: the file is missing, broken, or larger than 20,000 pixels a side.
pub fn make(path: &Path, side: u32) -> Result<Thumb, String> {
    let picture = decode(path)?;
    let (width, height) = (picture.width(), picture.height());
    let share = f64::from(side) / f64::from(width.max(height)).max(1.0);
    let small = if share < 1.0 {
        let scaled = |length: u32| ((f64::from(length) * share).round() as u32).max(1);
        imageops::thumbnail(&picture, scaled(width), scaled(height))
    } else {
        picture
    };
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&small)
        .map_err(|error| format!("no thumbnail: {error}"))?;
    Ok(Thumb {
        jpeg,
        width,
        height,
    })
}

fn decode(path: &Path) -> Result<RgbImage, String> {
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| format!("image file cannot be read: {error}"))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(20_000);
    limits.max_image_height = Some(20_000);
    reader.limits(limits);
    let picture = reader
        .decode()
        .map_err(|error| format!("image cannot be decoded: {error}"))?;
    Ok(on_white(picture))
}

fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0.map(u32::from);
        let over = |c: u32| ((c * a + 255 * (255 - a)) / 255) as u8;
        image::Rgb([over(r), over(g), over(b)])
    })
}
