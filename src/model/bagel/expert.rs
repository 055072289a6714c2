//! One of the two sets of weights of a layer.

use super::config::LlmConfig;
use crate::model::nn::{Linear, RmsNorm, linear, rms_norm};
use crate::model::qwen2::Mlp;
use crate::model::{Result, Weights};
use candle_core::{DType, Module, Tensor};

/// The tensors of a layer with one ending of their names. The token stream and the norms are in f32, the
/// products in the dtype of the weights.
pub(super) struct Expert {
    heads: usize,
    kv_heads: usize,
    dtype: DType,
    input_layernorm: RmsNorm,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    q_norm: RmsNorm,
    k_norm: RmsNorm,
    o_proj: Linear,
    post_attention_layernorm: RmsNorm,
    mlp: Mlp,
}

impl Expert {
    /// Loads the set whose names end with `ending`, which is empty or `_moe_gen`.
    pub(super) fn new(llm: &LlmConfig, ending: &str, weights: &Weights) -> Result<Self> {
        let (hidden, size) = (llm.hidden_size, llm.head_size());
        let narrow = llm.num_key_value_heads * size;
        let exact = weights.with_dtype(DType::F32);
        let norm = |name: &str, width: usize| {
            rms_norm(
                &exact.at(format!("{name}{ending}")),
                width,
                llm.rms_norm_eps,
            )
        };
        let own = weights.at("self_attn");
        let project = |name: &str, output: usize, bias: bool| {
            linear(&own.at(format!("{name}{ending}")), hidden, output, bias)
        };
        let mlp = weights.at(format!("mlp{ending}"));
        Ok(Self {
            heads: llm.num_attention_heads,
            kv_heads: llm.num_key_value_heads,
            dtype: weights.dtype(),
            input_layernorm: norm("input_layernorm", hidden)?,
            q_proj: project("q_proj", hidden, true)?,
            k_proj: project("k_proj", narrow, true)?,
            v_proj: project("v_proj", narrow, true)?,
            q_norm: norm("self_attn.q_norm", size)?,
            k_norm: norm("self_attn.k_norm", size)?,
            o_proj: project("o_proj", hidden, false)?,
            post_attention_layernorm: norm("post_attention_layernorm", hidden)?,
            mlp: Mlp::new(&mlp, hidden, llm.intermediate_size, llm.hidden_act, false)?,
        })
    }

    /// [B, L, D] → queries, keys and values in this order, [B, L, heads + 2 · kv_heads, d]. Queries and keys
    /// are normalised for each head, and not yet rotated.
    pub(super) fn project(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let normed = self.input_layernorm.forward(x)?.to_dtype(self.dtype)?;
        let heads = |layer: &Linear, count: usize| -> candle_core::Result<Tensor> {
            let heads = layer.forward(&normed)?;
            heads
                .reshape((batch, length, count, ()))?
                .to_dtype(DType::F32)
        };
        let q = self.q_norm.forward(&heads(&self.q_proj, self.heads)?)?;
        let k = self.k_norm.forward(&heads(&self.k_proj, self.kv_heads)?)?;
        let v = heads(&self.v_proj, self.kv_heads)?;
        Tensor::cat(&[q, k, v], 2)
    }

    /// The stream x [B, L, D] after the layer; `seen` [B, L, heads · d] is the result of the attention.
    pub(super) fn finish(&self, x: &Tensor, seen: &Tensor) -> candle_core::Result<Tensor> {
        let x = (x + self.o_proj.forward(seen)?.to_dtype(DType::F32)?)?;
        let normed = self.post_attention_layernorm.forward(&x)?;
        let inner = self.mlp.forward(&normed.to_dtype(self.dtype)?)?;
        x + inner.to_dtype(DType::F32)?
    }
}
