//! Measures of a picture's technical quality without a learned model: sharpness, noise, range and colour.

use super::cv::grey;
use image::RgbImage;
use rayon::prelude::*;
use serde::Serialize;

/// Side of the blocks, in pixels, of which the flattest tenth is used.
const BLOCK: usize = 16;

/// The measures, on grey levels 0..=255 unless stated otherwise. Sharpness and noise depend on the size of
/// the picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality {
    /// The variance of the Laplacian of the grey picture: OpenCV's `Laplacian(grey, CV_64F).var()`.
    pub sharpness: f64,
    /// The standard deviation of the noise (Immerkær, CVIU 64(2), 1996), over-estimated in textures. `None`
    /// below 3 × 3 pixels.
    pub noise: Option<f64>,
    /// The same over the tenth of 16 × 16 blocks with the least gradient energy. `None` without a block.
    pub noise_flat: Option<f64>,
    /// The distance between the 1st and the 99th percentile of the grey values, divided by 255.
    pub dynamic_range: f64,
    /// The share of pixels with a channel at 0..=2 or 253..=255.
    pub clipped: f64,
    /// The entropy of the histogram of the grey values, 0 to 8 bits.
    pub entropy: f64,
    /// The standard deviation of the grey values, divided by 255.
    pub contrast: f64,
    /// The mean grey value, divided by 255.
    pub brightness: f64,
    /// Hasler and Süsstrunk, 2003: 0 is not a colour, 33 moderate, 109 extreme.
    pub colorfulness: f64,
    /// The mean saturation (HSV), 0 to 1.
    pub saturation: f64,
}

impl Quality {
    /// Measures a picture. `None` for a picture without pixels.
    pub fn measure(image: &RgbImage) -> Option<Self> {
        let grey = Grey::from_image(image);
        let colors = Colors::from_image(image);
        let pixels = grey.values.len() as f64;
        if grey.values.is_empty() {
            return None;
        }
        let histogram = grey.histogram();
        let (mean, variance) = moments(&histogram);
        let [low, high] = [0.01, 0.99].map(|q| percentile(&histogram, q));
        Some(Self {
            sharpness: grey.sharpness(),
            noise: grey.noise(),
            noise_flat: grey.noise_flat(),
            dynamic_range: (high - low) / 255.0,
            clipped: colors.clipped as f64 / pixels,
            entropy: entropy(&histogram),
            contrast: variance.sqrt() / 255.0,
            brightness: mean / 255.0,
            colorfulness: colors.colorfulness(pixels),
            saturation: colors.saturation / pixels,
        })
    }
}

struct Grey {
    width: usize,
    height: usize,
    values: Vec<u8>,
}

impl Grey {
    fn from_image(image: &RgbImage) -> Self {
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            values: image.pixels().map(|pixel| grey(pixel.0)).collect(),
        }
    }

    fn value_at(&self, x: usize, y: usize) -> i64 {
        i64::from(self.values[y * self.width + x])
    }

    fn histogram(&self) -> [u64; 256] {
        let mut histogram = [0; 256];
        for value in &self.values {
            histogram[usize::from(*value)] += 1;
        }
        histogram
    }

    fn sharpness(&self) -> f64 {
        let row = |y: usize| {
            let (above, below) = neighbours(y, self.height);
            let mut sums = (0i64, 0i64);
            for x in 0..self.width {
                let (left, right) = neighbours(x, self.width);
                let around = self.value_at(left, y)
                    + self.value_at(right, y)
                    + self.value_at(x, above)
                    + self.value_at(x, below);
                let value = around - 4 * self.value_at(x, y);
                sums = (sums.0 + value, sums.1 + value * value);
            }
            sums
        };
        let sums = (0..self.height).into_par_iter().map(row);
        let (sum, squares) = sums.reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let pixels = self.values.len() as f64;
        let mean = sum as f64 / pixels;
        squares as f64 / pixels - mean * mean
    }

    /// |Y * M| at a pixel that is not on the border, with M = [1 -2 1; -2 4 -2; 1 -2 1].
    fn roughness(&self, x: usize, y: usize) -> u64 {
        let across =
            |y: usize| self.value_at(x - 1, y) - 2 * self.value_at(x, y) + self.value_at(x + 1, y);
        (across(y - 1) - 2 * across(y) + across(y + 1)).unsigned_abs()
    }

    fn noise(&self) -> Option<f64> {
        if self.width < 3 || self.height < 3 {
            return None;
        }
        let row = |y: usize| {
            (1..self.width - 1)
                .map(|x| self.roughness(x, y))
                .sum::<u64>()
        };
        let sum: u64 = (1..self.height - 1).into_par_iter().map(row).sum();
        Some(sigma(sum, (self.width - 2) * (self.height - 2)))
    }

    fn noise_flat(&self) -> Option<f64> {
        let (columns, rows) = (self.width / BLOCK, self.height / BLOCK);
        let mut blocks: Vec<(i64, u64, usize)> = (0..columns * rows)
            .into_par_iter()
            .map(|block| self.block(block % columns * BLOCK, block / columns * BLOCK))
            .collect();
        let flattest = blocks.len().div_ceil(10);
        // The sort is stable, so equal blocks keep their order.
        blocks.sort_by_key(|(energy, _, _)| *energy);
        let chosen = blocks.iter().take(flattest);
        let (sum, count) = chosen.fold((0, 0), |all, one| (all.0 + one.1, all.1 + one.2));
        (count > 0).then(|| sigma(sum, count))
    }

    /// The gradient energy (Sobel), the sum of the roughness, and the number of pixels of a block that are
    /// not on the border.
    fn block(&self, left: usize, top: usize) -> (i64, u64, usize) {
        let mut sums = (0, 0, 0);
        for y in top.max(1)..(top + BLOCK).min(self.height - 1) {
            for x in left.max(1)..(left + BLOCK).min(self.width - 1) {
                let row = |y: usize| self.value_at(x + 1, y) - self.value_at(x - 1, y);
                let column = |x: usize| self.value_at(x, y + 1) - self.value_at(x, y - 1);
                let across = row(y - 1) + 2 * row(y) + row(y + 1);
                let down = column(x - 1) + 2 * column(x) + column(x + 1);
                sums.0 += across * across + down * down;
                sums.1 += self.roughness(x, y);
                sums.2 += 1;
            }
        }
        sums
    }
}

