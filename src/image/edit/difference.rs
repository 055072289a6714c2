//! Mean differences of two pictures: overall, and inside and outside a region.

use super::mask::Mask;
use image::RgbImage;
use rayon::prelude::*;

/// Sums of differences over the channels of some pixels, on 0..=255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Difference {
    /// Number of pixels.
    pub pixels: u64,
    absolute: u64,
    squared: u64,
}

impl Difference {
    /// The mean absolute difference on 0..=1. `None` without pixels.
    pub fn l1(&self) -> Option<f64> {
        self.mean(self.absolute, 255.0)
    }

    /// The mean squared difference on 0..=1 (MSE). `None` without pixels.
    pub fn l2(&self) -> Option<f64> {
        self.mean(self.squared, 255.0 * 255.0)
    }

    /// 10 log10(1 / MSE) in decibels. `None` without pixels, and if nothing differs, since it is then
    /// infinite.
    pub fn psnr(&self) -> Option<f64> {
        let l2 = self.l2().filter(|l2| *l2 > 0.0)?;
        Some(-10.0 * l2.log10())
    }

    /// Whether no value differs.
    pub fn identical(&self) -> bool {
        self.squared == 0
    }

    /// The same differences as part of `pixels` pixels. The additional pixels have no difference.
    #[must_use]
    pub fn spread_over(&self, pixels: u64) -> Self {
        Self { pixels, ..*self }
    }

    fn mean(&self, sum: u64, full: f64) -> Option<f64> {
        (self.pixels > 0).then(|| sum as f64 / (3 * self.pixels) as f64 / full)
    }

    fn add(&mut self, a: &[u8], b: &[u8]) {
        self.pixels += 1;
        for (a, b) in a.iter().zip(b) {
            let difference = u64::from(a.abs_diff(*b));
            self.absolute += difference;
            self.squared += difference * difference;
        }
    }
}

/// The differences outside and inside a region of two pictures of one size.
pub fn differences(a: &RgbImage, b: &RgbImage, region: &Mask) -> [Difference; 2] {
    let row = 3 * a.width().max(1) as usize;
    let rows = a.as_raw().par_chunks_exact(row);
    let rows = rows.zip(b.as_raw().par_chunks_exact(row));
    rows.zip(region.pixels().par_chunks_exact(row / 3))
        .map(|((a, b), region)| {
            let mut sums = [Difference::default(); 2];
            let pixels = a.chunks_exact(3).zip(b.chunks_exact(3));
            for ((a, b), inside) in pixels.zip(region) {
                sums[usize::from(*inside)].add(a, b);
            }
            sums
        })
        .reduce(Default::default, |a, b| [a[0] + b[0], a[1] + b[1]])
}

impl std::ops::Add for Difference {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            pixels: self.pixels + other.pixels,
            absolute: self.absolute + other.absolute,
            squared: self.squared + other.squared,
        }
    }
}
