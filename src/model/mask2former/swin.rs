//! The Swin transformer as a backbone: four maps at strides 4, 8, 16 and 32.
//!
//! Liu et al., arXiv 2103.14030. As in other detection backbones, windows are never reduced to the size of
//! the map.

use super::config::SwinConfig;
use crate::model::nn::{
    Activation, LayerNorm, Linear, Mask, PatchEmbedding, attention, join_heads, layer_norm, linear,
    split_heads,
};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Device, Module, Tensor};

/// The value that attention adds between windows that a shift has joined.
const APART: f32 = -100.0;

/// The backbone.
#[derive(Debug, Clone)]
pub(super) struct Swin {
    patch_embeddings: PatchEmbedding,
    norm: LayerNorm,
    stages: Vec<Stage>,
    norms: Vec<LayerNorm>,
}

#[derive(Debug, Clone)]
struct Stage {
    blocks: Vec<Block>,
    downsample: Option<PatchMerging>,
}

#[derive(Debug, Clone)]
struct Block {
    layernorm_before: LayerNorm,
    attention: WindowAttention,
    layernorm_after: LayerNorm,
    intermediate: Linear,
    output: Linear,
    activation: Activation,
}

#[derive(Debug, Clone)]
struct WindowAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    /// [(2w − 1)², heads]
    bias: Tensor,
    heads: usize,
    window: usize,
    shift: usize,
}

#[derive(Debug, Clone)]
struct PatchMerging {
    norm: LayerNorm,
    reduction: Linear,
}

/// Tokens [B, H · W, C] with their map's height and width.
#[derive(Clone, Copy)]
struct Size {
    height: usize,
    width: usize,
}

impl Swin {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub(super) fn new(config: &SwinConfig, weights: &Weights) -> Result<Self> {
        let eps = config.layer_norm_eps;
        let embeddings = weights.at("embeddings");
        let stage = |number: usize| {
            let width = config.embed_dim << number;
            let weights = weights.at("encoder.layers").at(number);
            let merging = || {
                let weights = weights.at("downsample");
                Ok::<_, ModelError>(PatchMerging {
                    norm: layer_norm(&weights.at("norm"), 4 * width, eps)?,
                    reduction: linear(&weights.at("reduction"), 4 * width, 2 * width, false)?,
                })
            };
            Ok(Stage {
                blocks: (0..config.depths[number])
                    .map(|i| Block::new(config, number, i, &weights.at("blocks").at(i)))
                    .collect::<Result<_>>()?,
                downsample: (number + 1 < config.depths.len())
                    .then(merging)
                    .transpose()?,
            })
        };
        let norms = weights.at("hidden_states_norms");
        Ok(Self {
            patch_embeddings: PatchEmbedding::new(
                &embeddings.at("patch_embeddings.projection"),
                3,
                config.embed_dim,
                config.patch_size,
                true,
            )?,
            norm: layer_norm(&embeddings.at("norm"), config.embed_dim, eps)?,
            stages: (0..config.depths.len()).map(stage).collect::<Result<_>>()?,
            norms: (0..config.depths.len())
                .map(|i| {
                    let norm = norms.at(format!("stage{}", i + 1));
                    layer_norm(&norm, config.embed_dim << i, eps)
                })
                .collect::<Result<_>>()?,
        })
    }

