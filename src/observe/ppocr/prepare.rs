//! Turns a picture into the detector's input, and the detector's coordinates back into those of the picture.

use super::PpOcrSettings;
use crate::image::cv::resize_linear;
use image::RgbImage;
use std::borrow::Cow;

/// Pictures with a greater ratio of width to height get black bands, so that the detector sees lines with
/// some space around them.
const FLAT: u32 = 8;
/// Pictures with at most this many rows get black bands too.
const LOW: u32 = 30;
/// The sides of the detector's input are multiples of this, in pixels.
const STEP: f64 = 32.0;
/// The largest input of the detector, in pixels. Only very long and thin pictures would have a larger one,
/// which would need gigabytes.
const MOST_DETECTOR_PIXELS: f64 = 12_000_000.0;

/// A picture within the limits of its sides, with black bands if it is flat.
pub(super) struct Page<'a> {
    pub image: Cow<'a, RgbImage>,
    /// The number of original pixels for one pixel of `image`, horizontally and vertically.
    ratio: [f32; 2],
    /// The number of rows of the band above.
    band: f32,
    /// The original size, in pixels.
    size: [f32; 2],
}

impl<'a> Page<'a> {
    pub(super) fn new(original: &'a RgbImage, settings: &PpOcrSettings) -> Self {
        let (width, height) = original.dimensions();
        let image = match limited_size(width, height, settings) {
            Some((width, height)) => Cow::Owned(resize_linear(original, width, height)),
            None => Cow::Borrowed(original),
        };
        let ratio = [
            (f64::from(width) / f64::from(image.width())) as f32,
            (f64::from(height) / f64::from(image.height())) as f32,
        ];
        let band = band(image.width(), image.height());
        let image = match band {
            0 => image,
            rows => Cow::Owned(with_bands(&image, rows)),
        };
        Self {
            image,
            ratio,
            band: band as f32,
            size: [width as f32, height as f32],
        }
    }

    /// A polygon of `image` in the original's coordinates.
    pub(super) fn original(&self, polygon: [[f32; 2]; 4]) -> [[f32; 2]; 4] {
        polygon.map(|[x, y]| {
            [
                (x * self.ratio[0]).clamp(0.0, self.size[0]),
                ((y - self.band) * self.ratio[1]).clamp(0.0, self.size[1]),
            ]
        })
    }
}

/// The size to resize the picture to, if a side is outside the limits.
///
/// The Python package refuses pictures that become thinner than 16 pixels, and enlarges a long thin picture
/// to any length. Here both sides stay within [32, 2 × the maximum].
fn limited_size(width: u32, height: u32, settings: &PpOcrSettings) -> Option<(u32, u32)> {
    let long = width.max(height);
    let short = width.min(height);
    let ratio = if long > settings.max_side_len {
        f64::from(settings.max_side_len) / f64::from(long)
    } else if short < settings.min_side_len {
        let most = f64::from(settings.max_side_len) * 2.0 / f64::from(long);
        (f64::from(settings.min_side_len) / f64::from(short)).min(most)
    } else {
        return None;
    };
    Some((stepped_side(width, ratio), stepped_side(height, ratio)))
}

/// Side × ratio, cut to an integer and rounded to a multiple of 32 (half to even), at least 32.
fn stepped_side(side: u32, ratio: f64) -> u32 {
    let scaled = (f64::from(side) * ratio).trunc();
    ((scaled / STEP).round_ties_even() * STEP).max(STEP) as u32
}

/// The number of rows of the black band above, which is the same as below.
fn band(width: u32, height: u32) -> u32 {
    let flat = f64::from(width) / f64::from(height) > f64::from(FLAT);
    if height > LOW && !flat {
        return 0;
    }
    ((width / FLAT).max(LOW) * 2).abs_diff(height) / 2
}

fn with_bands(image: &RgbImage, rows: u32) -> RgbImage {
    let mut banded = RgbImage::new(image.width(), image.height() + 2 * rows);
    let start = (rows * image.width() * 3) as usize;
    let numbers: &mut [u8] = &mut banded;
    numbers[start..start + image.as_raw().len()].copy_from_slice(image.as_raw());
    banded
}

/// The detector's input size for a page, (width, height).
pub(super) fn detector_size(width: u32, height: u32, settings: &PpOcrSettings) -> (u32, u32) {
    let (w, h) = (f64::from(width), f64::from(height));
    let wanted = (f64::from(settings.limit_side_len) / w.min(h)).max(1.0);
    let most = (MOST_DETECTOR_PIXELS / (w * h)).sqrt();
    let ratio = wanted.min(most.max(1.0));
    (stepped_side(width, ratio), stepped_side(height, ratio))
}

/// A table that turns 8-bit values into the numbers that enter a network.
pub(super) struct Normalise([f32; 256]);

impl Normalise {
    /// (value · (1/255) − 0.5) / 0.5. The first product is in single precision and the rest in double
    /// precision, as for the detector of the Python package.
    pub(super) fn detector() -> Self {
        let scale = (1.0f64 / 255.0) as f32;
        Self(std::array::from_fn(|value| {
            ((f64::from(value as f32 * scale) - 0.5) / 0.5) as f32
        }))
    }

    /// (value / 255 − 0.5) / 0.5 in single precision, for lines of text.
    pub(super) fn line() -> Self {
        Self(std::array::from_fn(|value| {
            (value as f32 / 255.0 - 0.5) / 0.5
        }))
    }

    /// Writes the picture into `planes`, as three planes in the order blue, green, red. The rows of a plane
    /// are `stride` values long.
    pub(super) fn fill_planes(&self, image: &RgbImage, planes: &mut [f32], stride: usize) {
        let (width, height) = (image.width() as usize, image.height() as usize);
        if width == 0 || height == 0 || stride < width {
            return;
        }
        let plane = stride * height;
        let (blue, rest) = planes.split_at_mut(plane);
        let (green, red) = rest.split_at_mut(plane);
        for (y, row) in image.as_raw().chunks_exact(width * 3).enumerate() {
            let at = y * stride..y * stride + width;
            let targets = blue[at.clone()]
                .iter_mut()
                .zip(&mut green[at.clone()])
                .zip(&mut red[at]);
            for (pixel, ((b, g), r)) in row.chunks_exact(3).zip(targets) {
                *r = self.0[usize::from(pixel[0])];
                *g = self.0[usize::from(pixel[1])];
                *b = self.0[usize::from(pixel[2])];
            }
        }
    }
}
