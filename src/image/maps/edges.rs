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

/// The numbers of edge pixels of one picture, or the sums over several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EdgeCounts {
    /// Predicted pixels near a reference pixel.
    pub matched_predicted: u64,
    /// All predicted pixels.
    pub predicted: u64,
    /// Reference pixels near a predicted pixel.
    pub matched_reference: u64,
    /// All reference pixels.
    pub reference: u64,
}

impl EdgeCounts {
    /// The harmonic mean of precision and recall. 0 if nothing matches. `None` if both maps are empty.
    pub fn f(&self) -> Option<f64> {
        if self.predicted + self.reference == 0 {
            return None;
        }
        if self.matched_predicted == 0 || self.matched_reference == 0 {
            return Some(0.0);
        }
        let precision = self.matched_predicted as f64 / self.predicted as f64;
        let recall = self.matched_reference as f64 / self.reference as f64;
        Some(2.0 * precision * recall / (precision + recall))
    }
}

impl std::ops::Add for EdgeCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            matched_predicted: self.matched_predicted + other.matched_predicted,
            predicted: self.predicted + other.predicted,
            matched_reference: self.matched_reference + other.matched_reference,
            reference: self.reference + other.reference,
        }
    }
}

/// Compares two maps of one size. `radius` is the tolerance in pixels.
pub fn match_edges(predicted: &Mask, reference: &Mask, radius: f64) -> EdgeCounts {
    EdgeCounts {
        matched_predicted: near(predicted, reference, radius),
        predicted: predicted.count() as u64,
        matched_reference: near(reference, predicted, radius),
        reference: reference.count() as u64,
    }
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

    fn close(counts: EdgeCounts, f: f64) {
        let found = counts.f().unwrap();
        assert!((found - f).abs() < 1e-6, "{counts:?}: {found}, not {f}");
    }

    // scipy.ndimage.distance_transform_edt: tests/golden/probes/make.py, `edges`.
    #[test]
    fn the_numbers_are_those_of_the_specification() {
        let picture = pattern();
        let reference = canny(&picture, Channels::Rgb, [100, 200]);
        let grey = canny(&picture, Channels::Grey, [100, 200]);
        let exact = match_edges(&grey, &reference, 0.0);
        assert_eq!(exact.matched_predicted, 416);
        close(exact, 0.746858);
        let loose = match_edges(&grey, &reference, 1.0);
        let expected = EdgeCounts {
            matched_predicted: 488,
            predicted: 539,
            matched_reference: 500,
            reference: 575,
        };
        assert_eq!(loose, expected);
        close(loose, 0.887111);

        let shifted = Mask::from_fn(64, 64, |x, y| x > 0 && reference.pixels()[y * 64 + x - 1]);
        assert_eq!(shifted.count(), 565);
        close(match_edges(&shifted, &reference, 0.0), 0.612281);
        close(match_edges(&shifted, &reference, 1.0), 0.999130);

        let thick = dilate(&reference, &Element::square(1));
        assert_eq!(thick.count(), 1858);
        close(match_edges(&thick, &reference, 0.0), 0.472667);
        close(match_edges(&thick, &reference, 1.0), 0.918195);
    }

    #[test]
    fn empty_maps() {
        let none = Mask::from_fn(4, 4, |_, _| false);
        let some = Mask::from_fn(4, 4, |x, _| x == 1);
        assert_eq!(match_edges(&none, &none, 1.0).f(), None);
        assert_eq!(match_edges(&none, &some, 1.0).f(), Some(0.0));
        assert_eq!(match_edges(&some, &none, 1.0).f(), Some(0.0));
        assert_eq!(match_edges(&some, &some, 0.0).f(), Some(1.0));
    }

    #[test]
    fn the_tolerance_grows_with_the_picture() {
        assert_eq!(tolerance(64, 64), 1.0);
        assert!((tolerance(300, 400) - 3.75).abs() < 1e-12);
    }
}
