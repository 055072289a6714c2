//! A layer of the Mixture of Transformers: two sets of weights, and one attention over all tokens.

use super::config::LlmConfig;
use super::expert::Expert;
use crate::model::nn::{Mask, attention, join_heads};
use crate::model::qwen2::Angles;
use crate::model::{Result, Weights};
use candle_core::{DType, Tensor};

/// The ending of the names of the weights for latent tokens.
pub(super) const LATENT: &str = "_moe_gen";

/// Which weights the tokens of a part of a sequence take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All take the plain weights.
    Plain,
    /// The first and the last token take the plain weights, and the latents between them the other ones.
    Latents,
}

impl Kind {
    /// Applies `work` to the rows that take the same weights. The tensors are [B, L, ...], and the result has
    /// the same rows in the same order.
    pub(super) fn each<T>(
        self,
        [plain, latent]: [&T; 2],
        tensors: &[&Tensor],
        work: impl Fn(&T, &[Tensor]) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let cut = |rows: &dyn Fn(&Tensor) -> candle_core::Result<Tensor>| {
            let tensors = tensors.iter().map(|tensor| rows(tensor));
            tensors.collect::<candle_core::Result<Vec<_>>>()
        };
        if self == Self::Plain {
            return work(plain, &cut(&|tensor| Ok(tensor.clone()))?);
        }
        let ends = cut(&|tensor| {
            let last = tensor.dim(1)? - 1;
            Tensor::cat(&[tensor.narrow(1, 0, 1)?, tensor.narrow(1, last, 1)?], 1)
        })?;
        let inner = cut(&|tensor| tensor.narrow(1, 1, tensor.dim(1)? - 2)?.contiguous())?;
        let (ends, inner) = (work(plain, &ends)?, work(latent, &inner)?);
        Tensor::cat(&[ends.narrow(1, 0, 1)?, inner, ends.narrow(1, 1, 1)?], 1)
    }
}

/// `layers.*`.
pub(super) struct MotLayer {
    plain: Expert,
    latent: Expert,
    heads: usize,
    kv_heads: usize,
    dtype: DType,
}

impl MotLayer {
    /// Loads the tensors from `weights`.
    pub(super) fn new(llm: &LlmConfig, weights: &Weights) -> Result<Self> {
        Ok(Self {
            plain: Expert::new(llm, "", weights)?,
            latent: Expert::new(llm, LATENT, weights)?,
            heads: llm.num_attention_heads,
            kv_heads: llm.num_key_value_heads,
            dtype: weights.dtype(),
        })
    }

    /// [B, L, D] → [B, L, D]. `join` gets the keys and values [B, kv_heads, L, d] of this part, and gives
    /// those of all tokens that the part sees, with its own at the end.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        kind: Kind,
        angles: &Angles,
        mask: Mask<'_>,
        join: impl FnOnce(Tensor, Tensor) -> candle_core::Result<(Tensor, Tensor)>,
    ) -> candle_core::Result<Tensor> {
        let experts = [&self.plain, &self.latent];
        let all = kind.each(experts, &[x], |expert, rows| expert.project(&rows[0]))?;
        let (heads, groups) = (self.heads, self.kv_heads);
        let turned = angles.apply(&all.narrow(2, 0, heads + groups)?)?;
        let part = |x: &Tensor, start: usize, count: usize| -> candle_core::Result<Tensor> {
            let part = x.narrow(2, start, count)?.transpose(1, 2)?;
            part.to_dtype(self.dtype)
        };
        let q = part(&turned, 0, heads)?;
        let (k, v) = join(
            part(&turned, heads, groups)?,
            part(&all, heads + groups, groups)?,
        )?;
        let mask = match mask {
            // A single query is the last one and attends to everything.
            Mask::Causal if q.dim(2)? == 1 => Mask::None,
            mask => mask,
        };
        let scale = (q.dim(3)? as f64).powf(-0.5);
        let seen = join_heads(&attention(&q, &k, &v, scale, mask)?)?;
        kind.each(experts, &[x, &seen], |expert, rows| {
            expert.finish(&rows[0], &rows[1])
        })
    }
}
