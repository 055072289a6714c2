//! Blocks in which image and text have their own weights and attend to each other.

use super::modulation::{Modulation, modulate};
use super::{FluxConfig, Rope};
use crate::model::nn::{
    Activation, Linear, Mask, RmsNorm, attention, join_heads, linear, rms_norm,
};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};
use unigauge_kernels::gated_sum;

pub(super) const QK_EPS: f64 = 1e-6;

/// Names of an image stream's projections and norms.
const IMAGE: [&str; 5] = ["to_q", "to_k", "to_v", "norm_q", "norm_k"];

/// Queries, keys and values, [B, L, heads, d].
pub struct Heads {
    /// Queries.
    pub q: Tensor,
    /// Keys.
    pub k: Tensor,
    /// Values.
    pub v: Tensor,
}

impl Heads {
    /// Attention of all positions to all, with rotary positions → [B, L, heads · d].
    ///
    /// # Errors
    /// Fails if the tables have another length.
    pub fn attend(&self, rope: &Rope) -> candle_core::Result<Tensor> {
        let q = rope.apply(&self.q)?.transpose(1, 2)?;
        let k = rope.apply(&self.k)?.transpose(1, 2)?;
        let v = self.v.transpose(1, 2)?;
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        join_heads(&attention(&q, &k, &v, scale, Mask::None)?)
    }

    /// These positions, then the other's.
    fn join(&self, after: &Self) -> candle_core::Result<Self> {
        let join = |a: &Tensor, b: &Tensor| Tensor::cat(&[a, b], 1);
        Ok(Self {
            q: join(&self.q, &after.q)?,
            k: join(&self.k, &after.k)?,
            v: join(&self.v, &after.v)?,
        })
    }
}

/// The three projections of an attention with normed queries and keys.
#[derive(Debug)]
pub struct Projections {
    q: Linear,
    k: Linear,
    v: Linear,
    norm_q: RmsNorm,
    norm_k: RmsNorm,
    heads: usize,
}

impl Projections {
    /// `names` contains the names of the projections of q, k and v, and of the norms of q and k.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &FluxConfig, weights: &Weights, names: [&str; 5]) -> Result<Self> {
        let [q, k, v, norm_q, norm_k] = names;
        let (width, size) = (config.width(), config.attention_head_dim);
        let project = |name: &str| linear(&weights.at(name), width, width, true);
        Ok(Self {
            q: project(q)?,
            k: project(k)?,
            v: project(v)?,
            norm_q: rms_norm(&weights.at(norm_q), size, QK_EPS)?,
            norm_k: rms_norm(&weights.at(norm_k), size, QK_EPS)?,
            heads: config.num_attention_heads,
        })
    }

    /// [B, L, D] → [B, L, heads, d] each.
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Heads> {
        let (batch, length, _) = x.dims3()?;
        let project = |linear: &Linear| {
            let x = linear.forward(x)?;
            x.reshape((batch, length, self.heads, ()))
        };
        Ok(Heads {
            q: self.norm_q.forward(&project(&self.q)?)?,
            k: self.norm_k.forward(&project(&self.k)?)?,
            v: project(&self.v)?,
        })
    }
}

/// One of the two token streams of a double block.
#[derive(Debug)]
pub struct Stream {
    norm1: Modulation,
    projections: Projections,
    /// `None` if the attention is not projected.
    to_out: Option<Linear>,
    ff_in: Linear,
    ff_out: Linear,
}

/// The modulation of a stream in one block: three vectors [B, D] for the attention, and three for the
/// feed-forward.
pub struct Modulated {
    parts: Vec<Tensor>,
    /// The input of the attention.
    pub heads: Heads,
}

impl Stream {
    fn new(
        config: &FluxConfig,
        block: &Weights,
        (norm, out, ff): (&str, Option<&str>, &str),
        names: [&str; 5],
    ) -> Result<Self> {
        let (width, attn, ff) = (config.width(), block.at("attn"), block.at(ff));
        let project = |name: &str| linear(&attn.at(name), width, width, true);
        Ok(Self {
            norm1: Modulation::new(&block.at(norm), width, 6)?,
            projections: Projections::new(config, &attn, names)?,
            to_out: out.map(project).transpose()?,
            ff_in: linear(&ff.at("net.0.proj"), width, 4 * width, true)?,
            ff_out: linear(&ff.at("net.2"), 4 * width, width, true)?,
        })
    }

    /// The stream of image tokens.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn image(config: &FluxConfig, block: &Weights) -> Result<Self> {
        Self::new(config, block, ("norm1", Some("to_out.0"), "ff"), IMAGE)
    }

    /// A stream of image tokens without text, whose attention is not projected.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn alone(config: &FluxConfig, block: &Weights) -> Result<Self> {
        Self::new(config, block, ("norm1", None, "ff"), IMAGE)
    }

    /// The stream of text tokens.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn text(config: &FluxConfig, block: &Weights) -> Result<Self> {
        let names = [
            "add_q_proj",
            "add_k_proj",
            "add_v_proj",
            "norm_added_q",
            "norm_added_k",
        ];
        let parts = ("norm1_context", Some("to_add_out"), "ff_context");
        Self::new(config, block, parts, names)
    }

    /// The queries, keys and values of the tokens x [B, L, D]. `condition` is the SiLU of the embedding [B,
    /// D].
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub fn before(&self, x: &Tensor, condition: &Tensor) -> candle_core::Result<Modulated> {
        let parts = self.norm1.forward(condition)?;
        let heads = self
            .projections
            .forward(&modulate(x, &parts[1], &parts[0])?)?;
        Ok(Modulated { parts, heads })
    }

    /// Adds the result of the attention [B, L, D], and then the feed-forward.
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub fn after(
        &self,
        x: &Tensor,
        seen: &Tensor,
        modulated: &Modulated,
    ) -> candle_core::Result<Tensor> {
        let parts = &modulated.parts;
        let seen = match &self.to_out {
            Some(to_out) => to_out.forward(seen)?,
            None => seen.clone(),
        };
        let x = gated_sum(x, &parts[2], &seen)?;
        let normed = modulate(&x, &parts[4], &parts[3])?;
        let inner = Activation::GeluTanh.apply(&self.ff_in.forward(&normed)?)?;
        gated_sum(&x, &parts[5], &self.ff_out.forward(&inner)?)
    }
}

/// `transformer_blocks.*`.
#[derive(Debug)]
pub struct DoubleBlock {
    image: Stream,
    text: Stream,
}

impl DoubleBlock {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &FluxConfig, weights: &Weights) -> Result<Self> {
        Ok(Self {
            image: Stream::image(config, weights)?,
            text: Stream::text(config, weights)?,
        })
    }

    /// Image tokens [B, N, D] and text tokens [B, T, D] → the same; `rope` has T + N positions, with the text
    /// first.
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub fn forward(
        &self,
        image: &Tensor,
        text: &Tensor,
        condition: &Tensor,
        rope: &Rope,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        let from_image = self.image.before(image, condition)?;
        let from_text = self.text.before(text, condition)?;
        let seen = from_text.heads.join(&from_image.heads)?.attend(rope)?;
        let length = text.dim(1)?;
        let by_text = seen.narrow(1, 0, length)?.contiguous()?;
        let by_image = seen.narrow(1, length, image.dim(1)?)?.contiguous()?;
        Ok((
            self.image.after(image, &by_image, &from_image)?,
            self.text.after(text, &by_text, &from_text)?,
        ))
    }
}
