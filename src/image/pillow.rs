//! Pillow's `Image.resize` for 8-bit RGB, exact to the bit.
//!
//! Both axes are separable windows with fixed-point weights. The rows usually come first and are rounded to 8
//! bits, and then the columns. Networks were trained on, and published numbers were computed from, the
//! results of this function, so one grey level matters.

use image::RgbImage;
use rayon::prelude::*;
use serde::Deserialize;
use std::f64::consts::PI;

/// Number of bits after the point of a weight, as in Pillow for 8-bit pictures.
const BITS: u32 = 22;

/// The shape of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// The triangle filter.
    Bilinear,
    /// Keys' cubic with a = −0.5.
    Bicubic,
    /// Lanczos with three lobes.
    Lanczos,
}

impl Filter {
    /// The filter with this number in Pillow, as preprocessor configurations store it.
    pub fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Lanczos),
            2 => Some(Self::Bilinear),
            3 => Some(Self::Bicubic),
            _ => None,
        }
    }

    /// The number that [`Self::from_number`] reads.
    pub fn number(self) -> u64 {
        match self {
            Self::Lanczos => 1,
            Self::Bilinear => 2,
            Self::Bicubic => 3,
        }
    }

    /// The filter with this lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "lanczos" => Some(Self::Lanczos),
            "bilinear" => Some(Self::Bilinear),
            "bicubic" => Some(Self::Bicubic),
            _ => None,
        }
    }

    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        match self {
            Self::Bilinear => (1.0 - x.abs()).max(0.0),
            Self::Bicubic => match x.abs() {
                x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
                x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
                _ => 0.0,
            },
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Self::Lanczos => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * PI;
    x.sin() / x
}

/// Resizes to `width` × `height` with any aspect ratio. An axis that keeps its size is not changed.
pub fn resize(image: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    let (old_width, old_height) = image.dimensions();
    let mut resized = RgbImage::new(width, height);
    if resized.is_empty() || image.is_empty() {
        return resized;
    }
    let across = (width != old_width).then(|| windows(old_width, width, filter));
    let down = (height != old_height).then(|| windows(old_height, height, filter));
    // Pillow does so since version 13. The order matters, since the first pass rounds.
    let lost = i64::from(old_height) - i64::from(height);
    let down_first = lost > 0 && lost > 2 * (i64::from(old_width) - i64::from(width));
    let out = match (across, down) {
        (Some(across), Some(down)) if down_first => {
            let between = vertical(image, old_width, &down);
            horizontal(&between, old_width, &across)
        }
        (Some(across), Some(down)) => {
            let between = horizontal(image, old_width, &across);
            vertical(&between, width, &down)
        }
        (Some(across), None) => horizontal(image, old_width, &across),
        (None, Some(down)) => vertical(image, width, &down),
        (None, None) => return image.clone(),
    };
    resized.copy_from_slice(&out);
    resized
}

/// The start of a window, and its fixed-point weights.
struct Window {
    start: usize,
    weights: Vec<i32>,
}

fn windows(old: u32, new: u32, filter: Filter) -> Vec<Window> {
    let scale = f64::from(old) / f64::from(new);
    let stretch = scale.max(1.0);
    let support = filter.support() * stretch;
    let window = |position: u32| {
        let centre = (f64::from(position) + 0.5) * scale;
        // As in C, casts truncate towards zero, and negative values become zero.
        let start = (centre - support + 0.5) as u32;
        let end = ((centre + support + 0.5) as u32).min(old);
        let weight = |i: u32| filter.weight((f64::from(i) - centre + 0.5) * (1.0 / stretch));
        let weights: Vec<f64> = (start..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let sum = if sum == 0.0 { 1.0 } else { sum };
        let fixed = |weight: f64| (weight / sum * f64::from(1 << BITS)).round() as i32;
        Window {
            start: start as usize,
            weights: weights.into_iter().map(fixed).collect(),
        }
    };
    (0..new).map(window).collect()
}

fn horizontal(pixels: &[u8], width: u32, windows: &[Window]) -> Vec<u8> {
    let stride = width as usize * 3;
    let mut out = vec![0; pixels.len() / stride * windows.len() * 3];
    let rows = pixels.par_chunks_exact(stride);
    rows.zip(out.par_chunks_exact_mut(windows.len() * 3))
        .for_each(|(row, out)| {
            for (window, out) in windows.iter().zip(out.chunks_exact_mut(3)) {
                let mut sums = [1 << (BITS - 1); 3];
                let pixels = row[window.start * 3..].chunks_exact(3);
                for (weight, pixel) in window.weights.iter().zip(pixels) {
                    for (sum, &value) in sums.iter_mut().zip(pixel) {
                        *sum += weight * i32::from(value);
                    }
                }
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = clip(sum);
                }
            }
        });
    out
}

fn vertical(pixels: &[u8], width: u32, windows: &[Window]) -> Vec<u8> {
    let stride = width as usize * 3;
    let mut out = vec![0; stride * windows.len()];
    let jobs = windows.par_iter().zip(out.par_chunks_exact_mut(stride));
    jobs.for_each_init(
        || vec![0; stride],
        |sums, (window, out)| {
            sums.fill(1 << (BITS - 1));
            let rows = pixels[window.start * stride..].chunks_exact(stride);
            for (weight, row) in window.weights.iter().zip(rows) {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum += weight * i32::from(value);
                }
            }
            for (out, &sum) in out.iter_mut().zip(&*sums) {
                *out = clip(sum);
            }
        },
    );
    out
}

fn clip(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}
