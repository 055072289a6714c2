//! Tables of positions in a square, of which a picture uses the rows at its own rows and columns.

use super::config::BagelConfig;
use crate::model::{ModelError, Result, Weights};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;

/// The size of a picture in patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Number of patches from top to bottom.
    pub h: usize,
    /// Number of patches from left to right.
    pub w: usize,
}

impl Grid {
    /// Number of patches.
    pub fn count(self) -> usize {
        self.h * self.w
    }
}

/// A table of side² positions [side², D], row by row. It is never resampled: a picture uses its upper left
/// corner.
#[derive(Debug, Clone)]
pub(super) struct PositionTable {
    table: Tensor,
    side: usize,
}

impl PositionTable {
    /// Loads the table. Its side is that of the stored tensor. `side` is that of the released checkpoint, for
    /// an audit without files.
    pub(super) fn new(weights: &Weights, name: &str, side: usize, width: usize) -> Result<Self> {
        let stored = weights.dims(name);
        let rows = stored.and_then(|dims| dims.first().copied());
        let side = rows.map_or(side, usize::isqrt);
        Ok(Self {
            table: weights.get(name, (side * side, width))?,
            side,
        })
    }

    /// The numbers of the rows for a picture: row · side + column.
    ///
    /// # Errors
    /// Fails if the picture has no patches, or more along a side than the table.
    pub(super) fn ids(&self, Grid { h, w }: Grid) -> Result<Vec<u32>> {
        let side = self.side;
        if h == 0 || w == 0 || h > side || w > side {
            return Err(ModelError::Input(format!(
                "a picture of {w} × {h} patches does not fit the checkpoint's table of positions, which has {side} × {side}"
            )));
        }
        let ids = (0..h).flat_map(|row| (0..w).map(move |column| (row * side + column) as u32));
        Ok(ids.collect())
    }

    /// The rows for a picture, [h · w, D].
    ///
    /// # Errors
    /// Fails when [`Self::ids`] fails.
    pub(super) fn rows(&self, grid: Grid) -> Result<Tensor> {
        let ids = Tensor::from_vec(self.ids(grid)?, grid.count(), self.table.device())?;
        Ok(self.table.index_select(&ids, 0)?)
    }
}

/// Places along a side of the released table for latents.
const RELEASED_SIDE: f64 = 64.0;

/// Both tables of a network that learns from nothing, by the names of the checkpoint. They do not learn, and a
/// network that begins with small random numbers in their place hardly finds out where anything is.
///
/// A smaller table than the released one goes over the same range in wider steps, so that its rows differ about
/// as much as those of the release.
///
/// # Errors
/// Fails if a width is not a multiple of 4.
pub fn position_tables(config: &BagelConfig, device: &Device) -> Result<BTreeMap<String, Tensor>> {
    let width = config.llm.hidden_size;
    let patches = config.vit.image_size / config.vit.patch_size.max(1);
    let tables = [
        ("latent_pos_embed.pos_embed", config.latents.side),
        ("vit_pos_embed.pos_embed", patches),
    ];
    let tables = tables.into_iter().map(|(name, side)| {
        let table = sines_and_cosines(side, width)?;
        let table = Tensor::from_vec(table, (side * side, width), device)?;
        Ok((name.to_owned(), table))
    });
    tables.collect()
}

/// The values of a table of side² positions. The first half of a row tells the column and the second half the
/// row, each by sines and then cosines.
fn sines_and_cosines(side: usize, width: usize) -> Result<Vec<f32>> {
    if width == 0 || !width.is_multiple_of(4) {
        return Err(ModelError::Input(format!(
            "a table of positions needs a width that is a multiple of 4, not {width}"
        )));
    }
    let waves = width / 4;
    let step = (RELEASED_SIDE / side as f64).max(1.0);
    let angle = move |place: usize, wave: usize| {
        step * place as f64 * 10000f64.powf(-(wave as f64) / waves as f64)
    };
    let half = move |place: usize| {
        let sines = (0..waves).map(move |wave| angle(place, wave).sin() as f32);
        sines.chain((0..waves).map(move |wave| angle(place, wave).cos() as f32))
    };
    let places = (0..side * side).map(|place| (place / side, place % side));
    Ok(places
        .flat_map(|(row, column)| half(column).chain(half(row)))
        .collect())
}

#[cfg(test)]
mod table_tests {
    use super::*;

    #[test]
    fn the_first_half_tells_the_column_and_the_second_the_row() {
        // With a width of 4 there is one wave. Two places along a side are 32 of the released ones apart.
        let table = sines_and_cosines(2, 4).unwrap();
        let (s, c) = (32f64.sin() as f32, 32f64.cos() as f32);
        let rows = [
            [0.0, 1.0, 0.0, 1.0],
            [s, c, 0.0, 1.0],
            [0.0, 1.0, s, c],
            [s, c, s, c],
        ];
        assert_eq!(table, rows.concat());
        // The second of two waves is a hundred times as long.
        let table = sines_and_cosines(2, 8).unwrap();
        assert_eq!(table[8 + 1], 0.32f64.sin() as f32);
        assert!(sines_and_cosines(2, 6).is_err());
    }

    #[test]
    fn tables_of_the_released_size_and_above_have_steps_of_one() {
        for side in [64, 70] {
            let table = sines_and_cosines(side, 4).unwrap();
            assert_eq!(table[4], 1f64.sin() as f32);
        }
    }
}