    /// Pixels [B, 3, H, W], both sides multiples of 4 → maps [B, C, H / s, W / s] for the strides s = 4, 8,
    /// 16, 32.
    ///
    /// # Errors
    /// Fails if the shape does not fit.
    pub(super) fn forward(&self, pixel_values: &Tensor) -> Result<Vec<Tensor>> {
        let (batch, _, height, width) = pixel_values.dims4()?;
        let mut size = Size {
            height: height / 4,
            width: width / 4,
        };
        let mut x = self
            .norm
            .forward(&self.patch_embeddings.forward(pixel_values)?)?;
        let mut maps = Vec::with_capacity(self.stages.len());
        for (stage, norm) in self.stages.iter().zip(&self.norms) {
            for block in &stage.blocks {
                x = block.forward(&x, size)?;
            }
            let map = norm.forward(&x)?.transpose(1, 2)?.contiguous()?;
            maps.push(map.reshape((batch, (), size.height, size.width))?);
            if let Some(downsample) = &stage.downsample {
                x = downsample.forward(&x, size)?;
                size = Size {
                    height: size.height.div_ceil(2),
                    width: size.width.div_ceil(2),
                };
            }
        }
        Ok(maps)
    }
}

impl Block {
    fn new(config: &SwinConfig, stage: usize, number: usize, weights: &Weights) -> Result<Self> {
        let width = config.embed_dim << stage;
        let hidden = (width as f64 * config.mlp_ratio) as usize;
        let attention = weights.at("attention");
        let project = |name: &str| linear(&attention.at("self").at(name), width, width, true);
        let heads = config.num_heads[stage];
        let window = config.window_size;
        let offsets = (2 * window - 1) * (2 * window - 1);
        Ok(Self {
            layernorm_before: layer_norm(
                &weights.at("layernorm_before"),
                width,
                config.layer_norm_eps,
            )?,
            attention: WindowAttention {
                query: project("query")?,
                key: project("key")?,
                value: project("value")?,
                output: linear(&attention.at("output.dense"), width, width, true)?,
                bias: attention.get("self.relative_position_bias_table", (offsets, heads))?,
                heads,
                window,
                shift: if number.is_multiple_of(2) {
                    0
                } else {
                    window / 2
                },
            },
            layernorm_after: layer_norm(
                &weights.at("layernorm_after"),
                width,
                config.layer_norm_eps,
            )?,
            intermediate: linear(&weights.at("intermediate.dense"), width, hidden, true)?,
            output: linear(&weights.at("output.dense"), hidden, width, true)?,
            activation: config.hidden_act,
        })
    }

    fn forward(&self, x: &Tensor, size: Size) -> candle_core::Result<Tensor> {
        let seen = self
            .attention
            .forward(&self.layernorm_before.forward(x)?, size)?;
        let x = (x + seen)?;
        let hidden = self
            .intermediate
            .forward(&self.layernorm_after.forward(&x)?)?;
        x + self.output.forward(&self.activation.apply(&hidden)?)?
    }
}

impl WindowAttention {
    /// Attention within windows of the map, which is padded with zeros to whole windows.
    fn forward(&self, x: &Tensor, size: Size) -> candle_core::Result<Tensor> {
        let (batch, _, channels) = x.dims3()?;
        let (window, shift) = (self.window, self.shift);
        let Size { height, width } = size;
        let (rows, columns) = (height.div_ceil(window), width.div_ceil(window));
        let (tall, wide) = (rows * window, columns * window);
        let mut map = x
            .reshape((batch, height, width, channels))?
            .pad_with_zeros(1, 0, tall - height)?
            .pad_with_zeros(2, 0, wide - width)?;
        if shift > 0 {
            map = rolled(&map, shift, shift)?;
        }
        let windows = map
            .reshape(vec![batch, rows, window, columns, window, channels])?
            .permute(vec![0, 1, 3, 2, 4, 5])?
            .reshape((batch * rows * columns, window * window, channels))?;
        let heads = |layer: &Linear| split_heads(&layer.forward(&windows)?, self.heads);
        let (q, k, v) = (heads(&self.query)?, heads(&self.key)?, heads(&self.value)?);
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        let mask = self.mask(batch, (rows, columns), x.device())?;
        let seen = attention(&q, &k, &v, scale, Mask::Add(&mask))?;
        let seen = self.output.forward(&join_heads(&seen)?)?;
        let map = seen
            .reshape(vec![batch, rows, columns, window, window, channels])?
            .permute(vec![0, 1, 3, 2, 4, 5])?
            .reshape((batch, tall, wide, channels))?;
        let map = match shift {
            0 => map,
            _ => rolled(&map, tall - shift, wide - shift)?,
        };
        map.narrow(1, 0, height)?
            .narrow(2, 0, width)?
            .reshape((batch, height * width, channels))
    }

