//! `cv2.resize(…, INTER_LINEAR)` on 8-bit pictures, exact to the bit.

use image::RgbImage;

/// One in the fixed-point format of an interpolation weight.
const WEIGHT_ONE: f32 = 2048.0;

/// The two source positions of one output column or row, with their integer weights.
#[derive(Clone, Copy)]
struct Tap {
    near: usize,
    far: usize,
    weights: [i32; 2],
}

/// Bilinear resize with half-pixel centres and without antialiasing, in OpenCV's 11-bit fixed point.
///
/// `width` and `height` are in pixels and at least 1. An empty source gives a black picture.
pub fn resize_linear(source: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (source_width, source_height) = source.dimensions();
    if (source_width, source_height) == (width, height) {
        return source.clone();
    }
    let mut target = RgbImage::new(width, height);
    if source_width == 0 || source_height == 0 || width == 0 || height == 0 {
        return target;
    }
    let columns = column_taps(source_width as usize, width as usize);
    let rows = row_taps(source_height as usize, height as usize);
    let stride = source_width as usize * 3;
    let row_of = |y: usize| &source.as_raw()[y * stride..(y + 1) * stride];

    let mut upper = Row::new(width as usize);
    let mut lower = Row::new(width as usize);
    for (tap, out) in rows.iter().zip(target.chunks_exact_mut(width as usize * 3)) {
        if upper.y != Some(tap.near) {
            if lower.y == Some(tap.near) {
                std::mem::swap(&mut upper, &mut lower);
            } else {
                upper.resample_row(tap.near, row_of(tap.near), &columns);
            }
        }
        if lower.y != Some(tap.far) {
            lower.resample_row(tap.far, row_of(tap.far), &columns);
        }
        let [near, far] = tap.weights;
        for ((&a, &b), value) in upper.values.iter().zip(&lower.values).zip(out) {
            let sum = ((near * (a >> 4)) >> 16) + ((far * (b >> 4)) >> 16);
            *value = ((sum + 2) >> 2).clamp(0, 255) as u8;
        }
    }
    target
}

/// One source row after the horizontal pass, scaled by 2048.
struct Row {
    y: Option<usize>,
    values: Vec<i32>,
}

impl Row {
    fn new(width: usize) -> Self {
        Self {
            y: None,
            values: vec![0; width * 3],
        }
    }

    fn resample_row(&mut self, y: usize, source: &[u8], columns: &[Tap]) {
        self.y = Some(y);
        for (tap, out) in columns.iter().zip(self.values.chunks_exact_mut(3)) {
            let near = &source[tap.near * 3..tap.near * 3 + 3];
            let far = &source[tap.far * 3..tap.far * 3 + 3];
            for channel in 0..3 {
                out[channel] = i32::from(near[channel]) * tap.weights[0]
                    + i32::from(far[channel]) * tap.weights[1];
            }
        }
    }
}

/// The source position of output `index`: the pixel before it, and the fraction beyond that pixel.
fn position(index: usize, source: usize, target: usize) -> (i64, f32) {
    let scale = 1.0 / (target as f64 / source as f64);
    let position = ((index as f64 + 0.5) * scale - 0.5) as f32;
    let floor = position.floor();
    (floor as i64, position - floor)
}

fn weights(fraction: f32) -> [i32; 2] {
    [1.0 - fraction, fraction].map(|weight| (weight * WEIGHT_ONE).round_ties_even() as i32)
}

/// At the left and the right edge of the picture, the fraction is dropped.
fn column_taps(source: usize, target: usize) -> Vec<Tap> {
    let last = source as i64 - 1;
    (0..target)
        .map(|index| {
            let (near, fraction) = match position(index, source, target) {
                (near, _) if near < 0 => (0, 0.0),
                (near, _) if near >= last => (last, 0.0),
                inside => inside,
            };
            Tap {
                near: near as usize,
                far: (near + 1).min(last) as usize,
                weights: weights(fraction),
            }
        })
        .collect()
}

/// At the top and the bottom edge, the fraction is kept and both rows are the edge row.
fn row_taps(source: usize, target: usize) -> Vec<Tap> {
    let last = source as i64 - 1;
    (0..target)
        .map(|index| {
            let (near, fraction) = position(index, source, target);
            Tap {
                near: near.clamp(0, last) as usize,
                far: (near + 1).clamp(0, last) as usize,
                weights: weights(fraction),
            }
        })
        .collect()
}
