//! Edges against reference edges: a pixel counts as right if a pixel of the other map is near. This is looser
//! than the one-to-one matching of BSDS, so the number is called F (distance).

use crate::image::edit::Mask;
use image::{GrayImage, Luma};
use imageproc::distance_transform::euclidean_squared_distance_transform;

/// The tolerance as a share of the diagonal.
const SHARE: f64 = 0.0075;
/// Distances of pixels are roots of whole numbers, so this only forgives rounding.
const CLOSE: f64 = 1e-9;

/// The usual tolerance for a picture of this size, in pixels: 0.75 % of the diagonal, at least 1.
pub fn tolerance(width: usize, height: usize) -> f64 {
    (SHARE * (width as f64).hypot(height as f64)).max(1.0)
}

/// The numbers of edge pixels: predicted ones near a reference pixel, all predicted ones, reference ones near a
/// predicted pixel, and all reference ones.
pub type EdgeCounts = [u64; 4];

/// Compares two maps of one size. `radius` is the tolerance in pixels.
pub fn match_edges(predicted: &Mask, reference: &Mask, radius: f64) -> EdgeCounts {
    [
        near(predicted, reference, radius),
        predicted.count() as u64,
        near(reference, predicted, radius),
        reference.count() as u64,
    ]
}

/// How many white pixels of `these` have a white pixel of `those` within the radius.
fn near(these: &Mask, those: &Mask, radius: f64) -> u64 {
    if radius < 1.0 {
        return these.overlap(those) as u64;
    }
    if those.count() == 0 {
        return 0;
    }
    let (width, height) = (those.width() as u32, those.height() as u32);
    let mut picture = GrayImage::new(width, height);
    for (pixel, white) in picture.pixels_mut().zip(those.pixels()) {
        *pixel = Luma([u8::from(*white)]);
    }
    let distances = euclidean_squared_distance_transform(&picture);
    let pairs = these.pixels().iter().zip(distances.pixels());
    let within = radius * radius + CLOSE;
    pairs
        .filter(|(white, distance)| **white && distance.0[0] <= within)
        .count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::cv::{Channels, Element, canny, dilate};
    use image::{Rgb, RgbImage};

    /// The pattern of src/image/cv/canny.rs.
    fn pattern() -> RgbImage {
        RgbImage::from_fn(64, 64, |x, y| {
            let disc = (x.abs_diff(30).pow(2) + y.abs_diff(34).pow(2)) < 400;
            Rgb([
                ((x * x + 3 * y * y) / 16 % 256) as u8,
                ((7 * x + y * y / 5) % 256) as u8,
                if disc { 220 } else { 40 },
            ])
        })
    }

    // scipy.ndimage.distance_transform_edt: tests/golden/probes/make.py, `edges`.
    #[test]
    fn the_numbers_are_those_of_the_specification() {
        let picture = pattern();
        let reference = canny(&picture, Channels::Rgb, [100, 200]);
        let grey = canny(&picture, Channels::Grey, [100, 200]);
        assert_eq!(match_edges(&grey, &reference, 0.0), [416, 539, 416, 575]);
        assert_eq!(match_edges(&grey, &reference, 1.0), [488, 539, 500, 575]);

        let shifted = Mask::from_fn(64, 64, |x, y| x > 0 && reference.pixels()[y * 64 + x - 1]);
        assert_eq!(match_edges(&shifted, &reference, 0.0), [349, 565, 349, 575]);
        assert_eq!(match_edges(&shifted, &reference, 1.0), [565, 565, 574, 575]);

        let thick = dilate(&reference, &Element::square(1));
        assert_eq!(match_edges(&thick, &reference, 0.0), [575, 1858, 575, 575]);
        assert_eq!(match_edges(&thick, &reference, 1.0), [1577, 1858, 575, 575]);
    }

    #[test]
    fn empty_maps() {
        let none = Mask::from_fn(4, 4, |_, _| false);
        let some = Mask::from_fn(4, 4, |x, _| x == 1);
        assert_eq!(match_edges(&none, &none, 1.0), [0; 4]);
        assert_eq!(match_edges(&none, &some, 1.0), [0, 0, 0, 4]);
        assert_eq!(match_edges(&some, &none, 1.0), [0, 4, 0, 0]);
        assert_eq!(match_edges(&some, &some, 0.0), [4; 4]);
    }

    #[test]
    fn the_tolerance_grows_with_the_picture() {
        assert_eq!(tolerance(64, 64), 1.0);
        assert!((tolerance(300, 400) - 3.75).abs() < 1e-12);
    }
}
