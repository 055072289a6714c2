//! Tiles of pictures that have several outputs of a prompt.

use crate::generate::error::GenerateError;
use crate::image as decode;
use image::RgbImage;

/// One rectangle of a grid, in pixels.
pub(super) struct Tile {
    /// The number of the rectangle from 1, row by row.
    number: u32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    /// Whether a black tile is a place without a picture.
    black_is_empty: bool,
    /// Whether the grid has pixels beyond its tiles.
    rest: bool,
}

impl Tile {
    /// DPG-Bench: one of two by two squares. `None` if the output is the whole picture. `resolution` is the
    /// side of a tile in the benchmark's script. Without it, only a grid of squares can be divided.
    ///
    /// # Errors
    /// Fails if a picture of this size is not such a grid.
    pub(super) fn of_dpg(
        (width, height): (u32, u32),
        resolution: Option<u32>,
        pic_num: u32,
        repeat: u32,
    ) -> Result<Option<Self>, String> {
        // A script that made two pictures may have placed them side by side.
        let is_grid = |side: u32| {
            let both = side.checked_mul(2);
            both == Some(width) && (both == Some(height) || pic_num <= 2 && height == side)
        };
        let side = match resolution {
            Some(side) if pic_num == 1 && (width, height) == (side, side) => return Ok(None),
            Some(side) => side,
            None if pic_num == 1 => return Ok(None),
            None if is_grid(width / 2) => width / 2,
            None => {
                return Err(format!(
                    "the picture is {width}x{height} pixels, which is not a grid of 2x2 squares; in a model file of the `folder` generator, set `resolution` to the side of one tile, or `pic_num = 1` for single pictures"
                ));
            }
        };
        Ok(Some(Self {
            number: repeat + 1,
            left: (repeat % 2).saturating_mul(side),
            top: (repeat / 2).saturating_mul(side),
            width: side,
            height: side,
            black_is_empty: false,
            rest: !is_grid(side),
        }))
    }

    /// OneIG-Bench: one of `columns` by `rows` equal rectangles. The remaining pixels at the right and the
    /// bottom belong to none.
    pub(super) fn of_grid(size: (u32, u32), [columns, rows]: [u32; 2], repeat: u32) -> Self {
        let (columns, rows) = (columns.max(1), rows.max(1));
        let (width, height) = (size.0 / columns, size.1 / rows);
        Self {
            number: repeat + 1,
            left: (repeat % columns) * width,
            top: (repeat / columns) * height,
            width,
            height,
            black_is_empty: true,
            rest: size != (width * columns, height * rows),
        }
    }

    /// Cuts the tile out of the picture called `name`. Also returns notes on changes and on pixels that were
    /// left out.
    ///
    /// # Errors
    /// Fails if the picture is damaged, is smaller than the tile requires, or has no picture in the tile.
    pub(super) fn cut(
        &self,
        bytes: &[u8],
        name: &str,
    ) -> Result<(RgbImage, Vec<String>), GenerateError> {
        let decoded = decode::decode_bytes(bytes, name)?;
        let grid = decoded.rgb;
        let Self {
            number,
            left,
            top,
            width,
            height,
            ..
        } = *self;
        let ends =
            |from: u32, size: u32, side: u32| from.checked_add(size).is_some_and(|end| end <= side);
        let inside = ends(left, width, grid.width()) && ends(top, height, grid.height());
        if width == 0 || height == 0 || !inside {
            let help = if self.black_is_empty {
                "set `grid` to its columns and rows"
            } else {
                "set `resolution` to the side of one tile, or `pic_num = 1` for single pictures"
            };
            let message = format!(
                "{name}: the picture is {}x{} pixels; tile {number} of {width}x{height} pixels is not inside; {help}",
                grid.width(),
                grid.height(),
            );
            return Err(GenerateError::item("image", message));
        }
        let tile = image::imageops::crop_imm(&grid, left, top, width, height).to_image();
        if self.black_is_empty && tile.as_raw().iter().all(|&value| value == 0) {
            let message = format!("{name}: tile {number} is black, so it has no picture");
            return Err(GenerateError::item("missing", message));
        }
        let changes = decoded.changes.iter();
        let mut notes: Vec<String> = changes.map(|change| change.note("the grid")).collect();
        if self.rest {
            notes.push("the grid has pixels beyond its tiles, which were left out".to_owned());
        }
        Ok((tile, notes))
    }
}
