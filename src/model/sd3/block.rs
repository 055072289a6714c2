//! A block of the transformer: picture and text have weights of their own and attend to each other.

use super::Sd3Config;
use crate::model::flux::{Modulation, modulate};
use crate::model::nn::{
    Activation, Linear, Mask, RmsNorm, attention, join_heads, linear, rms_norm,
};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};
use unigauge_kernels::gated_sum;

/// Epsilon of the norms of queries and keys.
const QK_EPS: f64 = 1e-6;
/// The feed-forward is four times as wide as the stream.
const WIDER: usize = 4;

/// Names of the projections of queries, keys and values, and of the norms of queries and keys.
const PICTURE: [&str; 5] = ["to_q", "to_k", "to_v", "norm_q", "norm_k"];
const TEXT: [&str; 5] = [
    "add_q_proj",
    "add_k_proj",
    "add_v_proj",
    "norm_added_q",
    "norm_added_k",
];

/// Queries, keys and values, [B, heads, L, d].
struct Heads([Tensor; 3]);

/// Projections to heads, with norms of queries and keys in SD3.5.
#[derive(Debug)]
struct Projections {
    layers: [Linear; 3],
    norms: Option<[RmsNorm; 2]>,
    heads: usize,
}

impl Projections {
    fn new(config: &Sd3Config, weights: &Weights, names: [&str; 5]) -> Result<Self> {
        let [q, k, v, norm_q, norm_k] = names;
        let (width, size) = (config.width(), config.attention_head_dim);
        let project = |name: &str| linear(&weights.at(name), width, width, true);
        let norm = |name: &str| rms_norm(&weights.at(name), size, QK_EPS);
        Ok(Self {
            layers: [project(q)?, project(k)?, project(v)?],
            norms: match config.qk_norm {
                Some(_) => Some([norm(norm_q)?, norm(norm_k)?]),
                None => None,
            },
            heads: config.num_attention_heads,
        })
    }

    /// [B, L, D] → heads.
    fn forward(&self, x: &Tensor) -> candle_core::Result<Heads> {
        let (batch, length, _) = x.dims3()?;
        let project = |layer: &Linear| {
            let x = layer.forward(x)?;
            x.reshape((batch, length, self.heads, ()))
        };
        let [q, k, v] = &self.layers;
        let (q, k, v) = (project(q)?, project(k)?, project(v)?);
        let (q, k) = match &self.norms {
            Some([norm_q, norm_k]) => (norm_q.forward(&q)?, norm_k.forward(&k)?),
            None => (q, k),
        };
        let turn = |x: Tensor| x.transpose(1, 2);
        Ok(Heads([turn(q)?, turn(k)?, turn(v)?]))
    }
}

impl Heads {
    /// These positions, then the other's.
    fn join(&self, after: &Self) -> candle_core::Result<Self> {
        let join = |i: usize| Tensor::cat(&[&self.0[i], &after.0[i]], 2);
        Ok(Self([join(0)?, join(1)?, join(2)?]))
    }

    /// Attention of all positions to all → [B, L, D].
    fn attend(&self) -> candle_core::Result<Tensor> {
        let [q, k, v] = &self.0;
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        join_heads(&attention(q, k, v, scale, Mask::None)?)
    }
}

/// A feed-forward with the tanh approximation of GELU.
#[derive(Debug)]
struct FeedForward {
    proj: Linear,
    out: Linear,
}

