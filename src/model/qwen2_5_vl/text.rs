//! The language model: a Qwen2 decoder whose rotary positions have three rows.

use super::TextConfig;
use super::mlp::Mlp;
use super::positions::Angles;
use crate::model::nn::{
    Embedding, Linear, Mask, RmsNorm, attention, embedding, join_heads, linear, rms_norm,
    split_heads,
};
use crate::model::{Result, Weights};
use candle_core::{DType, Module, Tensor};
use candle_nn::rotary_emb::rope;

/// Keys and values that the layers have seen, [1, kv_heads, L, d] each.
#[derive(Default)]
pub(super) struct Cache(Vec<Option<(Tensor, Tensor)>>);

/// `model`: token table, decoder layers, final norm.
pub(super) struct Text {
    pub embed_tokens: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
}

impl Text {
    pub fn new(config: &TextConfig, weights: &Weights) -> Result<Self> {
        let hidden = config.hidden_size;
        let layer = |index| Layer::new(config, &weights.at(format!("layers.{index}")));
        Ok(Self {
            embed_tokens: embedding(&weights.at("embed_tokens"), config.vocab_size, hidden)?,
            layers: (0..config.num_hidden_layers)
                .map(layer)
                .collect::<Result<_>>()?,
            norm: rms_norm(&weights.at("norm"), hidden, config.rms_norm_eps)?,
        })
    }

    /// Token vectors [1, L, D], after those in `cache`, → hidden states [1, L, D] after the final norm.
    pub fn forward(
        &self,
        embeds: &Tensor,
        angles: &Angles,
        mut cache: Option<&mut Cache>,
    ) -> Result<Tensor> {
        if let Some(cache) = cache.as_deref_mut() {
            cache.0.resize(self.layers.len(), None);
        }
        let mut x = embeds.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            let past = cache
                .as_deref_mut()
                .and_then(|cache| cache.0.get_mut(index));
            x = layer.forward(&x, angles, past)?;
        }
        Ok(self.norm.forward(&x)?)
    }
}

struct Layer {
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

impl Layer {
    fn new(config: &TextConfig, weights: &Weights) -> Result<Self> {
        let (hidden, eps) = (config.hidden_size, config.rms_norm_eps);
        let narrow = config.kv_heads() * config.head_dim();
        let (own, mlp) = (weights.at("self_attn"), weights.at("mlp"));
        let norm = |name: &str| rms_norm(&weights.at(name), hidden, eps);
        Ok(Self {
            heads: config.num_attention_heads,
            kv_heads: config.kv_heads(),
            input_layernorm: norm("input_layernorm")?,
            q_proj: linear(&own.at("q_proj"), hidden, hidden, true)?,
            k_proj: linear(&own.at("k_proj"), hidden, narrow, true)?,
            v_proj: linear(&own.at("v_proj"), hidden, narrow, true)?,
            o_proj: linear(&own.at("o_proj"), hidden, hidden, false)?,
            post_attention_layernorm: norm("post_attention_layernorm")?,
            mlp: Mlp::new(
                &mlp,
                hidden,
                config.intermediate_size,
                config.hidden_act,
                false,
            )?,
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        angles: &Angles,
        past: Option<&mut Option<(Tensor, Tensor)>>,
    ) -> Result<Tensor> {
        let x = (x + self.attend(&self.input_layernorm.forward(x)?, angles, past)?)?;
        let inner = self.post_attention_layernorm.forward(&x)?;
        Ok((&x + self.mlp.forward(&inner)?)?)
    }

    fn attend(
        &self,
        x: &Tensor,
        angles: &Angles,
        past: Option<&mut Option<(Tensor, Tensor)>>,
    ) -> Result<Tensor> {
        let turned = |x: Tensor| {
            let plain = x.to_dtype(DType::F32)?.contiguous()?;
            let turned = rope(&plain, &angles.cos, &angles.sin)?;
            turned.to_dtype(x.dtype())
        };
        let q = turned(split_heads(&self.q_proj.forward(x)?, self.heads)?)?;
        let mut k = turned(split_heads(&self.k_proj.forward(x)?, self.kv_heads)?)?;
        let mut v = split_heads(&self.v_proj.forward(x)?, self.kv_heads)?;
        if let Some(past) = past {
            if let Some((keys, values)) = past.as_ref() {
                k = Tensor::cat(&[keys, &k], 2)?;
                v = Tensor::cat(&[values, &v], 2)?;
            }
            *past = Some((k.clone(), v.clone()));
        }
        // A single query is the last one and sees everything.
        let mask = match q.dim(2)? {
            1 => Mask::None,
            _ => Mask::Causal,
        };
        let scale = (q.dim(3)? as f64).powf(-0.5);
        let seen = attention(&q, &k, &v, scale, mask)?;
        Ok(self.o_proj.forward(&join_heads(&seen)?)?)
    }
}
