//! Tables of positions in a square, of which a picture uses the rows at its own rows and columns.

use crate::model::{ModelError, Result, Weights};
use candle_core::Tensor;

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
