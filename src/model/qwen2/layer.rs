//! One decoder layer: attention over all positions so far, then the feed-forward.

use super::{Angles, Mlp, Past};
use crate::model::nn::{
    Activation, Linear, Mask, RmsNorm, attention, join_heads, linear, rms_norm, split_heads,
};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};
use std::ops::Range;

/// The sizes of a layer.
#[derive(Debug, Clone, Copy)]
pub struct LayerShape {
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Number of key and value heads.
    pub num_key_value_heads: usize,
    /// Activation of the feed-forward.
    pub hidden_act: Activation,
    /// Epsilon of the norms.
    pub rms_norm_eps: f64,
}

/// `layers.*`: only queries, keys and values have a bias.
pub struct DecoderLayer {
    heads: usize,
    kv_heads: usize,
    input_layernorm: RmsNorm,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    post_attention_layernorm: RmsNorm,
    mlp: Mlp,
}

impl DecoderLayer {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(shape: &LayerShape, weights: &Weights) -> Result<Self> {
        let (hidden, eps) = (shape.hidden_size, shape.rms_norm_eps);
        let narrow = shape.num_key_value_heads * (hidden / shape.num_attention_heads);
        let (own, mlp) = (weights.at("self_attn"), weights.at("mlp"));
        let norm = |name: &str| rms_norm(&weights.at(name), hidden, eps);
        let (inner, act) = (shape.intermediate_size, shape.hidden_act);
        Ok(Self {
            heads: shape.num_attention_heads,
            kv_heads: shape.num_key_value_heads,
            input_layernorm: norm("input_layernorm")?,
            q_proj: linear(&own.at("q_proj"), hidden, hidden, true)?,
            k_proj: linear(&own.at("k_proj"), hidden, narrow, true)?,
            v_proj: linear(&own.at("v_proj"), hidden, narrow, true)?,
            o_proj: linear(&own.at("o_proj"), hidden, hidden, false)?,
            post_attention_layernorm: norm("post_attention_layernorm")?,
            mlp: Mlp::new(&mlp, hidden, inner, act, false)?,
        })
    }

    /// [B, L, D] → [B, L, D]; every position attends to the positions of `past` and of x that `mask` allows.
    ///
    /// # Errors
    /// Fails if shapes do not fit, or the device has no room.
    pub fn forward(
        &self,
        x: &Tensor,
        angles: &Angles,
        past: Option<&mut Past>,
        mask: Mask<'_>,
    ) -> Result<Tensor> {
        let normed = self.input_layernorm.forward(x)?;
        let (k, v) = self.keys_values(&normed, angles, past)?;
        self.update(x, &normed, angles, (&k, &v), mask)
    }

    /// As [`Self::forward`] on a sequence [1, L, D] that has no past, but only the positions of `spans`, in
    /// rising order, are updated. All positions give keys and values, which are stored in `past`.
    ///
    /// # Errors
    /// Fails when [`Self::forward`] fails.
    pub fn forward_some(
        &self,
        x: &Tensor,
        angles: &Angles,
        past: Option<&mut Past>,
        spans: &[Range<usize>],
    ) -> Result<Tensor> {
        let normed = self.input_layernorm.forward(x)?;
        let (k, v) = self.keys_values(&normed, angles, past)?;
        let (mut parts, mut end) = (Vec::new(), 0);
        for Range { start, end: next } in spans.iter().cloned() {
            let length = next - start;
            parts.push(x.narrow(1, end, start - end)?);
            let rows = |x: &Tensor| x.narrow(1, start, length)?.contiguous();
            // The last position of the span is the last to which it attends.
            let seen = (&k.narrow(2, 0, next)?, &v.narrow(2, 0, next)?);
            let angles = angles.narrow(start, length)?;
            parts.push(self.update(&rows(x)?, &rows(&normed)?, &angles, seen, Mask::Causal)?);
            end = next;
        }
        parts.push(x.narrow(1, end, x.dim(1)? - end)?);
        parts.retain(|part| part.elem_count() > 0);
        Ok(Tensor::cat(&parts, 1)?)
    }

    /// The attention of normalised positions, after those in `past`.
    fn keys_values(
        &self,
        normed: &Tensor,
        angles: &Angles,
        past: Option<&mut Past>,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        let k = self.turned(&self.k_proj.forward(normed)?, self.kv_heads, angles)?;
        let v = split_heads(&self.v_proj.forward(normed)?, self.kv_heads)?;
        match past {
            Some(past) => past.append(&k, &v),
            None => Ok((k, v)),
        }
    }

    /// [B, L, heads · d] → [B, heads, L, d] at their positions.
    fn turned(&self, x: &Tensor, heads: usize, angles: &Angles) -> candle_core::Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        angles
            .apply(&x.reshape((batch, length, heads, ()))?)?
            .transpose(1, 2)
    }

    fn update(
        &self,
        x: &Tensor,
        normed: &Tensor,
        angles: &Angles,
        (k, v): (&Tensor, &Tensor),
        mask: Mask<'_>,
    ) -> Result<Tensor> {
        let q = self.turned(&self.q_proj.forward(normed)?, self.heads, angles)?;
        // A single query is the last one and attends to everything.
        let mask = match mask {
            Mask::Causal if q.dim(2)? == 1 => Mask::None,
            mask => mask,
        };
        let scale = (q.dim(3)? as f64).powf(-0.5);
        let seen = join_heads(&attention(&q, k, v, scale, mask)?)?;
        let x = (x + self.o_proj.forward(&seen)?)?;
        let inner = self.post_attention_layernorm.forward(&x)?;
        Ok((&x + self.mlp.forward(&inner)?)?)
    }
}
