//! Layers that several networks share, built on candle-nn and `crates/kernels`.

mod activation;
mod conv;
mod embedder;
mod encoder_layer;
mod group_norm;
mod joint;
mod patch;
mod positions;
mod vit_block;

pub use activation::Activation;
pub use candle_nn::Embedding;
pub use conv::{Conv2d, Padding};
pub use embedder::{Embedder, Sinusoid};
pub use encoder_layer::{EncoderLayer, EncoderShape};
pub use group_norm::GroupNorm;
pub use joint::{JointHeads, JointProjections, JointShape, PICTURE, TEXT, TanhFeedForward};
pub use patch::PatchEmbedding;
pub use positions::resample_positions;
pub use unigauge_kernels::{
    LayerNorm, Linear, Mask, RmsNorm, attention, double, layer_norm as normed_rows,
};
pub use vit_block::VitBlock;

use super::{Result, Weights};
use candle_core::Tensor;

/// A linear layer with `weight` [out, in] and, if `bias` is true, with `bias` `[out]`.
///
/// # Errors
/// Fails when [`Weights::get`] fails.
pub fn linear(weights: &Weights, input: usize, output: usize, bias: bool) -> Result<Linear> {
    let weight = weights.get("weight", (output, input))?;
    let bias = bias.then(|| weights.get("bias", output)).transpose()?;
    Ok(Linear::new(weight, bias))
}

/// A layer norm with `weight` and `bias`.
///
/// # Errors
/// Fails when [`Weights::get`] fails.
pub fn layer_norm(weights: &Weights, size: usize, eps: f64) -> Result<LayerNorm> {
    let weight = weights.get("weight", size)?;
    Ok(LayerNorm::new(weight, weights.get("bias", size)?, eps))
}

/// A root-mean-square norm with `weight`, computed in f32.
///
/// # Errors
/// Fails when [`Weights::get`] fails.
pub fn rms_norm(weights: &Weights, size: usize, eps: f64) -> Result<RmsNorm> {
    Ok(RmsNorm::new(weights.get("weight", size)?, eps))
}

/// A table of token vectors, `weight` [vocabulary, size].
///
/// # Errors
/// Fails when [`Weights::get`] fails.
pub fn embedding(weights: &Weights, vocabulary: usize, size: usize) -> Result<Embedding> {
    Ok(Embedding::new(
        weights.get("weight", (vocabulary, size))?,
        size,
    ))
}

/// [B, L, heads × d] → [B, heads, L, d], a view.
///
/// # Errors
/// Fails if the last axis is not a multiple of `heads`.
pub fn split_heads(x: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let (batch, length, width) = x.dims3()?;
    x.reshape((batch, length, heads, width / heads))?
        .transpose(1, 2)
}

/// [B, heads, L, d] → [B, L, heads × d].
///
/// # Errors
/// Fails if there are not four axes.
pub fn join_heads(x: &Tensor) -> candle_core::Result<Tensor> {
    let (batch, heads, length, size) = x.dims4()?;
    x.transpose(1, 2)?.reshape((batch, length, heads * size))
}
