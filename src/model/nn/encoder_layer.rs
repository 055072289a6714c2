//! The pre-norm transformer layer of CLIP and SigLIP, with the names of transformers.

use super::{
    Activation, LayerNorm, Linear, Mask, attention, join_heads, layer_norm, linear, split_heads,
};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};

/// The sizes of a layer.
#[derive(Debug, Clone, Copy)]
pub struct EncoderShape {
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Activation of the feed-forward.
    pub hidden_act: Activation,
    /// Epsilon of the layer norms.
    pub layer_norm_eps: f64,
}

/// x + attention(norm1 x), then x + mlp(norm2 x).
#[derive(Debug, Clone)]
pub struct EncoderLayer {
    layer_norm1: LayerNorm,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    layer_norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    activation: Activation,
    heads: usize,
}

impl EncoderLayer {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if the heads do not divide the width, and when [`Weights::get`] fails.
    pub fn new(shape: &EncoderShape, weights: &Weights) -> Result<Self> {
        let (width, inner) = (shape.hidden_size, shape.intermediate_size);
        let heads = shape.num_attention_heads;
        if heads == 0 || width % heads != 0 {
            return Err(ModelError::Input(format!(
                "config.json: `num_attention_heads` = {heads} does not divide `hidden_size` = {width}"
            )));
        }
        let project = |name: &str| linear(&weights.at("self_attn").at(name), width, width, true);
        let norm = |name: &str| layer_norm(&weights.at(name), width, shape.layer_norm_eps);
        Ok(Self {
            layer_norm1: norm("layer_norm1")?,
            q_proj: project("q_proj")?,
            k_proj: project("k_proj")?,
            v_proj: project("v_proj")?,
            out_proj: project("out_proj")?,
            layer_norm2: norm("layer_norm2")?,
            fc1: linear(&weights.at("mlp.fc1"), width, inner, true)?,
            fc2: linear(&weights.at("mlp.fc2"), inner, width, true)?,
            activation: shape.hidden_act,
            heads,
        })
    }

    /// [B, L, D] → [B, L, D].
    ///
    /// # Errors
    /// Fails if the shape does not fit.
    pub fn forward(&self, x: &Tensor, mask: Mask<'_>) -> candle_core::Result<Tensor> {
        let normed = self.layer_norm1.forward(x)?;
        let heads = |layer: &Linear| split_heads(&layer.forward(&normed)?, self.heads);
        let (q, k, v) = (
            heads(&self.q_proj)?,
            heads(&self.k_proj)?,
            heads(&self.v_proj)?,
        );
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        let seen = join_heads(&attention(&q, &k, &v, scale, mask)?)?;
        let x = (x + self.out_proj.forward(&seen)?)?;
        let hidden = self.fc1.forward(&self.layer_norm2.forward(&x)?)?;
        let hidden = self.fc2.forward(&self.activation.apply(&hidden)?)?;
        x + hidden
    }
}
