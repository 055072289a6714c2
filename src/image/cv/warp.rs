//! `cv2.getPerspectiveTransform` with `cv2.warpPerspective(…, INTER_CUBIC, BORDER_REPLICATE)`.
//!
//! It equals OpenCV 5, which interpolates at the exact position. OpenCV 4 first rounds the position to 1/32
//! pixel.

use image::RgbImage;

/// Cuts out the quadrilateral (clockwise from the top left, in pixels) and transforms it to `width` ×
/// `height`.
///
/// Pixels beyond the picture repeat its edge. `None` if the corners span no area or the picture is empty.
pub fn crop_quad(
    source: &RgbImage,
    corners: [[f32; 2]; 4],
    width: u32,
    height: u32,
) -> Option<RgbImage> {
    if source.width() == 0 || source.height() == 0 || width == 0 || height == 0 {
        return None;
    }
    if let Some((x, y)) = whole_rectangle(corners, width, height) {
        return Some(copy(source, x, y, width, height));
    }
    let (right, bottom) = (f64::from(width), f64::from(height));
    let upright = [[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]];
    let map = transform(upright, corners.map(|corner| corner.map(f64::from)))?;
    let mut target = RgbImage::new(width, height);
    for (y, row) in target.chunks_exact_mut(width as usize * 3).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            sample(source, project(&map, x as f64, y as f64), pixel);
        }
    }
    Some(target)
}

/// The top left corner, if the quadrilateral is upright, on whole pixels and exactly as large as the target.
fn whole_rectangle(corners: [[f32; 2]; 4], width: u32, height: u32) -> Option<(i64, i64)> {
    let [[x, y], ..] = corners;
    let (right, bottom) = (x + width as f32, y + height as f32);
    let upright = [[x, y], [right, y], [right, bottom], [x, bottom]];
    (corners == upright && x.fract() == 0.0 && y.fract() == 0.0).then_some((x as i64, y as i64))
}

fn copy(source: &RgbImage, x: i64, y: i64, width: u32, height: u32) -> RgbImage {
    let (last_x, last_y) = last(source);
    let inside = x >= 0 && x + i64::from(width) - 1 <= last_x;
    let stride = source.width() as usize * 3;
    let mut target = RgbImage::new(width, height);
    for (row, out) in (y..).zip(target.chunks_exact_mut(width as usize * 3)) {
        let from = &source.as_raw()[row.clamp(0, last_y) as usize * stride..][..stride];
        if inside {
            out.copy_from_slice(&from[x as usize * 3..][..width as usize * 3]);
            continue;
        }
        for (column, pixel) in (x..).zip(out.chunks_exact_mut(3)) {
            pixel.copy_from_slice(&from[column.clamp(0, last_x) as usize * 3..][..3]);
        }
    }
    target
}

fn last(source: &RgbImage) -> (i64, i64) {
    (
        i64::from(source.width()) - 1,
        i64::from(source.height()) - 1,
    )
}

/// The 3 × 3 matrix, with 1 as its last entry, that maps each point of `from` to that of `to`.
fn transform(from: [[f64; 2]; 4], to: [[f64; 2]; 4]) -> Option<[f64; 9]> {
    let mut rows = [[0.0; 9]; 8];
    for (i, ([x, y], [u, v])) in from.into_iter().zip(to).enumerate() {
        rows[i] = [x, y, 1.0, 0.0, 0.0, 0.0, -x * u, -y * u, u];
        rows[i + 4] = [0.0, 0.0, 0.0, x, y, 1.0, -x * v, -y * v, v];
    }
    let solved = solve(rows)?;
    let mut map = [1.0; 9];
    map[..8].copy_from_slice(&solved);
    Some(map)
}

/// Gaussian elimination with row pivots. The last column is the right-hand side.
fn solve(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot =
            (column..8).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        if rows[pivot][column].abs() < f64::EPSILON {
            return None;
        }
        rows.swap(column, pivot);
        let lead = rows[column];
        for (index, row) in rows.iter_mut().enumerate() {
            if index == column {
                continue;
            }
            let factor = row[column] / lead[column];
            for (value, lead) in row.iter_mut().zip(lead) {
                *value -= factor * lead;
            }
        }
    }
    Some(std::array::from_fn(|i| rows[i][8] / rows[i][i]))
}

/// The source position of a target pixel.
fn project(map: &[f64; 9], x: f64, y: f64) -> [f64; 2] {
    let depth = map[6] * x + map[7] * y + map[8];
    let scale = if depth == 0.0 { 0.0 } else { 1.0 / depth };
    let along = |row: usize| (map[row] * x + map[row + 1] * y + map[row + 2]) * scale;
    [along(0), along(3)]
}

/// Bicubic interpolation of the 4 × 4 pixels around a position.
fn sample(source: &RgbImage, [x, y]: [f64; 2], pixel: &mut [u8]) {
    let (last_x, last_y) = last(source);
    let stride = source.width() as usize * 3;
    let (left, top) = (x.floor(), y.floor());
    let horizontal = cubic((x - left) as f32);
    let vertical = cubic((y - top) as f32);
    let columns: [usize; 4] =
        std::array::from_fn(|i| (left as i64 - 1 + i as i64).clamp(0, last_x) as usize * 3);
    let mut sums = [0.0f32; 3];
    for (offset, weight) in (-1..).zip(vertical) {
        let y = (top as i64 + offset).clamp(0, last_y) as usize;
        let row = &source.as_raw()[y * stride..][..stride];
        let mut across = [0.0f32; 3];
        for (&column, &weight) in columns.iter().zip(&horizontal) {
            for (sum, &value) in across.iter_mut().zip(&row[column..column + 3]) {
                *sum += f32::from(value) * weight;
            }
        }
        for (sum, value) in sums.iter_mut().zip(across) {
            *sum += value * weight;
        }
    }
    for (value, sum) in pixel.iter_mut().zip(sums) {
        *value = sum.round_ties_even().clamp(0.0, 255.0) as u8;
    }
}

/// Keys' cubic convolution with a = −0.75 at the four pixels around a position.
fn cubic(fraction: f32) -> [f32; 4] {
    const A: f32 = -0.75;
    let outer = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let inner = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let first = outer(fraction + 1.0);
    let second = inner(fraction);
    let third = inner(1.0 - fraction);
    [first, second, third, 1.0 - first - second - third]
}
