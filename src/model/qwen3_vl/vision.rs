//! The vision tower: patches in, one vector for every square of merged patches out, and features of some
//! blocks beside them.

use super::VisionConfig;
use crate::model::nn::{
    Activation, LayerNorm, Linear, Mask, attention, embedding, join_heads, layer_norm, linear,
};
use crate::model::qwen2::Angles;
use crate::model::qwen2_5_vl::vision_angles;
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Device, Module, Tensor};

/// Epsilon of the tower's norms, which is not in the configuration.
const EPSILON: f64 = 1e-6;

/// What the language model gets from the pictures.
#[derive(Debug, Clone)]
pub struct ImageFeatures {
    /// The vectors that replace image tokens, [N, D].
    pub embeds: Tensor,
    /// Vectors that are added at the same positions after the first layers, [N, D] for each.
    pub deepstack: Vec<Tensor>,
}

/// `visual`
pub(super) struct Vision {
    config: VisionConfig,
    patch_embed: Linear,
    /// [side · side, hidden]
    pos_embed: Tensor,
    blocks: Vec<Block>,
    merger: Merger,
    deepstack: Vec<Merger>,
}

impl Vision {
    pub(super) fn new(config: &VisionConfig, weights: &Weights) -> Result<Self> {
        let (hidden, patch) = (config.hidden_size, config.patch_size);
        let kernel = (
            hidden,
            config.in_channels,
            config.temporal_patch_size,
            patch,
            patch,
        );
        let proj = weights.at("patch_embed.proj");
        // The kernel covers each patch once, so the convolution is one matrix product.
        let kernel = proj.get("weight", kernel)?.flatten_from(1)?;
        let rows = config.num_position_embeddings;
        let block = |index| Block::new(config, &weights.at("blocks").at(index));
        let merger = |index| {
            let at = weights.at("deepstack_merger_list").at(index);
            Merger::new(config, &at, true)
        };
        Ok(Self {
            patch_embed: Linear::new(kernel, Some(proj.get("bias", hidden)?)),
            pos_embed: embedding(&weights.at("pos_embed"), rows, hidden)?
                .embeddings()
                .clone(),
            blocks: (0..config.depth).map(block).collect::<Result<_>>()?,
            merger: Merger::new(config, &weights.at("merger"), false)?,
            deepstack: (0..config.deepstack_visual_indexes.len())
                .map(merger)
                .collect::<Result<_>>()?,
            config: config.clone(),
        })
    }

    /// Patches [P, C·T·p·p] of all images, one after the other, in squares of merged patches.
    pub(super) fn forward(&self, patches: &Tensor, grids: &[[usize; 3]]) -> Result<ImageFeatures> {
        let (config, device) = (&self.config, patches.device());
        let plan = Plan::new(config, grids)?;
        let (count, size) = patches.dims2()?;
        if count != plan.cells.len() || size != config.patch_values() {
            return Err(ModelError::Input(format!(
                "the pixel values have the shape [{count}, {size}], but the grids give [{}, {}]",
                plan.cells.len(),
                config.patch_values()
            )));
        }
        let half = config.hidden_size / config.num_heads / 2;
        let angles = vision_angles(&plan.cells, half, device)?;
        let patches = patches.to_dtype(self.pos_embed.dtype())?;
        let mut x = self.patch_embed.forward(&patches)?;
        x = (x + plan.positions(&self.pos_embed, device)?)?;
        let mut deepstack = vec![None; self.deepstack.len()];
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, &angles, &plan.frames)?;
            let places = config.deepstack_visual_indexes.iter();
            if let Some(place) = places.clone().position(|own| *own == index) {
                deepstack[place] = Some(self.deepstack[place].forward(&x)?);
            }
        }
        Ok(ImageFeatures {
            embeds: self.merger.forward(&x)?,
            deepstack: deepstack.into_iter().flatten().collect(),
        })
    }
}

/// Squares of merged patches become vectors of the language model's width.
struct Merger {
    norm: LayerNorm,
    linear_fc1: Linear,
    linear_fc2: Linear,
    wide: usize,
    /// Whether the norm is over a whole square.
    merges_first: bool,
}

impl Merger {
    fn new(config: &VisionConfig, weights: &Weights, merges_first: bool) -> Result<Self> {
        let wide = config.hidden_size * config.merged();
        let normed = if merges_first {
            wide
        } else {
            config.hidden_size
        };
        Ok(Self {
            norm: layer_norm(&weights.at("norm"), normed, EPSILON)?,
            linear_fc1: linear(&weights.at("linear_fc1"), wide, wide, true)?,
            linear_fc2: linear(
                &weights.at("linear_fc2"),
                wide,
                config.out_hidden_size,
                true,
            )?,
            wide,
            merges_first,
        })
    }

    /// [P, hidden] → [P / merged, D].
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = if self.merges_first {
            self.norm.forward(&x.reshape(((), self.wide))?)?
        } else {
            self.norm.forward(x)?.reshape(((), self.wide))?
        };
        let x = self.linear_fc1.forward(&x)?.gelu_erf()?;
        Ok(self.linear_fc2.forward(&x)?)
    }
}

struct Block {
    heads: usize,
    norm1: LayerNorm,
    qkv: Linear,
    proj: Linear,
    norm2: LayerNorm,
    linear_fc1: Linear,
    linear_fc2: Linear,
    act: Activation,
}

