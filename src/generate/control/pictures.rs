//! Changes of whole pictures.

use crate::generate::generator::{Answer, Generated};
use crate::image::edit::{Mask, differences};
use crate::image::pillow::{Filter, resize};
use crate::image::{ImageError, encode_jpeg};
use image::{Rgb, RgbImage, imageops};
use imageproc::filter::gaussian_blur_f32;

/// The standard deviations of the blurs that are tried, in pixels.
const BLURS: [f32; 5] = [0.5, 1.0, 2.0, 4.0, 8.0];

/// The blur that brings a picture nearest to the clean one. Of equal ones, the weakest.
pub(super) fn smoothest(noisy: &RgbImage, clean: &RgbImage) -> RgbImage {
    let whole = Mask::from_fn(clean.width() as usize, clean.height() as usize, |_, _| true);
    let distance = |picture: &RgbImage| {
        let [_, all] = differences(clean, picture, &whole);
        all.l2().unwrap_or(f64::INFINITY)
    };
    let blurred = BLURS.iter().map(|sigma| gaussian_blur_f32(noisy, *sigma));
    let best = blurred.min_by(|a, b| distance(a).total_cmp(&distance(b)));
    best.unwrap_or_else(|| noisy.clone())
}

/// The mean colour everywhere.
pub(super) fn blank(picture: &RgbImage) -> RgbImage {
    let mut sums = [0_u64; 3];
    for pixel in picture.pixels() {
        for (sum, value) in sums.iter_mut().zip(pixel.0) {
            *sum += u64::from(value);
        }
    }
    let count = (u64::from(picture.width()) * u64::from(picture.height())).max(1);
    let mean = sums.map(|sum| ((sum + count / 2) / count) as u8);
    RgbImage::from_pixel(picture.width(), picture.height(), Rgb(mean))
}

/// The picture as a JPEG file.
///
/// # Errors
/// Fails if it has no pixels or too many.
pub(super) fn jpeg(picture: &RgbImage, quality: f64) -> Result<Generated, ImageError> {
    let bytes = encode_jpeg(picture, quality.round() as u8)?;
    Ok(Answer::Encoded {
        bytes,
        extension: "jpg",
    }
    .into())
}

/// The picture, moved to the right by whole pixels. The left border is repeated.
pub(super) fn shifted(picture: &RgbImage, by: f64) -> RgbImage {
    let by = by.round() as u32;
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        *picture.get_pixel(x.saturating_sub(by), y)
    })
}

/// The picture, enlarged about its centre and cropped to its size.
pub(super) fn scaled(picture: &RgbImage, factor: f64) -> RgbImage {
    let (width, height) = picture.dimensions();
    let side = |side: u32| ((f64::from(side) * factor).round() as u32).max(side);
    let (wide, high) = (side(width), side(height));
    let large = resize(picture, wide, high, Filter::Bicubic);
    let (left, top) = ((wide - width) / 2, (high - height) / 2);
    imageops::crop_imm(&large, left, top, width, height).to_image()
}

/// Dark and bright exchanged.
pub(super) fn inverted(picture: &RgbImage) -> RgbImage {
    let mut out = picture.clone();
    out.iter_mut().for_each(|value| *value = u8::MAX - *value);
    out
}

/// Black, at the size of a picture.
pub(super) fn black(picture: &RgbImage) -> RgbImage {
    RgbImage::new(picture.width(), picture.height())
}

/// From black at the top to white at the bottom, at the size of a picture.
pub(super) fn gradient(picture: &RgbImage) -> RgbImage {
    let last = picture.height().saturating_sub(1).max(1);
    RgbImage::from_fn(picture.width(), picture.height(), |_, y| {
        Rgb([(255 * y / last) as u8; 3])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> RgbImage {
        RgbImage::from_fn(8, 4, |x, y| Rgb([(30 * x + y) as u8; 3]))
    }

    #[test]
    fn a_shift_repeats_the_border() {
        let moved = shifted(&ramp(), 2.0);
        let row: Vec<u8> = (0..8).map(|x| moved.get_pixel(x, 0).0[0]).collect();
        assert_eq!(row, [0, 0, 0, 30, 60, 90, 120, 150]);
        assert_eq!(shifted(&ramp(), 0.0), ramp());
    }

    #[test]
    fn a_scale_keeps_the_size_and_the_centre() {
        let picture = RgbImage::from_fn(41, 41, |x, y| {
            let near = x.abs_diff(20).max(y.abs_diff(20)) < 5;
            Rgb([if near { 255 } else { 0 }; 3])
        });
        let large = scaled(&picture, 1.2);
        assert_eq!(large.dimensions(), (41, 41));
        let white = |picture: &RgbImage| picture.pixels().filter(|p| p.0[0] > 127).count();
        assert_eq!(white(&picture), 81);
        assert!((110..=124).contains(&white(&large)), "{}", white(&large));
        assert_eq!(large.get_pixel(20, 20).0, [255; 3]);
        assert_eq!(scaled(&picture, 1.0), picture);
    }

    #[test]
    fn the_smallest_distance_decides_the_blur() {
        let clean = RgbImage::from_pixel(16, 16, Rgb([100; 3]));
        let noisy = RgbImage::from_fn(16, 16, |x, y| {
            Rgb([if (x + y) % 2 == 0 { 140 } else { 60 }; 3])
        });
        let smooth = smoothest(&noisy, &clean);
        // Near the border the pattern meets its own repetition.
        let within = |x: u32| (4..12).contains(&x);
        let inner = smooth
            .enumerate_pixels()
            .filter(|(x, y, _)| within(*x) && within(*y));
        let farthest = inner.map(|(_, _, pixel)| pixel.0[0].abs_diff(100)).max();
        assert!(farthest.unwrap() <= 4, "{farthest:?}");
        assert_eq!(blank(&noisy).get_pixel(0, 0).0, [100; 3]);
    }

    #[test]
    fn a_gradient_is_bright_below() {
        let found = gradient(&ramp());
        assert_eq!([0, 3].map(|y| found.get_pixel(0, y).0[0]), [0, 255]);
        assert_eq!(inverted(&found).get_pixel(0, 0).0, [255; 3]);
    }
}
