//! A layer of the language model: Qwen3's, with norms of queries and keys and without biases.

use super::TextConfig;
use crate::model::nn::{
    Linear, Mask, RmsNorm, attention, join_heads, linear, rms_norm, split_heads,
};
use crate::model::qwen2::{Angles, Mlp, Past};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};

/// `layers.*`
pub(super) struct Layer {
    heads: usize,
    kv_heads: usize,
    input_layernorm: RmsNorm,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    q_norm: RmsNorm,
    k_norm: RmsNorm,
    post_attention_layernorm: RmsNorm,
    mlp: Mlp,
}

impl Layer {
    pub(super) fn new(config: &TextConfig, weights: &Weights) -> Result<Self> {
        let (hidden, size) = (config.hidden_size, config.head_dim);
        let (heads, kv_heads) = (config.num_attention_heads, config.num_key_value_heads);
        let own = weights.at("self_attn");
        let project = |name: &str, input, output| linear(&own.at(name), input, output, false);
        let norm = |weights: &Weights, size| rms_norm(weights, size, config.rms_norm_eps);
        let (inner, act) = (config.intermediate_size, config.hidden_act);
        Ok(Self {
            heads,
            kv_heads,
            input_layernorm: norm(&weights.at("input_layernorm"), hidden)?,
            q_proj: project("q_proj", hidden, heads * size)?,
            k_proj: project("k_proj", hidden, kv_heads * size)?,
            v_proj: project("v_proj", hidden, kv_heads * size)?,
            o_proj: project("o_proj", heads * size, hidden)?,
            q_norm: norm(&own.at("q_norm"), size)?,
            k_norm: norm(&own.at("k_norm"), size)?,
            post_attention_layernorm: norm(&weights.at("post_attention_layernorm"), hidden)?,
            mlp: Mlp::new(&weights.at("mlp"), hidden, inner, act, false)?,
        })
    }

    /// [1, L, D] → [1, L, D]. Every position attends to those of `past` and to those of x up to itself.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        angles: &Angles,
        past: Option<&mut Past>,
    ) -> Result<Tensor> {
        let normed = self.input_layernorm.forward(x)?;
        let q = self.q_proj.forward(&normed)?;
        let q = turned(&q, &self.q_norm, self.heads, angles)?;
        let k = self.k_proj.forward(&normed)?;
        let k = turned(&k, &self.k_norm, self.kv_heads, angles)?;
        let v = split_heads(&self.v_proj.forward(&normed)?, self.kv_heads)?;
        let (k, v) = match past {
            Some(past) => past.append(&k, &v)?,
            None => (k, v),
        };
        // A single query is the last one and attends to everything.
        let mask = if q.dim(2)? == 1 {
            Mask::None
        } else {
            Mask::Causal
        };
        let scale = (q.dim(3)? as f64).powf(-0.5);
        let seen = join_heads(&attention(&q, &k, &v, scale, mask)?)?;
        let x = (x + self.o_proj.forward(&seen)?)?;
        let inner = self.post_attention_layernorm.forward(&x)?;
        Ok((&x + self.mlp.forward(&inner)?)?)
    }
}

/// [B, L, heads · d] → [B, heads, L, d], normalised head by head and turned to their positions.
fn turned(
    x: &Tensor,
    norm: &RmsNorm,
    heads: usize,
    angles: &Angles,
) -> candle_core::Result<Tensor> {
    let (batch, length, _) = x.dims3()?;
    let x = norm.forward(&x.reshape((batch, length, heads, ()))?)?;
    angles.apply(&x)?.transpose(1, 2)
}
