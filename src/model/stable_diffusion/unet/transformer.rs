//! The attention of a block: transformer layers over the cells of the picture, which also see the prompt.

use super::config::{BlockShape, UNetConfig};
use crate::model::nn::{
    GroupNorm, LayerNorm, Linear, Mask, attention, join_heads, layer_norm, linear, split_heads,
};
use crate::model::{Result, Weights};
use candle_core::{D, Module, Tensor};

/// Epsilon of the group norm in front of the layers. It is not `norm_eps`.
const GROUP_EPS: f64 = 1e-6;
/// Epsilon of the layer norms.
const LAYER_EPS: f64 = 1e-5;
/// The feed-forward is four times as wide as the stream.
const WIDER: usize = 4;

/// `attentions.i`: norm, projection, layers, projection, added to the input.
#[derive(Debug, Clone)]
pub(super) struct SpatialTransformer {
    norm: GroupNorm,
    proj_in: Linear,
    transformer_blocks: Vec<Layer>,
    proj_out: Linear,
}

impl SpatialTransformer {
    pub(super) fn new(config: &UNetConfig, weights: &Weights, shape: BlockShape) -> Result<Self> {
        let BlockShape {
            channels, layers, ..
        } = shape;
        let project =
            |name: &str| projection(&weights.at(name), channels, config.use_linear_projection);
        let layer = |i| {
            let at = weights.at("transformer_blocks").at(i);
            Layer::new(&at, shape, config.cross_attention_dim)
        };
        Ok(Self {
            norm: GroupNorm::new(
                &weights.at("norm"),
                config.norm_num_groups,
                channels,
                GROUP_EPS,
            )?,
            proj_in: project("proj_in")?,
            transformer_blocks: (0..layers).map(layer).collect::<Result<_>>()?,
            proj_out: project("proj_out")?,
        })
    }

    /// [B, C, H, W] and the prompt's states [B, L, J] → [B, C, H, W].
    pub(super) fn forward(&self, x: &Tensor, context: &Tensor) -> candle_core::Result<Tensor> {
        let cells = self.norm.forward(x)?.flatten_from(2)?.transpose(1, 2)?;
        let mut tokens = self.proj_in.forward(&cells.contiguous()?)?;
        for layer in &self.transformer_blocks {
            tokens = layer.forward(&tokens, context)?;
        }
        let cells = self.proj_out.forward(&tokens)?.transpose(1, 2)?;
        x + cells.contiguous()?.reshape(x.shape())?
    }
}

/// A matrix for every cell. A 1 × 1 convolution is the same with two more axes.
fn projection(weights: &Weights, channels: usize, linear_layer: bool) -> Result<Linear> {
    if linear_layer {
        return linear(weights, channels, channels, true);
    }
    let kernel = weights.get("weight", (channels, channels, 1, 1))?;
    let matrix = kernel.squeeze(3)?.squeeze(2)?;
    Ok(Linear::new(matrix, Some(weights.get("bias", channels)?)))
}

/// `transformer_blocks.i`: the picture sees itself, then the prompt, then a feed-forward.
#[derive(Debug, Clone)]
struct Layer {
    norm1: LayerNorm,
    attn1: Attention,
    norm2: LayerNorm,
    attn2: Attention,
    norm3: LayerNorm,
    feed_forward: FeedForward,
}

impl Layer {
    fn new(weights: &Weights, shape: BlockShape, context: usize) -> Result<Self> {
        let BlockShape {
            channels, heads, ..
        } = shape;
        let norm = |name: &str| layer_norm(&weights.at(name), channels, LAYER_EPS);
        Ok(Self {
            norm1: norm("norm1")?,
            attn1: Attention::new(&weights.at("attn1"), channels, channels, heads)?,
            norm2: norm("norm2")?,
            attn2: Attention::new(&weights.at("attn2"), channels, context, heads)?,
            norm3: norm("norm3")?,
            feed_forward: FeedForward::new(&weights.at("ff.net"), channels)?,
        })
    }

    fn forward(&self, x: &Tensor, context: &Tensor) -> candle_core::Result<Tensor> {
        let normed = self.norm1.forward(x)?;
        let x = (x + self.attn1.forward(&normed, &normed)?)?;
        let seen = self.attn2.forward(&self.norm2.forward(&x)?, context)?;
        let x = (x + seen)?;
        let hidden = self.feed_forward.forward(&self.norm3.forward(&x)?)?;
        x + hidden
    }
}

/// Heads that look from one sequence at another.
#[derive(Debug, Clone)]
struct Attention {
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
    heads: usize,
}

impl Attention {
    fn new(weights: &Weights, width: usize, context: usize, heads: usize) -> Result<Self> {
        let project = |name: &str, input| linear(&weights.at(name), input, width, false);
        Ok(Self {
            to_q: project("to_q", width)?,
            to_k: project("to_k", context)?,
            to_v: project("to_v", context)?,
            to_out: linear(&weights.at("to_out.0"), width, width, true)?,
            heads,
        })
    }

    /// [B, N, C] and [B, L, J] → [B, N, C].
    fn forward(&self, x: &Tensor, context: &Tensor) -> candle_core::Result<Tensor> {
        let split = |x: Tensor| split_heads(&x, self.heads);
        let q = split(self.to_q.forward(x)?)?;
        let k = split(self.to_k.forward(context)?)?;
        let v = split(self.to_v.forward(context)?)?;
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        let seen = attention(&q, &k, &v, scale, Mask::None)?;
        self.to_out.forward(&join_heads(&seen)?)
    }
}

/// GEGLU: the first half of a projection, times the exact GELU of the second half.
#[derive(Debug, Clone)]
struct FeedForward {
    /// `net.0.proj`
    proj: Linear,
    /// `net.2`
    out: Linear,
}

impl FeedForward {
    fn new(weights: &Weights, width: usize) -> Result<Self> {
        let inner = WIDER * width;
        Ok(Self {
            proj: linear(&weights.at("0.proj"), width, 2 * inner, true)?,
            out: linear(&weights.at("2"), inner, width, true)?,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let both = self.proj.forward(x)?;
        let inner = both.dim(D::Minus1)? / 2;
        let value = both.narrow(D::Minus1, 0, inner)?;
        let gate = both.narrow(D::Minus1, inner, inner)?.contiguous()?;
        self.out.forward(&(value * gate.gelu_erf()?)?)
    }
}
