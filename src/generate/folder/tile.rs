//! Tiles of pictures that hold several outputs of a prompt.

use super::image_error;
use crate::generate::GenerateError;
use crate::image as decode;
use image::RgbImage;

/// A rectangle of a grid, in pixels.
pub(super) struct Tile {
    /// 1-based among the grid's, row by row.
    number: u32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    /// A black tile is a place that was left empty.
    black_is_empty: bool,
}

impl Tile {
    /// DPG-Bench: one of two by two squares.
    pub fn square(side: u32, repeat: u32) -> Self {
        Self {
            number: repeat + 1,
            left: (repeat % 2) * side,
            top: (repeat / 2) * side,
            width: side,
            height: side,
            black_is_empty: false,
        }
    }

    /// OneIG-Bench: one of `columns` by `rows` equal rectangles; pixels that do not divide are left over.
    pub fn of_grid(size: (u32, u32), [columns, rows]: [u32; 2], repeat: u32) -> Self {
        let (width, height) = (size.0 / columns.max(1), size.1 / rows.max(1));
        Self {
            number: repeat + 1,
            left: (repeat % columns.max(1)) * width,
            top: (repeat / columns.max(1)) * height,
            width,
            height,
            black_is_empty: true,
        }
    }

    /// Cuts the tile out of the picture called `name`.
    pub fn cut(&self, bytes: &[u8], name: &str) -> Result<RgbImage, GenerateError> {
        let grid = decode::decode_bytes(bytes, name).map_err(image_error)?.rgb;
        let Self {
            number,
            left,
            top,
            width,
            height,
            ..
        } = *self;
        let inside = left + width <= grid.width() && top + height <= grid.height();
        if width == 0 || height == 0 || !inside {
            let help = match self.black_is_empty {
                true => "set `grid` to its columns and rows",
                false => {
                    "set `resolution` to the side of one tile, or `pic_num = 1` for single pictures"
                }
            };
            let message = format!(
                "{name}: the picture is {}x{} pixels; tile {number} of {width}x{height} pixels does not lie in it; {help}",
                grid.width(),
                grid.height(),
            );
            return Err(GenerateError::item("image", message));
        }
        let tile = image::imageops::crop_imm(&grid, left, top, width, height).to_image();
        if self.black_is_empty && tile.as_raw().iter().all(|&value| value == 0) {
            let message = format!("{name}: tile {number} is black: a place without a picture");
            return Err(GenerateError::item("missing", message));
        }
        Ok(tile)
    }
}
