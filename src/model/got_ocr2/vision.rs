//! The picture tower: SAM's ViT-B (Kirillov et al., arXiv 2304.02643) with windows, relative positions and a
//! neck.

use super::VisionConfig;
use crate::model::nn::{
    Activation, Conv2d, LayerNorm, Linear, Mask, PatchEmbedding, attention, join_heads, layer_norm,
    linear, split_heads,
};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};

/// Number of relative positions that are added at a time: 32 Mi, which is 128 MiB in f32.
const BIAS: usize = 1 << 25;

/// `vision_tower`.
pub(super) struct Vision {
    patch_embed: PatchEmbedding,
    /// [1, side, side, D]
    pos_embed: Option<Tensor>,
    layers: Vec<Layer>,
    neck: Neck,
    side: usize,
}

impl Vision {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub(super) fn new(config: &VisionConfig, weights: &Weights) -> Result<Self> {
        let (width, side) = (config.hidden_size, config.grid());
        let patch_embed = weights.at("patch_embed.projection");
        let layer = |index: usize| {
            let window = if config.global_attn_indexes.contains(&index) {
                None
            } else {
                Some(config.window_size)
            };
            Layer::new(config, window, &weights.at("layers").at(index))
        };
        let pos_embed = || weights.get("pos_embed", (1, side, side, width));
        Ok(Self {
            patch_embed: PatchEmbedding::new(
                &patch_embed,
                config.num_channels,
                width,
                config.patch_size,
                true,
            )?,
            pos_embed: config.use_abs_pos.then(pos_embed).transpose()?,
            layers: (0..config.num_hidden_layers)
                .map(layer)
                .collect::<Result<_>>()?,
            neck: Neck::new(config, &weights.at("neck"))?,
            side,
        })
    }

    /// Pixels [B, C, S, S] → [B, output_channels, side, side].
    ///
    /// # Errors
    /// Fails if the pictures have another size.
    pub(super) fn forward(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let x = self.patch_embed.forward(pixel_values)?;
        let (batch, _, width) = x.dims3()?;
        let mut x = x.reshape((batch, self.side, self.side, width))?;
        if let Some(positions) = &self.pos_embed {
            x = x.broadcast_add(positions)?;
        }
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        self.neck.forward(&x)
    }
}

/// Attention within a window or over all patches, then the feed-forward.
struct Layer {
    layer_norm1: LayerNorm,
    attn: Attention,
    layer_norm2: LayerNorm,
    lin1: Linear,
    lin2: Linear,
    act: Activation,
    window: Option<usize>,
}

impl Layer {
    fn new(config: &VisionConfig, window: Option<usize>, weights: &Weights) -> Result<Self> {
        let (width, inner) = (config.hidden_size, config.mlp_dim);
        let norm = |name: &str| layer_norm(&weights.at(name), width, config.layer_norm_eps);
        let seen = window.unwrap_or_else(|| config.grid());
        Ok(Self {
            layer_norm1: norm("layer_norm1")?,
            attn: Attention::new(config, seen, &weights.at("attn"))?,
            layer_norm2: norm("layer_norm2")?,
            lin1: linear(&weights.at("mlp.lin1"), width, inner, true)?,
            lin2: linear(&weights.at("mlp.lin2"), inner, width, true)?,
            act: config.hidden_act,
            window,
        })
    }

    /// [B, H, W, D] → the same.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (_, height, width, _) = x.dims4()?;
        let normed = self.layer_norm1.forward(x)?;
        let seen = match self.window {
            None => self.attn.forward(&normed)?,
            Some(side) => {
                let windows = self.attn.forward(&windows(&normed, side)?)?;
                joined(&windows, side, height, width)?
            }
        };
        let x = (x + seen)?;
        let hidden = self.lin1.forward(&self.layer_norm2.forward(&x)?)?;
        Ok((&x + self.lin2.forward(&self.act.apply(&hidden)?)?)?)
    }
}

/// [B, H, W, D] → [B · windows, side, side, D]; the last windows are padded with zeros.
fn windows(x: &Tensor, side: usize) -> candle_core::Result<Tensor> {
    let (batch, height, width, channels) = x.dims4()?;
    let (rows, columns) = (height.div_ceil(side), width.div_ceil(side));
    x.pad_with_zeros(1, 0, rows * side - height)?
        .pad_with_zeros(2, 0, columns * side - width)?
        .reshape(vec![batch, rows, side, columns, side, channels])?
        .permute(vec![0, 1, 3, 2, 4, 5])?
        .reshape((batch * rows * columns, side, side, channels))
}

/// Windows back to [B, H, W, D], without their padding.
fn joined(
    windows: &Tensor,
    side: usize,
    height: usize,
    width: usize,
) -> candle_core::Result<Tensor> {
    let (rows, columns) = (height.div_ceil(side), width.div_ceil(side));
    let (all, _, _, channels) = windows.dims4()?;
    let batch = all / (rows * columns);
    windows
        .reshape(vec![batch, rows, columns, side, side, channels])?
        .permute(vec![0, 1, 3, 2, 4, 5])?
        .reshape((batch, rows * side, columns * side, channels))?
        .narrow(1, 0, height)?
        .narrow(2, 0, width)
}

