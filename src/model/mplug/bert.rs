//! BERT's layers, with the norm after each part and with optional cross-attention, and with the keys of
//! transformers' `BertModel`.

use super::config::BertConfig;
use crate::model::nn::{
    Activation, Embedding, LayerNorm, Linear, Mask, attention, embedding, join_heads, layer_norm,
    linear, split_heads,
};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};

/// The value that is added to the score of a masked key.
pub(super) const MASKED: f64 = -10_000.0;

/// Words with their positions.
#[derive(Debug, Clone)]
pub(super) struct Embeddings {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    token_type_embeddings: Embedding,
    layer_norm: LayerNorm,
}

/// Keys and values of one layer's cross-attention, each [B, heads, K, d].
#[derive(Debug, Clone)]
pub(super) struct KeysValues {
    /// The keys.
    pub keys: Tensor,
    /// The values.
    pub values: Tensor,
}

#[derive(Debug, Clone)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    dense: Linear,
    layer_norm: LayerNorm,
    heads: usize,
}

/// Self-attention, cross-attention if the layer has one, and the feed-forward.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    attention: Attention,
    crossattention: Option<Attention>,
    intermediate: Linear,
    output: Linear,
    layer_norm: LayerNorm,
    activation: Activation,
}

impl Embeddings {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub(super) fn new(config: &BertConfig, weights: &Weights) -> Result<Self> {
        let table =
            |name: &str, rows: usize| embedding(&weights.at(name), rows, config.hidden_size);
        Ok(Self {
            word_embeddings: table("word_embeddings", config.vocab_size)?,
            position_embeddings: table("position_embeddings", config.max_position_embeddings)?,
            token_type_embeddings: table("token_type_embeddings", config.type_vocab_size)?,
            layer_norm: layer_norm(
                &weights.at("LayerNorm"),
                config.hidden_size,
                config.layer_norm_eps,
            )?,
        })
    }

    /// Ids [B, L] → [B, L, D].
    ///
    /// # Errors
    /// Fails if an id is beyond the vocabulary, or the text is too long.
    pub(super) fn forward(&self, input_ids: &Tensor) -> Result<Tensor> {
        let (_, length) = input_ids.dims2()?;
        let positions = self.position_embeddings.embeddings();
        let most = positions.dim(0)?;
        if length > most {
            return Err(ModelError::Input(format!(
                "the text has {length} tokens, but there are only {most} positions"
            )));
        }
        let kind = self.token_type_embeddings.embeddings().get(0)?;
        let x = self.word_embeddings.forward(input_ids)?;
        let x = x.broadcast_add(&kind)?;
        let x = x.broadcast_add(&positions.narrow(0, 0, length)?)?;
        Ok(self.layer_norm.forward(&x)?)
    }
}

impl Attention {
    /// `weights` holds `self` and `output`.
    fn new(config: &BertConfig, weights: &Weights, key_width: usize) -> Result<Self> {
        let width = config.hidden_size;
        let inner = weights.at("self");
        Ok(Self {
            query: linear(&inner.at("query"), width, width, true)?,
            key: linear(&inner.at("key"), key_width, width, true)?,
            value: linear(&inner.at("value"), key_width, width, true)?,
            dense: linear(&weights.at("output.dense"), width, width, true)?,
            layer_norm: layer_norm(
                &weights.at("output.LayerNorm"),
                width,
                config.layer_norm_eps,
            )?,
            heads: config.num_attention_heads,
        })
    }

    fn keys_values(&self, states: &Tensor) -> candle_core::Result<KeysValues> {
        Ok(KeysValues {
            keys: split_heads(&self.key.forward(states)?, self.heads)?,
            values: split_heads(&self.value.forward(states)?, self.heads)?,
        })
    }

    /// `memory` may have one row for all of `x`.
    fn forward(
        &self,
        x: &Tensor,
        memory: &KeysValues,
        mask: Mask<'_>,
    ) -> candle_core::Result<Tensor> {
        let (batch, length, width) = x.dims3()?;
        let q = split_heads(&self.query.forward(x)?, self.heads)?;
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        let seen = match memory.keys.dim(0)? {
            // All rows attend to the same memory, so they become the queries of one row.
            1 if batch > 1 => {
                let size = q.dim(3)?;
                let q = q
                    .transpose(0, 1)?
                    .reshape((1, self.heads, batch * length, size))?;
                let seen = attention(&q, &memory.keys, &memory.values, scale, mask)?;
                let seen = seen.reshape((self.heads, batch, length, size))?;
                seen.transpose(0, 1)?
            }
            _ => attention(&q, &memory.keys, &memory.values, scale, mask)?,
        };
        let seen = self.dense.forward(&join_heads(&seen)?)?;
        self.layer_norm
            .forward(&(x + seen.reshape((batch, length, width))?)?)
    }
}

impl Layer {
    /// Loads the tensors. `cross` is the width of the states to which the cross-attention attends, if the
    /// layer has one.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub(super) fn new(
        config: &BertConfig,
        weights: &Weights,
        cross: Option<usize>,
    ) -> Result<Self> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let cross =
            cross.map(|key_width| Attention::new(config, &weights.at("crossattention"), key_width));
        Ok(Self {
            attention: Attention::new(config, &weights.at("attention"), width)?,
            crossattention: cross.transpose()?,
            intermediate: linear(&weights.at("intermediate.dense"), width, inner, true)?,
            output: linear(&weights.at("output.dense"), inner, width, true)?,
            layer_norm: layer_norm(
                &weights.at("output.LayerNorm"),
                width,
                config.layer_norm_eps,
            )?,
            activation: config.hidden_act,
        })
    }

    /// The keys and values of the cross-attention for the states [B, K, D]. `None` for a layer without
    /// cross-attention.
    ///
    /// # Errors
    /// Fails if the width differs.
    pub(super) fn memory(&self, states: &Tensor) -> candle_core::Result<Option<KeysValues>> {
        let cross = self.crossattention.as_ref();
        cross.map(|cross| cross.keys_values(states)).transpose()
    }

    /// [B, L, D] → [B, L, D]; without `memory` the cross-attention is left out.
    ///
    /// # Errors
    /// Fails if the shapes do not fit.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        mask: Mask<'_>,
        memory: Option<(&KeysValues, Mask<'_>)>,
    ) -> candle_core::Result<Tensor> {
        let own = self.attention.keys_values(x)?;
        let mut x = self.attention.forward(x, &own, mask)?;
        if let (Some(cross), Some((memory, mask))) = (&self.crossattention, memory) {
            x = cross.forward(&x, memory, mask)?;
        }
        let hidden = self.activation.apply(&self.intermediate.forward(&x)?)?;
        self.layer_norm
            .forward(&(&x + self.output.forward(&hidden)?)?)
    }
}
