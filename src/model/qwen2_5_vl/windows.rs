//! Which patches attend to each other: whole images in some blocks, square windows in the others.

use super::VisionConfig;
use crate::model::{ModelError, Result};

/// `count` neighbouring pieces of `length` patches each, from patch `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The first patch.
    pub start: usize,
    /// Number of pieces.
    pub count: usize,
    /// Number of patches of a piece.
    pub length: usize,
}

/// The order of the patches in the blocks, and its pieces.
#[derive(Debug, Clone, Default)]
pub(super) struct Windows {
    /// Entry i is the merged patch at index i.
    pub order: Vec<u32>,
    /// Row and column of every patch, in this order.
    pub patches: Vec<[u32; 2]>,
    /// The windows.
    pub windows: Vec<Run>,
    /// The images.
    pub images: Vec<Run>,
}

impl Windows {
    /// Windows of one size are adjacent, so that they form one batch. Attention does not depend on the order
    /// of windows, and the caller restores the order after merging.
    pub(super) fn new(config: &VisionConfig, grids: &[[usize; 3]]) -> Result<Self> {
        let (merge, side) = (config.spatial_merge_size, config.window());
        let mut plan = Self::default();
        for &[frames, height, width] in grids {
            if height % merge != 0 || width % merge != 0 || frames * height * width == 0 {
                return Err(ModelError::Input(format!(
                    "a grid of {frames} x {height} x {width} patches does not split into squares of {merge} x {merge}"
                )));
            }
            let (rows, columns) = (height / merge, width / merge);
            for _ in 0..frames {
                let first = plan.order.len();
                let mut windows: Vec<Vec<(usize, usize)>> = Vec::new();
                for top in (0..rows).step_by(side) {
                    for left in (0..columns).step_by(side) {
                        let cells = (top..rows.min(top + side)).flat_map(|row| {
                            (left..columns.min(left + side)).map(move |column| (row, column))
                        });
                        windows.push(cells.collect());
                    }
                }
                windows.sort_by_key(|window| std::cmp::Reverse(window.len()));
                for window in windows {
                    push(&mut plan.windows, window.len() * merge * merge);
                    for (row, column) in window {
                        plan.order.push((first + row * columns + column) as u32);
                        let inner = (0..merge * merge).map(|i| {
                            [row * merge + i / merge, column * merge + i % merge]
                                .map(|at| at as u32)
                        });
                        plan.patches.extend(inner);
                    }
                }
                push(&mut plan.images, height * width);
            }
        }
        Ok(plan)
    }

    /// The index of each merged patch.
    pub(super) fn inverse(&self) -> Vec<u32> {
        let mut inverse = vec![0; self.order.len()];
        for (place, &patch) in self.order.iter().enumerate() {
            if let Some(entry) = inverse.get_mut(patch as usize) {
                *entry = place as u32;
            }
        }
        inverse
    }
}

/// Appends a piece. Consecutive pieces of one length are one run.
fn push(runs: &mut Vec<Run>, length: usize) {
    let start = runs
        .last()
        .map_or(0, |run| run.start + run.count * run.length);
    match runs.last_mut() {
        Some(run) if run.length == length => run.count += 1,
        _ => runs.push(Run {
            start,
            count: 1,
            length,
        }),
    }
}
