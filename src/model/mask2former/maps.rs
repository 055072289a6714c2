//! Positions and sizes of feature maps.

use candle_core::{Device, Tensor};
use std::f64::consts::PI;

/// Positions as sines and cosines, [rows · columns, width]: the first half encodes the row, and the second
/// half the column, both relative to the size of the map.
pub(super) fn sine_positions(
    (rows, columns): (usize, usize),
    width: usize,
    device: &Device,
) -> candle_core::Result<Tensor> {
    let half = width / 2;
    let axis = |length: usize| -> Vec<f32> {
        let part = |place: usize| (place + 1) as f64 / (length as f64 + 1e-6) * 2.0 * PI;
        let value = |place: usize, k: usize| {
            let angle = part(place) / 10_000f64.powf((k / 2 * 2) as f64 / half as f64);
            (if k.is_multiple_of(2) {
                angle.sin()
            } else {
                angle.cos()
            }) as f32
        };
        (0..length)
            .flat_map(|place| (0..half).map(move |k| value(place, k)))
            .collect()
    };
    let (down, across) = (axis(rows), axis(columns));
    let mut values = Vec::with_capacity(rows * columns * width);
    for row in down.chunks_exact(half) {
        for column in across.chunks_exact(half) {
            values.extend_from_slice(row);
            values.extend_from_slice(column);
        }
    }
    Tensor::from_vec(values, (rows * columns, 2 * half), device)
}

/// Bilinear with half-pixel centres and two taps per axis.
pub(super) fn resized(
    map: &Tensor,
    (rows, columns): (usize, usize),
) -> candle_core::Result<Tensor> {
    match map.dims4()? {
        (_, _, height, width) if (height, width) == (rows, columns) => Ok(map.clone()),
        _ => map.upsample_bilinear2d(rows, columns, false),
    }
}