/// The indices before and after, mirrored at the border without repeating it.
fn neighbours(place: usize, length: usize) -> (usize, usize) {
    let last = length - 1;
    let before = if place == 0 { 1.min(last) } else { place - 1 };
    let behind = if place == last {
        last.saturating_sub(1)
    } else {
        place + 1
    };
    (before, behind)
}

fn sigma(sum: u64, count: usize) -> f64 {
    (std::f64::consts::PI / 2.0).sqrt() / 6.0 * sum as f64 / count as f64
}

/// The mean and the variance.
fn moments(histogram: &[u64; 256]) -> (f64, f64) {
    let values = || histogram.iter().zip(0u64..);
    let count = histogram.iter().sum::<u64>() as f64;
    let sum = values().map(|(n, value)| n * value).sum::<u64>() as f64;
    let squares = values().map(|(n, value)| n * value * value).sum::<u64>() as f64;
    let mean = sum / count;
    (mean, (squares / count - mean * mean).max(0.0))
}

/// As numpy computes it: between the two values next to the index (n − 1) q of the sorted values.
fn percentile(histogram: &[u64; 256], q: f64) -> f64 {
    let count: u64 = histogram.iter().sum();
    let place = (count - 1) as f64 * q;
    let value = |place: u64| {
        let mut left = place;
        let found = histogram.iter().position(|n| {
            if left < *n {
                true
            } else {
                left -= n;
                false
            }
        });
        found.unwrap_or(255) as f64
    };
    let (below, above) = (value(place.floor() as u64), value(place.ceil() as u64));
    below + (above - below) * place.fract()
}

fn entropy(histogram: &[u64; 256]) -> f64 {
    let count = histogram.iter().sum::<u64>() as f64;
    let shares = histogram
        .iter()
        .filter(|n| **n > 0)
        .map(|n| *n as f64 / count);
    // The sum is at most 8, and never −0.
    shares
        .map(|share| -share * share.log2())
        .sum::<f64>()
        .max(0.0)
}

/// Sums over pixels.
#[derive(Default)]
struct Colors {
    /// Sums of R − G and of R + G − 2 B, of their values and their squares.
    opponents: [(i64, i64); 2],
    clipped: u64,
    saturation: f64,
}

impl Colors {
    fn from_image(image: &RgbImage) -> Self {
        let row = 3 * image.width().max(1) as usize;
        let rows: Vec<Self> = image
            .as_raw()
            .par_chunks_exact(row)
            .map(Self::row)
            .collect();
        // In order, so that the sum does not depend on threads.
        rows.iter().fold(Self::default(), |all, row| Self {
            opponents: [0, 1].map(|i| {
                let (a, b) = (all.opponents[i], row.opponents[i]);
                (a.0 + b.0, a.1 + b.1)
            }),
            clipped: all.clipped + row.clipped,
            saturation: all.saturation + row.saturation,
        })
    }

    fn row(row: &[u8]) -> Self {
        let mut sums = Self::default();
        for pixel in row.chunks_exact(3) {
            let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(i64::from);
            for (sum, value) in sums.opponents.iter_mut().zip([r - g, r + g - 2 * b]) {
                *sum = (sum.0 + value, sum.1 + value * value);
            }
            let (least, most) = (r.min(g).min(b), r.max(g).max(b));
            sums.clipped += u64::from(least <= 2 || most >= 253);
            if most > 0 {
                sums.saturation += (most - least) as f64 / most as f64;
            }
        }
        sums
    }

    fn colorfulness(&self, pixels: f64) -> f64 {
        // The second opponent is half of R + G − 2 B.
        let mut variance = 0.0;
        let mut square = 0.0;
        for ((sum, squares), scale) in self.opponents.iter().zip([1.0, 0.5]) {
            let mean = *sum as f64 / pixels;
            variance += (*squares as f64 / pixels - mean * mean).max(0.0) * scale * scale;
            square += mean * mean * scale * scale;
        }
        variance.sqrt() + 0.3 * square.sqrt()
    }
}