    /// What is added to scores: the bias of relative positions [1, heads, w², w²], and for shifted windows
    /// the values that separate pixels that are not neighbours [B · windows, heads, w², w²].
    fn mask(
        &self,
        batch: usize,
        (rows, columns): (usize, usize),
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let w = self.window;
        let area = w * w;
        let index: Vec<u32> = (0..area * area)
            .map(|pair| {
                let (query, key) = (pair / area, pair % area);
                let down = query / w + w - 1 - key / w;
                let across = query % w + w - 1 - key % w;
                (down * (2 * w - 1) + across) as u32
            })
            .collect();
        let index = Tensor::from_vec(index, area * area, device)?;
        let bias = self.bias.index_select(&index, 0)?.t()?;
        let bias = bias.reshape((1, self.heads, area, area))?;
        if self.shift == 0 {
            return Ok(bias);
        }
        let apart = separation(w, self.shift, (rows, columns));
        let apart = Tensor::from_vec(apart, (rows * columns, 1, area, area), device)?;
        let mask = bias.broadcast_add(&apart.to_dtype(bias.dtype())?)?;
        match batch {
            1 => Ok(mask),
            _ => mask.repeat((batch, 1, 1, 1)),
        }
    }
}

/// [windows, w², w²]: 0 between pixels of the same region of the rolled map, [`APART`] between others.
fn separation(window: usize, shift: usize, (rows, columns): (usize, usize)) -> Vec<f32> {
    let region = |place: usize, size: usize| match place {
        place if place < size - window => 0,
        place if place < size - shift => 1,
        _ => 2,
    };
    let (tall, wide) = (rows * window, columns * window);
    let area = window * window;
    let mut values = Vec::with_capacity(rows * columns * area * area);
    for row in 0..rows {
        for column in 0..columns {
            let regions: Vec<usize> = (0..area)
                .map(|at| {
                    let down = region(row * window + at / window, tall);
                    3 * down + region(column * window + at % window, wide)
                })
                .collect();
            values.extend(regions.iter().flat_map(|query| {
                regions
                    .iter()
                    .map(move |key| if query == key { 0.0 } else { APART })
            }));
        }
    }
    values
}

/// The rows and columns of [B, H, W, C], rotated towards the start.
fn rolled(map: &Tensor, down: usize, across: usize) -> candle_core::Result<Tensor> {
    let (_, height, width, _) = map.dims4()?;
    let map = Tensor::cat(
        &[map.narrow(1, down, height - down)?, map.narrow(1, 0, down)?],
        1,
    )?;
    Tensor::cat(
        &[
            map.narrow(2, across, width - across)?,
            map.narrow(2, 0, across)?,
        ],
        2,
    )
}

impl PatchMerging {
    /// Four neighbours become one token of twice the width.
    fn forward(&self, x: &Tensor, size: Size) -> candle_core::Result<Tensor> {
        let (batch, _, channels) = x.dims3()?;
        let Size { height, width } = size;
        let (rows, columns) = (height.div_ceil(2), width.div_ceil(2));
        let merged = x
            .reshape((batch, height, width, channels))?
            .pad_with_zeros(1, 0, 2 * rows - height)?
            .pad_with_zeros(2, 0, 2 * columns - width)?
            .reshape(vec![batch, rows, 2, columns, 2, channels])?
            .permute(vec![0, 1, 3, 4, 2, 5])?
            .reshape((batch, rows * columns, 4 * channels))?;
        self.reduction.forward(&self.norm.forward(&merged)?)
    }
}
