//! Multimodal rotary positions: three numbers per token, and their angles.

use super::Qwen2_5VlConfig;
use crate::model::count::counted;
use crate::model::qwen2::{Angles, frequencies};
use crate::model::{ModelError, Result};
use candle_core::{Device, Tensor};

/// The time, height and width positions of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// One entry for each token: (t, h, w).
    pub tokens: Vec<[u32; 3]>,
    /// The position of the next token on all three axes.
    pub next: u32,
}

impl Positions {
    /// Text counts up by one in all three rows; an image spans a box of merged patches with one time, and the
    /// next token continues after the largest position so far.
    ///
    /// # Errors
    /// Fails if the image tokens do not form the spans of `grids` (t, h, w in patches).
    pub fn new(config: &Qwen2_5VlConfig, ids: &[u32], grids: &[[usize; 3]]) -> Result<Self> {
        let merge = config.vision.spatial_merge_size;
        Self::of_images(config.image_token_id, merge, ids, grids)
    }

    /// The same as [`Self::new`] for a model whose image token is `image` and whose merged patches have
    /// `merge` patches along a side.
    ///
    /// # Errors
    /// Fails when [`Self::new`] fails.
    pub fn of_images(image: u32, merge: usize, ids: &[u32], grids: &[[usize; 3]]) -> Result<Self> {
        let tokens_of = |[t, h, w]: &[usize; 3]| t * (h / merge) * (w / merge);
        let (present, wanted) = (
            ids.iter().filter(|&&id| id == image).count(),
            grids.iter().map(tokens_of).sum::<usize>(),
        );
        if present != wanted {
            return Err(ModelError::Input(format!(
                "the prompt has {}, but its {} would need {wanted}",
                counted(present, "image token"),
                counted(grids.len(), "image")
            )));
        }
        let mut images = grids.iter().filter(|grid| tokens_of(grid) > 0);
        let (mut tokens, mut next) = (Vec::with_capacity(ids.len()), 0);
        while let Some(&id) = ids.get(tokens.len()) {
            if id != image {
                tokens.push([next; 3]);
                next += 1;
                continue;
            }
            let start = tokens.len();
            let grid = images.next().copied().unwrap_or_default();
            let (frames, rows, columns) = (grid[0], grid[1] / merge, grid[2] / merge);
            let span = ids.get(start..start + tokens_of(&grid));
            if !span.is_some_and(|span| !span.is_empty() && span.iter().all(|&other| other == id)) {
                return Err(ModelError::Input(format!(
                    "the image tokens from position {start} are not the {} tokens of a grid of {grid:?} patches",
                    tokens_of(&grid)
                )));
            }
            for _ in 0..frames {
                for row in 0..rows as u32 {
                    tokens.extend(
                        (0..columns as u32).map(|column| [next, next + row, next + column]),
                    );
                }
            }
            next += rows.max(columns) as u32;
        }
        Ok(Self { tokens, next })
    }

    /// The three rows as integers, [3, 1, L].
    ///
    /// # Errors
    /// Fails if the device is out of memory.
    pub fn tensor(&self, device: &Device) -> Result<Tensor> {
        let rows: Vec<i64> = (0..3)
            .flat_map(|row| self.tokens.iter().map(move |token| i64::from(token[row])))
            .collect();
        Ok(Tensor::from_vec(rows, (3, 1, self.tokens.len()), device)?)
    }
}

/// The language model's angles: each section of the frequencies reads its own row of positions.
pub(super) fn text_angles(
    tokens: &[[u32; 3]],
    theta: f64,
    sections: &[usize],
    device: &Device,
) -> Result<Angles> {
    let rows: Vec<usize> = sections
        .iter()
        .enumerate()
        .flat_map(|(section, &length)| std::iter::repeat_n(section % 3, length))
        .collect();
    let frequencies = frequencies(theta, rows.len());
    let angles = tokens.iter().flat_map(|token| {
        let of = |(&row, &frequency): (&usize, &f32)| token[row] as f32 * frequency;
        rows.iter().zip(&frequencies).map(of)
    });
    Angles::new(angles.collect(), (tokens.len(), rows.len()), device)
}

/// The vision tower's angles: the first half follows the row, the second the column.
///
/// # Errors
/// Fails if the device has no room.
pub(crate) fn vision_angles(patches: &[[u32; 2]], half: usize, device: &Device) -> Result<Angles> {
    let frequencies = frequencies(10_000.0, half / 2);
    let angles = patches.iter().flatten().flat_map(|&position| {
        let of = move |frequency: &f32| position as f32 * frequency;
        frequencies.iter().map(of)
    });
    Angles::new(angles.collect(), (patches.len(), half), device)
}
