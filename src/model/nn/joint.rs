//! The parts of transformers in which picture and text have weights of their own and attend to each other,
//! with the names of diffusers.

use super::{Activation, Linear, Mask, RmsNorm, attention, join_heads, linear, rms_norm};
use crate::model::{Result, Weights};
use candle_core::{Module, Tensor};

/// Epsilon of the norms of queries and keys.
const QK_EPS: f64 = 1e-6;
/// The feed-forward is four times as wide as the stream.
const WIDER: usize = 4;

/// Names of the projections of queries, keys and values, and of the norms of queries and keys, of the
/// picture.
pub const PICTURE: [&str; 5] = ["to_q", "to_k", "to_v", "norm_q", "norm_k"];
/// The same of the text.
pub const TEXT: [&str; 5] = [
    "add_q_proj",
    "add_k_proj",
    "add_v_proj",
    "norm_added_q",
    "norm_added_k",
];

/// The sizes of an attention.
#[derive(Debug, Clone, Copy)]
pub struct JointShape {
    /// Width of a head.
    pub head: usize,
    /// Number of heads.
    pub heads: usize,
    /// Whether queries and keys are normalised.
    pub is_normed: bool,
}

impl JointShape {
    /// Width of the tokens.
    pub fn width(self) -> usize {
        self.head * self.heads
    }
}

/// Queries, keys and values, [B, heads, L, d].
pub struct JointHeads([Tensor; 3]);

/// Projections to heads.
#[derive(Debug)]
pub struct JointProjections {
    layers: [Linear; 3],
    norms: Option<[RmsNorm; 2]>,
    heads: usize,
}

impl JointProjections {
    /// Loads the tensors with these names from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(shape: JointShape, weights: &Weights, names: [&str; 5]) -> Result<Self> {
        let [q, k, v, norm_q, norm_k] = names;
        let width = shape.width();
        let project = |name: &str| linear(&weights.at(name), width, width, true);
        let norm = |name: &str| rms_norm(&weights.at(name), shape.head, QK_EPS);
        Ok(Self {
            layers: [project(q)?, project(k)?, project(v)?],
            norms: if shape.is_normed {
                Some([norm(norm_q)?, norm(norm_k)?])
            } else {
                None
            },
            heads: shape.heads,
        })
    }

    /// [B, L, D] → heads. `turn` turns queries and keys [B, L, heads, d] to their positions.
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn forward(
        &self,
        x: &Tensor,
        turn: impl Fn(Tensor) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<JointHeads> {
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
        let (q, k) = (turn(q)?, turn(k)?);
        let swap = |x: Tensor| x.transpose(1, 2);
        Ok(JointHeads([swap(q)?, swap(k)?, swap(v)?]))
    }
}

impl JointHeads {
    /// These positions, then the other's.
    ///
    /// # Errors
    /// Fails if the shapes do not fit.
    pub fn join(&self, after: &Self) -> candle_core::Result<Self> {
        let join = |i: usize| Tensor::cat(&[&self.0[i], &after.0[i]], 2);
        Ok(Self([join(0)?, join(1)?, join(2)?]))
    }

    /// Attention of all positions to all → [B, L, D].
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub fn attend(&self) -> candle_core::Result<Tensor> {
        let [q, k, v] = &self.0;
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        join_heads(&attention(q, k, v, scale, Mask::None)?)
    }
}

/// A feed-forward with the tanh approximation of GELU: `net.0.proj`, `net.2`.
#[derive(Debug)]
pub struct TanhFeedForward {
    proj: Linear,
    out: Linear,
}

impl TanhFeedForward {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(weights: &Weights, width: usize) -> Result<Self> {
        let net = weights.at("net");
        Ok(Self {
            proj: linear(&net.at("0.proj"), width, WIDER * width, true)?,
            out: linear(&net.at("2"), WIDER * width, width, true)?,
        })
    }

    /// [B, L, D] → [B, L, D].
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let inner = Activation::GeluTanh.apply(&self.proj.forward(x)?)?;
        self.out.forward(&inner)
    }
}
