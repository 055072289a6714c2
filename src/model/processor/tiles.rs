//! A large picture in tiles, as in GOT-OCR2.0 and in the earlier InternVL.

use crate::image::pillow::{Filter, resize};
use image::RgbImage;

/// Cuts a picture into at most `most` tiles of `size` × `size`, rows first, after resizing it to the grid
/// whose shape is nearest to its own; the whole picture follows them if there is more than one tile.
pub fn tiles(image: &RgbImage, size: u32, most: usize) -> Vec<RgbImage> {
    let (columns, rows) = grid(image.dimensions(), size, most);
    let whole =
        |columns: u32, rows: u32| resize(image, size * columns, size * rows, Filter::Bicubic);
    let resized = whole(columns, rows);
    let mut tiles: Vec<RgbImage> = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (column * size, row * size)))
        .map(|(x, y)| image::imageops::crop_imm(&resized, x, y, size, size).to_image())
        .collect();
    if tiles.len() > 1 {
        tiles.push(whole(1, 1));
    }
    tiles
}

/// The columns and rows. Of equally near grids, a later one (with more tiles) is used if the picture has more
/// than half of its pixels.
fn grid((width, height): (u32, u32), size: u32, most: usize) -> (u32, u32) {
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let mut grids: Vec<(u32, u32)> = (1..=most)
        .flat_map(|columns| (1..=most / columns).map(move |rows| (columns, rows)))
        .collect();
    grids.sort_by_key(|(columns, rows)| columns * rows);
    let shape = f64::from(width) / f64::from(height);
    let area = f64::from(width) * f64::from(height);
    let (mut best, mut nearest) = ((1, 1), f64::INFINITY);
    for (columns, rows) in grids {
        let distance = (shape - f64::from(columns) / f64::from(rows)).abs();
        let covered = f64::from(size).powi(2) * f64::from(columns * rows);
        if distance < nearest || (distance == nearest && area > 0.5 * covered) {
            (best, nearest) = ((columns, rows), distance.min(nearest));
        }
    }
    best
}
