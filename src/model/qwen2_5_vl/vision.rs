//! The vision tower: patches in, one vector for every square of merged patches out.

use super::VisionConfig;
use super::positions::vision_angles;
use super::windows::{Run, Windows};
use crate::model::nn::{Linear, Mask, RmsNorm, attention, join_heads, linear, rms_norm};
use crate::model::qwen2::{Angles, Mlp};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};

/// Epsilon of the tower's norms, which is not in the configuration.
const EPSILON: f64 = 1e-6;

/// `visual`: patch embedding, blocks, merger.
pub(super) struct Vision {
    config: VisionConfig,
    patch_embed: Tensor,
    blocks: Vec<Block>,
    ln_q: RmsNorm,
    merger: [Linear; 2],
}

impl Vision {
    /// Loads the tensors from `weights`.
    pub(super) fn new(config: &VisionConfig, weights: &Weights) -> Result<Self> {
        let (hidden, patch) = (config.hidden_size, config.patch_size);
        let frames = config.temporal_patch_size;
        let kernel = (hidden, config.in_channels, frames, patch, patch);
        let block = |index| Block::new(config, &weights.at(format!("blocks.{index}")));
        let merger = weights.at("merger");
        let wide = hidden * config.merged();
        Ok(Self {
            patch_embed: weights.at("patch_embed.proj").get("weight", kernel)?,
            blocks: (0..config.depth).map(block).collect::<Result<_>>()?,
            ln_q: rms_norm(&merger.at("ln_q"), hidden, EPSILON)?,
            merger: [
                linear(&merger.at("mlp.0"), wide, wide, true)?,
                linear(&merger.at("mlp.2"), wide, config.out_hidden_size, true)?,
            ],
            config: config.clone(),
        })
    }

    /// Patches [P, C·T·p·p] of all images, one after the other → [sum of t·h·w / merge², out_hidden_size].
    pub(super) fn forward(&self, patches: &Tensor, grids: &[[usize; 3]]) -> Result<Tensor> {
        let (config, device) = (&self.config, patches.device());
        let plan = Windows::new(config, grids)?;
        let (count, size) = patches.dims2()?;
        if count != plan.patches.len() || size != config.patch_values() {
            return Err(ModelError::Input(format!(
                "the pixel values have the shape [{count}, {size}], but the grids give [{}, {}]",
                plan.patches.len(),
                config.patch_values()
            )));
        }
        let (hidden, wide) = (config.hidden_size, config.hidden_size * config.merged());
        let head = hidden / config.num_heads;
        let angles = vision_angles(&plan.patches, head / 2, device)?;
        // The kernel covers each patch once, so the convolution is one matrix product.
        let kernel = self.patch_embed.reshape((hidden, size))?;
        let x = patches.to_dtype(kernel.dtype())?.matmul(&kernel.t()?)?;
        let order = Tensor::new(&plan.order[..], device)?;
        let x = x.reshape((plan.order.len(), wide))?;
        let mut x = x.index_select(&order, 0)?.reshape((count, hidden))?;
        for (index, block) in self.blocks.iter().enumerate() {
            let runs = if config.fullatt_block_indexes.contains(&index) {
                &plan.images
            } else {
                &plan.windows
            };
            x = block.forward(&x, &angles, runs)?;
        }
        let x = self.ln_q.forward(&x)?.reshape((plan.order.len(), wide))?;
        let x = self.merger[0].forward(&x)?.gelu_erf()?;
        let x = self.merger[1].forward(&x)?;
        Ok(x.index_select(&Tensor::new(plan.inverse(), device)?, 0)?)
    }
}

struct Block {
    heads: usize,
    norm1: RmsNorm,
    qkv: Linear,
    proj: Linear,
    norm2: RmsNorm,
    mlp: Mlp,
}

impl Block {
    fn new(config: &VisionConfig, weights: &Weights) -> Result<Self> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let mlp = weights.at("mlp");
        Ok(Self {
            heads: config.num_heads,
            norm1: rms_norm(&weights.at("norm1"), hidden, EPSILON)?,
            qkv: linear(&weights.at("attn.qkv"), hidden, 3 * hidden, true)?,
            proj: linear(&weights.at("attn.proj"), hidden, hidden, true)?,
            norm2: rms_norm(&weights.at("norm2"), hidden, EPSILON)?,
            mlp: Mlp::new(&mlp, hidden, inner, config.hidden_act, true)?,
        })
    }

    fn forward(&self, x: &Tensor, angles: &Angles, runs: &[Run]) -> Result<Tensor> {
        let x = (x + self.attend(&self.norm1.forward(x)?, angles, runs)?)?;
        Ok((&x + self.mlp.forward(&self.norm2.forward(&x)?)?)?)
    }

    fn attend(&self, x: &Tensor, angles: &Angles, runs: &[Run]) -> Result<Tensor> {
        let (count, hidden) = x.dims2()?;
        let size = hidden / self.heads;
        let qkv = self.qkv.forward(x)?;
        let part = |index: usize| {
            let part = qkv.narrow(1, index * hidden, hidden)?;
            part.reshape((1, count, self.heads, size))
        };
        let (q, k, v) = (angles.apply(&part(0)?)?, angles.apply(&part(1)?)?, part(2)?);
        let mut seen = Vec::with_capacity(runs.len());
        for run in runs {
            let shape = (run.count, run.length, self.heads, size);
            let piece = |x: &Tensor| {
                let rows = x.narrow(1, run.start, run.count * run.length)?;
                rows.reshape(shape)?.transpose(1, 2)
            };
            let scale = (size as f64).powf(-0.5);
            let piece = attention(&piece(&q)?, &piece(&k)?, &piece(&v)?, scale, Mask::None)?;
            seen.push(join_heads(&piece)?.flatten(0, 1)?);
        }
        Ok(self.proj.forward(&Tensor::cat(&seen, 0)?)?)
    }
}
