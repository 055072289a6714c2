//! Bicubic resampling of a square table of positions, as torch does it on floats.

use crate::image::tensor_resize::cubic;
use candle_core::{DType, Result, Tensor};

/// A table [side², D] in raster order → [rows · columns, D]. Without antialiasing, there are four taps with a
/// = −0.75 and repeated borders. With it, the kernel is wider with a = −0.5 and is cut at the borders, as in
/// torch's `interpolate(mode="bicubic")` with `align_corners=False`.
///
/// # Errors
/// Fails if the table is not a square with that side.
pub fn resample_positions(
    table: &Tensor,
    side: usize,
    (rows, columns): (usize, usize),
    antialias: bool,
) -> Result<Tensor> {
    let width = table.dim(1)?;
    let device = table.device();
    let weights = |out: usize| -> Result<Tensor> {
        let matrix = if antialias {
            smooth(side, out)
        } else {
            four_taps(side, out)
        };
        Tensor::from_vec(matrix, (out, side), device)
    };
    let table = table.to_dtype(DType::F32)?;
    // Rows: [rows, side] × [side, side · D].
    let tall = weights(rows)?.matmul(&table.reshape((side, side * width))?)?;
    let tall = tall
        .reshape((rows, side, width))?
        .transpose(0, 1)?
        .contiguous()?;
    let both = weights(columns)?.matmul(&tall.reshape((side, rows * width))?)?;
    both.reshape((columns, rows, width))?
        .transpose(0, 1)?
        .contiguous()?
        .reshape((rows * columns, width))
}

/// The weights of each input for each output, [out, side], row-major.
fn four_taps(side: usize, out: usize) -> Vec<f32> {
    let mut matrix = vec![0f32; out * side];
    let scale = side as f64 / out as f64;
    for (number, row) in matrix.chunks_exact_mut(side).enumerate() {
        let centre = (number as f64 + 0.5) * scale - 0.5;
        let first = centre.floor();
        for tap in -1..=2i64 {
            let at = first as i64 + tap;
            let weight = cubic(centre - at as f64, -0.75);
            row[at.clamp(0, side as i64 - 1) as usize] += weight as f32;
        }
    }
    matrix
}

fn smooth(side: usize, out: usize) -> Vec<f32> {
    let mut matrix = vec![0f32; out * side];
    let scale = side as f64 / out as f64;
    let stretch = scale.max(1.0);
    for (number, row) in matrix.chunks_exact_mut(side).enumerate() {
        let centre = (number as f64 + 0.5) * scale;
        let low = (centre - 2.0 * stretch + 0.5).max(0.0) as usize;
        let high = ((centre + 2.0 * stretch + 0.5) as usize).min(side);
        let weights: Vec<f64> = (low..high)
            .map(|at| cubic((at as f64 - centre + 0.5) / stretch, -0.5))
            .collect();
        let total: f64 = weights.iter().sum();
        for (at, weight) in (low..high).zip(weights) {
            row[at] = (weight / total) as f32;
        }
    }
    matrix
}