impl Block {
    fn new(config: &VisionConfig, weights: &Weights) -> Result<Self> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Self {
            heads: config.num_heads,
            norm1: layer_norm(&weights.at("norm1"), hidden, EPSILON)?,
            qkv: linear(&weights.at("attn.qkv"), hidden, 3 * hidden, true)?,
            proj: linear(&weights.at("attn.proj"), hidden, hidden, true)?,
            norm2: layer_norm(&weights.at("norm2"), hidden, EPSILON)?,
            linear_fc1: linear(&weights.at("mlp.linear_fc1"), hidden, inner, true)?,
            linear_fc2: linear(&weights.at("mlp.linear_fc2"), inner, hidden, true)?,
            act: config.hidden_act,
        })
    }

    fn forward(&self, x: &Tensor, angles: &Angles, frames: &[usize]) -> Result<Tensor> {
        let x = (x + self.attend(&self.norm1.forward(x)?, angles, frames)?)?;
        let inner = self.linear_fc1.forward(&self.norm2.forward(&x)?)?;
        Ok((&x + self.linear_fc2.forward(&self.act.apply(&inner)?)?)?)
    }

    /// Every patch attends to those of its own frame.
    fn attend(&self, x: &Tensor, angles: &Angles, frames: &[usize]) -> Result<Tensor> {
        let (count, hidden) = x.dims2()?;
        let size = hidden / self.heads;
        let qkv = self.qkv.forward(x)?;
        let part = |index: usize| {
            let part = qkv.narrow(1, index * hidden, hidden)?;
            part.reshape((1, count, self.heads, size))
        };
        let (q, k, v) = (angles.apply(&part(0)?)?, angles.apply(&part(1)?)?, part(2)?);
        let (mut seen, mut start) = (Vec::with_capacity(frames.len()), 0);
        for &length in frames {
            let piece = |x: &Tensor| x.narrow(1, start, length)?.transpose(1, 2);
            let scale = (size as f64).powf(-0.5);
            let piece = attention(&piece(&q)?, &piece(&k)?, &piece(&v)?, scale, Mask::None)?;
            seen.push(join_heads(&piece)?.squeeze(0)?);
            start += length;
        }
        Ok(self.proj.forward(&Tensor::cat(&seen, 0)?)?)
    }
}

/// The patches of pictures, in squares of merged patches.
struct Plan {
    /// Row and column of every patch.
    cells: Vec<[u32; 2]>,
    /// The four rows of the table of positions of every patch, with their weights.
    corners: [(Vec<u32>, Vec<f32>); 4],
    /// Number of patches of every frame.
    frames: Vec<usize>,
}

impl Plan {
    fn new(config: &VisionConfig, grids: &[[usize; 3]]) -> Result<Self> {
        let (merge, side) = (config.spatial_merge_size, config.side());
        let mut plan = Self {
            cells: Vec::new(),
            corners: Default::default(),
            frames: Vec::new(),
        };
        for &[frames, height, width] in grids {
            if height % merge != 0 || width % merge != 0 || frames * height * width == 0 {
                return Err(ModelError::Input(format!(
                    "a grid of {frames} x {height} x {width} patches does not split into squares of {merge} x {merge}"
                )));
            }
            for _ in 0..frames {
                plan.frames.push(height * width);
                for square in 0..height * width / (merge * merge) {
                    let (top, left) = (square / (width / merge), square % (width / merge));
                    for i in 0..merge * merge {
                        let (row, column) = (top * merge + i / merge, left * merge + i % merge);
                        plan.cells.push([row as u32, column as u32]);
                        plan.add_corners(
                            between(row, height, side),
                            between(column, width, side),
                            side,
                        );
                    }
                }
            }
        }
        Ok(plan)
    }

    fn add_corners(&mut self, row: Between, column: Between, side: usize) {
        let ends = |place: Between| [(place.low, 1.0 - place.part), (place.high, place.part)];
        let both = ends(row)
            .into_iter()
            .flat_map(|row| ends(column).map(|column| (row, column)));
        for (corner, ((row, above), (column, left))) in self.corners.iter_mut().zip(both) {
            corner.0.push((row * side + column) as u32);
            corner.1.push(above * left);
        }
    }

    /// The positions of all patches [P, hidden], between the rows of the table.
    fn positions(&self, table: &Tensor, device: &Device) -> Result<Tensor> {
        let count = self.cells.len();
        let mut sum: Option<Tensor> = None;
        for (rows, weights) in &self.corners {
            let rows = table.index_select(&Tensor::new(rows.as_slice(), device)?, 0)?;
            let weights = Tensor::new(weights.as_slice(), device)?.reshape((count, 1))?;
            let part = rows.to_dtype(DType::F32)?.broadcast_mul(&weights)?;
            sum = Some(match sum {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        let sum = sum.ok_or_else(|| ModelError::Input("there are no patches".into()))?;
        Ok(sum.to_dtype(table.dtype())?)
    }
}

/// A place between two entries of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Between {
    low: usize,
    high: usize,
    /// The weight of the higher one.
    part: f32,
}

/// The place of patch `index` of `count` in a table of `side` entries. The first and the last patch are at
/// the first and the last entry.
fn between(index: usize, count: usize, side: usize) -> Between {
    let last = side - 1;
    let place = index as f64 * last as f64 / (count - 1).max(1) as f64;
    let low = (place as usize).min(last);
    Between {
        low,
        high: (low + 1).min(last),
        part: (place - low as f64) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_lie_on_corners() {
        let place = |index, count| {
            let Between { low, high, part } = between(index, count, 7);
            (low, high, part)
        };
        assert_eq!(place(0, 4), (0, 1, 0.0));
        assert_eq!(place(1, 4), (2, 3, 0.0));
        assert_eq!(place(3, 4), (6, 6, 0.0));
        assert_eq!(place(1, 5), (1, 2, 0.5));
        assert_eq!(place(0, 1), (0, 1, 0.0));
    }
}
