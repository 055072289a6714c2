//! A block of the transformer: norms before and after attention and feed-forward. The embedding of the time
//! scales and gates them in some blocks.

use super::ZImageConfig;
use crate::model::flux::Rope;
use crate::model::nn::{
    Activation, Linear, Mask, RmsNorm, attention, join_heads, linear, rms_norm,
};
use crate::model::{Result, Weights};
use candle_core::{D, Module, Tensor};

/// Epsilon of the norms of queries and keys.
const QK_EPS: f64 = 1e-5;

#[derive(Debug)]
struct Attention {
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
    norms: Option<[RmsNorm; 2]>,
    heads: usize,
}

impl Attention {
    fn new(config: &ZImageConfig, weights: &Weights) -> Result<Self> {
        let width = config.dim;
        let project = |name: &str| linear(&weights.at(name), width, width, false);
        let norm = |name: &str| rms_norm(&weights.at(name), config.head_dim(), QK_EPS);
        Ok(Self {
            to_q: project("to_q")?,
            to_k: project("to_k")?,
            to_v: project("to_v")?,
            to_out: project("to_out.0")?,
            norms: if config.qk_norm {
                Some([norm("norm_q")?, norm("norm_k")?])
            } else {
                None
            },
            heads: config.n_heads,
        })
    }

    /// [B, L, D] → [B, L, D]. Every position attends to all.
    fn forward(&self, x: &Tensor, rope: &Rope) -> candle_core::Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let split = |layer: &Linear| {
            let x = layer.forward(x)?;
            x.reshape((batch, length, self.heads, ()))
        };
        let (q, k, v) = (split(&self.to_q)?, split(&self.to_k)?, split(&self.to_v)?);
        let (q, k) = match &self.norms {
            Some([norm_q, norm_k]) => (norm_q.forward(&q)?, norm_k.forward(&k)?),
            None => (q, k),
        };
        let q = rope.apply(&q)?.transpose(1, 2)?;
        let k = rope.apply(&k)?.transpose(1, 2)?;
        let v = v.transpose(1, 2)?;
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        let seen = attention(&q, &k, &v, scale, Mask::None)?;
        self.to_out.forward(&join_heads(&seen)?)
    }
}

/// SwiGLU.
#[derive(Debug)]
struct FeedForward {
    w1: Linear,
    w2: Linear,
    w3: Linear,
}

impl FeedForward {
    fn new(config: &ZImageConfig, weights: &Weights) -> Result<Self> {
        let (width, inner) = (config.dim, config.inner());
        Ok(Self {
            w1: linear(&weights.at("w1"), width, inner, false)?,
            w2: linear(&weights.at("w2"), inner, width, false)?,
            w3: linear(&weights.at("w3"), width, inner, false)?,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let gate = Activation::Silu.apply(&self.w1.forward(x)?)?;
        self.w2.forward(&(gate * self.w3.forward(x)?)?)
    }
}

/// `layers.*`, `noise_refiner.*` and `context_refiner.*`
#[derive(Debug)]
pub(super) struct Block {
    attention: Attention,
    feed_forward: FeedForward,
    attention_norms: [RmsNorm; 2],
    ffn_norms: [RmsNorm; 2],
    modulation: Option<Linear>,
}

impl Block {
    /// A block. `is_modulated` says whether the time changes it.
    pub(super) fn new(
        config: &ZImageConfig,
        weights: &Weights,
        is_modulated: bool,
    ) -> Result<Self> {
        let width = config.dim;
        let norm = |name: &str| rms_norm(&weights.at(name), width, config.norm_eps);
        let modulation = weights.at("adaLN_modulation.0");
        Ok(Self {
            attention: Attention::new(config, &weights.at("attention"))?,
            feed_forward: FeedForward::new(config, &weights.at("feed_forward"))?,
            attention_norms: [norm("attention_norm1")?, norm("attention_norm2")?],
            ffn_norms: [norm("ffn_norm1")?, norm("ffn_norm2")?],
            modulation: is_modulated
                .then(|| linear(&modulation, config.time_width(), 4 * width, true))
                .transpose()?,
        })
    }

    /// [1, L, D] → [1, L, D]. `time` is the embedding of the time, [1, T].
    pub(super) fn forward(
        &self,
        x: &Tensor,
        time: &Tensor,
        rope: &Rope,
    ) -> candle_core::Result<Tensor> {
        let parts = match &self.modulation {
            Some(modulation) => {
                let parts = modulation.forward(time)?.unsqueeze(1)?;
                Some(parts.chunk(4, D::Minus1)?)
            }
            None => None,
        };
        let scaled = |x: Tensor, part: usize| match &parts {
            Some(parts) => x.broadcast_mul(&(&parts[part] + 1.0)?),
            None => Ok(x),
        };
        let gated = |x: Tensor, part: usize| match &parts {
            Some(parts) => x.broadcast_mul(&parts[part].tanh()?),
            None => Ok(x),
        };
        let [before, after] = &self.attention_norms;
        let seen = scaled(before.forward(x)?, 0)?;
        let seen = after.forward(&self.attention.forward(&seen, rope)?)?;
        let x = (x + gated(seen, 1)?)?;
        let [before, after] = &self.ffn_norms;
        let inner = scaled(before.forward(&x)?, 2)?;
        let inner = after.forward(&self.feed_forward.forward(&inner)?)?;
        x + gated(inner, 3)?
    }
}