impl FeedForward {
    fn new(weights: &Weights, width: usize) -> Result<Self> {
        let net = weights.at("net");
        Ok(Self {
            proj: linear(&net.at("0.proj"), width, WIDER * width, true)?,
            out: linear(&net.at("2"), WIDER * width, width, true)?,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let inner = Activation::GeluTanh.apply(&self.proj.forward(x)?)?;
        self.out.forward(&inner)
    }
}

/// What comes after the attention of a stream.
#[derive(Debug)]
struct After {
    to_out: Linear,
    ff: FeedForward,
}

impl After {
    fn new(block: &Weights, out: &str, ff: &str, width: usize) -> Result<Self> {
        Ok(Self {
            to_out: linear(&block.at("attn").at(out), width, width, true)?,
            ff: FeedForward::new(&block.at(ff), width)?,
        })
    }

    /// Adds the attention, what `more` adds, and the feed-forward. `parts` are shift, scale and gate of each.
    fn forward(
        &self,
        x: &Tensor,
        seen: &Tensor,
        parts: &[Tensor],
        more: impl Fn(Tensor) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let x = more(gated_sum(x, &parts[2], &self.to_out.forward(seen)?)?)?;
        let normed = modulate(&x, &parts[4], &parts[3])?;
        gated_sum(&x, &parts[5], &self.ff.forward(&normed)?)
    }
}

/// The second attention of a block, of the picture alone.
#[derive(Debug)]
struct Second {
    projections: Projections,
    to_out: Linear,
}

/// `transformer_blocks.*`
#[derive(Debug)]
pub(super) struct Block {
    norm1: Modulation,
    norm1_context: Modulation,
    picture: Projections,
    text: Projections,
    after_picture: After,
    /// `None` in the last block, whose text only gives keys and values.
    after_text: Option<After>,
    second: Option<Second>,
}

impl Block {
    pub(super) fn new(config: &Sd3Config, weights: &Weights, index: usize) -> Result<Self> {
        let (width, attn) = (config.width(), weights.at("attn"));
        let is_dual = config.dual_attention_layers.contains(&index);
        let is_last = index + 1 == config.num_layers;
        let second = || -> Result<Second> {
            let attn = weights.at("attn2");
            Ok(Second {
                projections: Projections::new(config, &attn, PICTURE)?,
                to_out: linear(&attn.at("to_out.0"), width, width, true)?,
            })
        };
        let text_parts = if is_last { 2 } else { 6 };
        Ok(Self {
            norm1: Modulation::new(&weights.at("norm1"), width, if is_dual { 9 } else { 6 })?,
            norm1_context: Modulation::new(&weights.at("norm1_context"), width, text_parts)?,
            picture: Projections::new(config, &attn, PICTURE)?,
            text: Projections::new(config, &attn, TEXT)?,
            after_picture: After::new(weights, "to_out.0", "ff", width)?,
            after_text: (!is_last)
                .then(|| After::new(weights, "to_add_out", "ff_context", width))
                .transpose()?,
            second: is_dual.then(second).transpose()?,
        })
    }

    /// Picture tokens [B, N, D] and text tokens [B, T, D] → the same. `condition` is the SiLU of the embedding
    /// [B, D].
    pub(super) fn forward(
        &self,
        picture: &Tensor,
        text: &Tensor,
        condition: &Tensor,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        let parts = self.norm1.forward(condition)?;
        let text_parts = self.norm1_context.forward(condition)?;
        // In the last block, the scale comes first.
        let [scale, shift] = match self.after_text {
            Some(_) => [1, 0],
            None => [0, 1],
        };
        let normed_text = modulate(text, &text_parts[scale], &text_parts[shift])?;
        let from_text = self.text.forward(&normed_text)?;
        let normed = modulate(picture, &parts[1], &parts[0])?;
        let from_picture = self.picture.forward(&normed)?;
        let seen = from_picture.join(&from_text)?.attend()?;
        let count = picture.dim(1)?;
        let by_picture = seen.narrow(1, 0, count)?.contiguous()?;
        let by_text = seen.narrow(1, count, text.dim(1)?)?.contiguous()?;
        let more = |x: Tensor| match &self.second {
            Some(second) => {
                let normed = modulate(picture, &parts[7], &parts[6])?;
                let seen = second.projections.forward(&normed)?.attend()?;
                gated_sum(&x, &parts[8], &second.to_out.forward(&seen)?)
            }
            None => Ok(x),
        };
        let picture = self
            .after_picture
            .forward(picture, &by_picture, &parts, more)?;
        let text = match &self.after_text {
            Some(after) => after.forward(text, &by_text, &text_parts, Ok)?,
            None => text.clone(),
        };
        Ok((picture, text))
    }
}
