//! The pre-norm block of a vision transformer with the names of timm: one projection for queries, keys and
//! values, and the exact GELU.

use super::{LayerNorm, Linear, Mask, attention, join_heads, layer_norm, linear, split_heads};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};

const EPS: f64 = 1e-6;

/// x + attention(norm1 x), then x + mlp(norm2 x), each multiplied by its scale if the checkpoint has one.
#[derive(Debug, Clone)]
pub struct VitBlock {
    norm1: LayerNorm,
    qkv: Linear,
    proj: Linear,
    scale1: Option<Tensor>,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    scale2: Option<Tensor>,
    heads: usize,
}

impl VitBlock {
    /// Loads the tensors. `hidden` is the width of the feed-forward.
    ///
    /// # Errors
    /// Fails if the heads do not divide the width, and when [`Weights::get`] fails.
    pub fn new(weights: &Weights, width: usize, hidden: usize, heads: usize) -> Result<Self> {
        if heads == 0 || !width.is_multiple_of(heads) {
            return Err(ModelError::Input(format!(
                "{heads} heads do not divide a width of {width}"
            )));
        }
        let scale = |place: &str| -> Result<Option<Tensor>> {
            let place = weights.at(place);
            let names = ["gamma", "grandma"];
            let name = names.into_iter().find(|name| place.has(name));
            name.map(|name| place.get(name, width)).transpose()
        };
        Ok(Self {
            norm1: layer_norm(&weights.at("norm1"), width, EPS)?,
            qkv: linear(&weights.at("attn.qkv"), width, 3 * width, true)?,
            proj: linear(&weights.at("attn.proj"), width, width, true)?,
            scale1: scale("ls1")?,
            norm2: layer_norm(&weights.at("norm2"), width, EPS)?,
            fc1: linear(&weights.at("mlp.fc1"), width, hidden, true)?,
            fc2: linear(&weights.at("mlp.fc2"), hidden, width, true)?,
            scale2: scale("ls2")?,
            heads,
        })
    }

    /// [B, L, D] → [B, L, D].
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let qkv = self.qkv.forward(&self.norm1.forward(x)?)?;
        let width = x.dim(2)?;
        let part = |number: usize| {
            let part = qkv.narrow(2, number * width, width)?.contiguous()?;
            split_heads(&part, self.heads)
        };
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        let seen = join_heads(&attention(&q, &k, &v, scale, Mask::None)?)?;
        let x = (x + scaled(self.proj.forward(&seen)?, self.scale1.as_ref())?)?;
        let inner = self.fc1.forward(&self.norm2.forward(&x)?)?.gelu_erf()?;
        x + scaled(self.fc2.forward(&inner)?, self.scale2.as_ref())?
    }
}

fn scaled(x: Tensor, scale: Option<&Tensor>) -> candle_core::Result<Tensor> {
    match scale {
        Some(scale) => x.broadcast_mul(scale),
        None => Ok(x),
    }
}
