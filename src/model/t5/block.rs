//! The parts of the blocks of both stacks. Each part adds its result to its input.

use super::T5Config;
use crate::model::nn::{
    Activation, Linear, Mask, RmsNorm, attention, join_heads, linear, rms_norm, split_heads,
};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};

fn norm(config: &T5Config, layer: &Weights) -> Result<RmsNorm> {
    rms_norm(
        &layer.at("layer_norm"),
        config.d_model,
        config.layer_norm_epsilon,
    )
}

/// Attention to the states themselves or to others. The scores are not scaled.
#[derive(Debug, Clone)]
pub(super) struct Attention {
    norm: RmsNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    heads: usize,
}

impl Attention {
    /// `name` is `SelfAttention` or `EncDecAttention`.
    pub(super) fn new(config: &T5Config, layer: &Weights, name: &str) -> Result<Self> {
        let (width, inner) = (config.d_model, config.num_heads * config.d_kv);
        let own = layer.at(name);
        let into = |name: &str| linear(&own.at(name), width, inner, false);
        Ok(Self {
            norm: norm(config, layer)?,
            q: into("q")?,
            k: into("k")?,
            v: into("v")?,
            o: linear(&own.at("o"), inner, width, false)?,
            heads: config.num_heads,
        })
    }

    /// x + attention(norm x); keys and values come from `memory` if there is one.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        memory: Option<&Tensor>,
        mask: Mask<'_>,
    ) -> Result<Tensor> {
        let normed = self.norm.forward(x)?;
        let seen = memory.unwrap_or(&normed);
        let heads =
            |layer: &Linear, states: &Tensor| split_heads(&layer.forward(states)?, self.heads);
        let (q, k, v) = (
            heads(&self.q, &normed)?,
            heads(&self.k, seen)?,
            heads(&self.v, seen)?,
        );
        let seen = join_heads(&attention(&q, &k, &v, 1.0, mask)?)?;
        Ok((x + self.o.forward(&seen)?)?)
    }
}

/// The feed-forward, gated (arXiv 2002.05202) or not.
#[derive(Debug, Clone)]
pub(super) struct FeedForward {
    norm: RmsNorm,
    /// `wi`, or `wi_0` of a gated feed-forward.
    wi: Linear,
    wi_1: Option<Linear>,
    wo: Linear,
    activation: Activation,
}

impl FeedForward {
    pub(super) fn new(config: &T5Config, layer: &Weights) -> Result<Self> {
        let (activation, gated) = config.feed_forward()?;
        let ff = layer.at("DenseReluDense");
        let into = |name: &str| linear(&ff.at(name), config.d_model, config.d_ff, false);
        Ok(Self {
            norm: norm(config, layer)?,
            wi: into(if gated { "wi_0" } else { "wi" })?,
            wi_1: gated.then(|| into("wi_1")).transpose()?,
            wo: linear(&ff.at("wo"), config.d_ff, config.d_model, false)?,
            activation,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let normed = self.norm.forward(x)?;
        let mut hidden = self.activation.apply(&self.wi.forward(&normed)?)?;
        if let Some(wi_1) = &self.wi_1 {
            hidden = (hidden * wi_1.forward(&normed)?)?;
        }
        Ok((x + self.wo.forward(&hidden)?)?)
    }
}