/// Attention over a square of patches with relative positions.
struct Attention {
    qkv: Linear,
    proj: Linear,
    /// For rows and columns: by query and key, [side, side, d].
    relative: Option<(Tensor, Tensor)>,
    heads: usize,
}

impl Attention {
    fn new(config: &VisionConfig, side: usize, weights: &Weights) -> Result<Self> {
        let (width, heads) = (config.hidden_size, config.num_attention_heads);
        let relative = |name: &str| -> Result<Tensor> {
            let table = weights
                .get(name, (2 * side - 1, width / heads))?
                .contiguous()?;
            let places = (0..side).flat_map(|q| (0..side).map(move |k| (q + side - 1 - k) as u32));
            let places = Tensor::from_iter(places, weights.device())?;
            let chosen = table.index_select(&places, 0)?;
            Ok(chosen.reshape((side, side, width / heads))?)
        };
        let both = || -> Result<_> { Ok((relative("rel_pos_h")?, relative("rel_pos_w")?)) };
        Ok(Self {
            qkv: linear(&weights.at("qkv"), width, 3 * width, config.qkv_bias)?,
            proj: linear(&weights.at("proj"), width, width, true)?,
            relative: config.use_rel_pos.then(both).transpose()?,
            heads,
        })
    }

    /// [B, side, side, D] → the same.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, height, width, channels) = x.dims4()?;
        let all = self
            .qkv
            .forward(&x.reshape((batch, height * width, channels))?)?;
        let part = |index: usize| {
            let part = all.narrow(2, index * channels, channels)?.contiguous()?;
            split_heads(&part, self.heads)?.contiguous()
        };
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let scale = (q.dim(3)? as f64).powf(-0.5);
        let seen = match &self.relative {
            None => attention(&q, &k, &v, scale, Mask::None)?,
            Some((rows, columns)) => {
                let size = batch * self.heads * width * height * width;
                let step = (BIAS / size.max(1)).clamp(1, height);
                let mut parts = Vec::with_capacity(height.div_ceil(step));
                for start in (0..height).step_by(step) {
                    let count = step.min(height - start);
                    let q = q.narrow(2, start * width, count * width)?.contiguous()?;
                    let bias = bias(&q, &rows.narrow(0, start, count)?, columns)?;
                    parts.push(attention(&q, &k, &v, scale, Mask::Add(&bias))?);
                }
                Tensor::cat(&parts, 2)?
            }
        };
        let seen = self.proj.forward(&join_heads(&seen)?)?;
        Ok(seen.reshape((batch, height, width, channels))?)
    }
}

/// The values that relative positions add to the scores of queries [B, heads, R · W, d], some rows of the
/// square: q · Rh\[y, y'\] + q · Rw\[x, x'\], [B, heads, R · W, H · W]. The queries are not scaled.
fn bias(q: &Tensor, rows: &Tensor, columns: &Tensor) -> candle_core::Result<Tensor> {
    let (batch, heads, queries, size) = q.dims4()?;
    let (count, height, _) = rows.dims3()?;
    let width = columns.dim(0)?;
    let q = q.reshape((batch * heads, count, width, size))?;
    let by_row = q
        .transpose(0, 1)?
        .reshape((count, batch * heads * width, size))?
        .contiguous()?
        .matmul(&rows.transpose(1, 2)?.contiguous()?)?
        .reshape((count, batch * heads, width, height))?
        .transpose(0, 1)?
        .reshape(vec![batch * heads, count, width, height, 1])?;
    let by_column = q
        .permute((2, 0, 1, 3))?
        .reshape((width, batch * heads * count, size))?
        .contiguous()?
        .matmul(&columns.transpose(1, 2)?.contiguous()?)?
        .reshape((width, batch * heads, count, width))?
        .permute((1, 2, 0, 3))?
        .reshape(vec![batch * heads, count, width, 1, width])?;
    by_row
        .broadcast_add(&by_column)?
        .reshape((batch, heads, queries, height * width))
}

/// Two convolutions, each followed by a norm over the channels.
struct Neck {
    conv1: Conv2d,
    layer_norm1: LayerNorm,
    conv2: Conv2d,
    layer_norm2: LayerNorm,
}

impl Neck {
    fn new(config: &VisionConfig, weights: &Weights) -> Result<Self> {
        let (width, output) = (config.hidden_size, config.output_channels);
        let conv = |name: &str, input, kernel| {
            Conv2d::without_bias(&weights.at(name), (input, output), kernel, 1)
        };
        let norm = |name: &str| layer_norm(&weights.at(name), output, 1e-6);
        Ok(Self {
            conv1: conv("conv1", width, 1)?,
            layer_norm1: norm("layer_norm1")?,
            conv2: conv("conv2", output, 3)?,
            layer_norm2: norm("layer_norm2")?,
        })
    }

    /// [B, H, W, D] → [B, output_channels, H, W].
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let over_channels = |norm: &LayerNorm, x: &Tensor| {
            let last = x.permute((0, 2, 3, 1))?.contiguous()?;
            norm.forward(&last)?.permute((0, 3, 1, 2))?.contiguous()
        };
        let x = self
            .conv1
            .forward(&x.permute((0, 3, 1, 2))?.contiguous()?)?;
        let x = self.conv2.forward(&over_channels(&self.layer_norm1, &x)?)?;
        Ok(over_channels(&self.layer_norm2, &x)?)
    }
}
