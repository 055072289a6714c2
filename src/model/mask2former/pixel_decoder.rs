//! The pixel decoder: deformable attention over the three coarse maps, and a fine map for the masks.

use super::config::Mask2FormerConfig;
use super::deformable::{DeformableAttention, Extent};
use super::maps::{resized, sine_positions};
use crate::model::nn::{Conv2d, GroupNorm, LayerNorm, Linear, layer_norm, linear};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};

/// Number of maps of the attention, from coarse to fine, with the strides 32, 16 and 8.
pub(super) const LEVELS: usize = 3;

/// Groups of every group norm.
const GROUPS: usize = 32;

const EPS: f64 = 1e-5;

/// The decoder.
#[derive(Debug, Clone)]
pub(super) struct PixelDecoder {
    input_projections: Vec<(Conv2d, GroupNorm)>,
    /// [levels, D]
    level_embed: Tensor,
    layers: Vec<Layer>,
    adapter: (Conv2d, GroupNorm),
    layer: (Conv2d, GroupNorm),
    mask_projection: Conv2d,
}

#[derive(Debug, Clone)]
struct Layer {
    self_attn: DeformableAttention,
    self_attn_layer_norm: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    final_layer_norm: LayerNorm,
}

/// The decoder's result for the maps of the backbone.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    /// [B, F, H / 4, W / 4]; its product with a query is a mask.
    pub mask_features: Tensor,
    /// [B, D, H / s, W / s] for s = 32, 16, 8.
    pub levels: Vec<Tensor>,
}

impl PixelDecoder {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if 32 groups do not divide the width, and when [`Weights::get`] fails.
    pub(super) fn new(config: &Mask2FormerConfig, weights: &Weights) -> Result<Self> {
        let width = config.feature_size;
        // The backbone's channels from coarse to fine.
        let channels = |level: usize| config.backbone_config.embed_dim << (3 - level);
        let normed = |weights: &Weights, convolution: Conv2d| {
            let norm = GroupNorm::new(&weights.at(1), GROUPS, width, EPS)?;
            Ok((convolution, norm))
        };
        let project = |level: usize| {
            let weights = weights.at("input_projections").at(level);
            normed(
                &weights,
                Conv2d::same(&weights.at(0), (channels(level), width), 1)?,
            )
        };
        let layer = |number: usize| {
            let weights = weights.at("encoder.layers").at(number);
            let inner = config.encoder_feedforward_dim;
            let norm = |name: &str| layer_norm(&weights.at(name), width, EPS);
            Ok(Layer {
                self_attn: DeformableAttention::new(
                    &weights.at("self_attn"),
                    width,
                    config.num_attention_heads,
                    LEVELS,
                )?,
                self_attn_layer_norm: norm("self_attn_layer_norm")?,
                fc1: linear(&weights.at("fc1"), width, inner, true)?,
                fc2: linear(&weights.at("fc2"), inner, width, true)?,
                final_layer_norm: norm("final_layer_norm")?,
            })
        };
        let (adapter, output) = (weights.at("adapter_1"), weights.at("layer_1"));
        Ok(Self {
            input_projections: (0..LEVELS).map(project).collect::<Result<_>>()?,
            level_embed: weights.get("level_embed", (LEVELS, width))?,
            layers: (0..config.encoder_layers)
                .map(layer)
                .collect::<Result<_>>()?,
            adapter: normed(
                &adapter,
                Conv2d::without_bias(&adapter.at(0), (channels(LEVELS), width), 1, 1)?,
            )?,
            layer: normed(
                &output,
                Conv2d::without_bias(&output.at(0), (width, width), 3, 1)?,
            )?,
            mask_projection: Conv2d::same(
                &weights.at("mask_projection"),
                (width, config.mask_feature_size),
                1,
            )?,
        })
    }

    /// The maps of the backbone, from fine to coarse → the maps of the decoder.
    ///
    /// # Errors
    /// Fails if the shapes do not fit.
    pub(super) fn forward(&self, maps: &[Tensor]) -> Result<Decoded> {
        let mut tokens = Vec::with_capacity(LEVELS);
        let mut positions = Vec::with_capacity(LEVELS);
        let mut extents: Vec<Extent> = Vec::with_capacity(LEVELS);
        let coarse_to_fine = maps.iter().rev().zip(&self.input_projections);
        for (level, (map, (convolution, norm))) in coarse_to_fine.enumerate() {
            let projected = norm.forward(&convolution.forward(map)?)?;
            let (_, width, rows, columns) = projected.dims4()?;
            let sine = sine_positions((rows, columns), width, map.device())?;
            let sine = sine.to_dtype(projected.dtype())?;
            positions.push(sine.broadcast_add(&self.level_embed.get(level)?)?);
            tokens.push(projected.flatten_from(2)?.transpose(1, 2)?.contiguous()?);
            extents.push((rows, columns));
        }
        let positions = Tensor::cat(&positions, 0)?;
        let mut x = Tensor::cat(&tokens, 1)?;
        for layer in &self.layers {
            x = layer.forward(&x, &positions, &extents)?;
        }
        let mut start = 0;
        let mut levels = Vec::with_capacity(LEVELS);
        for &(rows, columns) in &extents {
            let part = x.narrow(1, start, rows * columns)?.transpose(1, 2)?;
            let (batch, width, _) = part.dims3()?;
            levels.push(part.contiguous()?.reshape((batch, width, rows, columns))?);
            start += rows * columns;
        }
        let (fine, eighth) = (&maps[0], &levels[LEVELS - 1]);
        let (_, _, rows, columns) = fine.dims4()?;
        let (convolution, norm) = &self.adapter;
        let lateral = norm.forward(&convolution.forward(fine)?)?;
        let joined = (lateral + resized(eighth, (rows, columns))?)?;
        let (convolution, norm) = &self.layer;
        let fine = norm.forward(&convolution.forward(&joined)?)?.relu()?;
        Ok(Decoded {
            mask_features: self.mask_projection.forward(&fine)?,
            levels,
        })
    }
}

impl Layer {
    fn forward(
        &self,
        x: &Tensor,
        positions: &Tensor,
        maps: &[Extent],
    ) -> candle_core::Result<Tensor> {
        let seen = self
            .self_attn
            .forward(&x.broadcast_add(positions)?, x, maps)?;
        let x = self.self_attn_layer_norm.forward(&(x + seen)?)?;
        let hidden = self.fc2.forward(&self.fc1.forward(&x)?.relu()?)?;
        self.final_layer_norm.forward(&(x + hidden)?)
    }
}
