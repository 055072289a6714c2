//! The transformer decoder, whose queries attend only to the area of their last mask.

use super::config::Mask2FormerConfig;
use super::maps::{resized, sine_positions};
use super::pixel_decoder::{Decoded, LEVELS};
use crate::model::nn::{
    Embedding, LayerNorm, Linear, Mask, attention, embedding, join_heads, layer_norm, linear,
    split_heads,
};
use crate::model::{Result, Weights};
use candle_core::{D, Module, Tensor};

const EPS: f64 = 1e-5;

/// The decoder with its heads.
#[derive(Debug, Clone)]
pub(super) struct MaskedDecoder {
    queries_embedder: Embedding,
    queries_features: Embedding,
    /// [levels, D]
    level_embed: Tensor,
    layers: Vec<Layer>,
    layernorm: LayerNorm,
    mask_embedder: Vec<Linear>,
    class_predictor: Linear,
}

#[derive(Debug, Clone)]
struct Layer {
    cross_attn: Attention,
    cross_attn_layer_norm: LayerNorm,
    self_attn: Attention,
    self_attn_layer_norm: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    final_layer_norm: LayerNorm,
}

#[derive(Debug, Clone)]
struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    heads: usize,
}

/// A map to which queries attend.
struct Memory {
    /// [B, h · w, D]
    keys: Tensor,
    /// [B, h · w, D]
    values: Tensor,
    /// [B, F, h · w]: the mask features at this size. Their product with a query is a mask at this size,
    /// since resizing is linear.
    mask_features: Tensor,
}

impl MaskedDecoder {
    /// Loads the tensors. `weights` is the top of the checkpoint, since two of the heads are there.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub(super) fn new(config: &Mask2FormerConfig, weights: &Weights) -> Result<Self> {
        let width = config.hidden_dim;
        let module = weights.at("model.transformer_module");
        let decoder = module.at("decoder");
        let embedder = decoder.at("mask_predictor.mask_embedder");
        let outputs = [width, width, config.mask_feature_size];
        Ok(Self {
            queries_embedder: embedding(&module.at("queries_embedder"), config.num_queries, width)?,
            queries_features: embedding(&module.at("queries_features"), config.num_queries, width)?,
            level_embed: module.get("level_embed.weight", (LEVELS, width))?,
            layers: (0..config.decoder_layers - 1)
                .map(|i| Layer::new(config, &decoder.at("layers").at(i)))
                .collect::<Result<_>>()?,
            layernorm: layer_norm(&decoder.at("layernorm"), width, EPS)?,
            mask_embedder: outputs
                .iter()
                .enumerate()
                .map(|(i, &output)| linear(&embedder.at(i).at(0), width, output, true))
                .collect::<Result<_>>()?,
            class_predictor: linear(
                &weights.at("class_predictor"),
                width,
                config.num_labels() + 1,
                true,
            )?,
        })
    }

    /// Returns class logits [B, Q, K + 1] and mask logits [B, Q, H / 4, W / 4].
    ///
    /// # Errors
    /// Fails if the shapes do not fit.
    pub(super) fn forward(&self, decoded: &Decoded) -> Result<(Tensor, Tensor)> {
        let memories: Vec<Memory> = (decoded.levels.iter().enumerate())
            .map(|(level, map)| self.memory(level, map, &decoded.mask_features))
            .collect::<candle_core::Result<_>>()?;
        let (batch, features, rows, columns) = decoded.mask_features.dims4()?;
        let positions = self.queries_embedder.embeddings();
        let queries = self.queries_features.embeddings();
        let (count, width) = queries.dims2()?;
        let mut x = queries.broadcast_as((batch, count, width))?.contiguous()?;
        for (number, layer) in self.layers.iter().enumerate() {
            let memory = &memories[number % LEVELS];
            let masks = self.mask_embedding(&x)?.matmul(&memory.mask_features)?;
            let mask = blocked(&masks)?.unsqueeze(1)?;
            x = layer.forward(&x, positions, memory, &mask)?;
        }
        let classes = self.class_predictor.forward(&self.layernorm.forward(&x)?)?;
        let fine = decoded
            .mask_features
            .reshape((batch, features, rows * columns))?;
        let masks = self.mask_embedding(&x)?.matmul(&fine)?;
        Ok((classes, masks.reshape((batch, count, rows, columns))?))
    }

    fn memory(
        &self,
        level: usize,
        map: &Tensor,
        mask_features: &Tensor,
    ) -> candle_core::Result<Memory> {
        let (_, width, rows, columns) = map.dims4()?;
        let values = map
            .flatten_from(2)?
            .transpose(1, 2)?
            .broadcast_add(&self.level_embed.get(level)?)?;
        let sine = sine_positions((rows, columns), width, map.device())?;
        Ok(Memory {
            keys: values.broadcast_add(&sine.to_dtype(values.dtype())?)?,
            values,
            mask_features: resized(mask_features, (rows, columns))?
                .flatten_from(2)?
                .contiguous()?,
        })
    }

    /// [B, Q, D] → [B, Q, F].
    fn mask_embedding(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let mut x = self.layernorm.forward(x)?;
        for (number, layer) in self.mask_embedder.iter().enumerate() {
            x = layer.forward(&x)?;
            if number + 1 < self.mask_embedder.len() {
                x = x.relu()?;
            }
        }
        Ok(x)
    }
}

/// Mask logits [B, Q, K] → the values to add to scores: −∞ outside the mask. A query with an empty mask
/// attends to everything.
fn blocked(masks: &Tensor) -> candle_core::Result<Tensor> {
    let open = masks.ge(0.0)?.to_dtype(masks.dtype())?;
    let none = (1.0 - open.max_keepdim(D::Minus1)?)?;
    let seen = open.broadcast_add(&none)?.gt(0.0)?;
    let zeros = masks.zeros_like()?;
    let out = Tensor::full(f32::NEG_INFINITY, masks.shape(), masks.device())?;
    seen.where_cond(&zeros, &out.to_dtype(masks.dtype())?)
}

impl Layer {
    fn new(config: &Mask2FormerConfig, weights: &Weights) -> Result<Self> {
        let (width, inner) = (config.hidden_dim, config.dim_feedforward);
        let norm = |name: &str| layer_norm(&weights.at(name), width, EPS);
        let heads = config.num_attention_heads;
        Ok(Self {
            cross_attn: Attention::fused(&weights.at("cross_attn"), width, heads)?,
            cross_attn_layer_norm: norm("cross_attn_layer_norm")?,
            self_attn: Attention::split(&weights.at("self_attn"), width, heads)?,
            self_attn_layer_norm: norm("self_attn_layer_norm")?,
            fc1: linear(&weights.at("fc1"), width, inner, true)?,
            fc2: linear(&weights.at("fc2"), inner, width, true)?,
            final_layer_norm: norm("final_layer_norm")?,
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        positions: &Tensor,
        memory: &Memory,
        mask: &Tensor,
    ) -> candle_core::Result<Tensor> {
        let query = x.broadcast_add(positions)?;
        let seen =
            self.cross_attn
                .forward(&query, &memory.keys, &memory.values, Mask::Add(mask))?;
        let x = self.cross_attn_layer_norm.forward(&(x + seen)?)?;
        let query = x.broadcast_add(positions)?;
        let seen = self.self_attn.forward(&query, &query, &x, Mask::None)?;
        let x = self.self_attn_layer_norm.forward(&(x + seen)?)?;
        let hidden = self.fc2.forward(&self.fc1.forward(&x)?.relu()?)?;
        self.final_layer_norm.forward(&(x + hidden)?)
    }
}

impl Attention {
    fn split(weights: &Weights, width: usize, heads: usize) -> Result<Self> {
        let project = |name: &str| linear(&weights.at(name), width, width, true);
        Ok(Self {
            q_proj: project("q_proj")?,
            k_proj: project("k_proj")?,
            v_proj: project("v_proj")?,
            out_proj: project("out_proj")?,
            heads,
        })
    }

    /// One tensor contains the projections of queries, keys and values, one below the other.
    fn fused(weights: &Weights, width: usize, heads: usize) -> Result<Self> {
        let weight = weights.get("in_proj_weight", (3 * width, width))?;
        let bias = weights.get("in_proj_bias", 3 * width)?;
        let part = |number: usize| {
            Ok::<_, candle_core::Error>(Linear::new(
                weight.narrow(0, number * width, width)?,
                Some(bias.narrow(0, number * width, width)?),
            ))
        };
        Ok(Self {
            q_proj: part(0)?,
            k_proj: part(1)?,
            v_proj: part(2)?,
            out_proj: linear(&weights.at("out_proj"), width, width, true)?,
            heads,
        })
    }

    fn forward(
        &self,
        query: &Tensor,
        key: &Tensor,
        value: &Tensor,
        mask: Mask<'_>,
    ) -> candle_core::Result<Tensor> {
        let heads = |layer: &Linear, x: &Tensor| split_heads(&layer.forward(x)?, self.heads);
        let q = heads(&self.q_proj, query)?;
        let (k, v) = (heads(&self.k_proj, key)?, heads(&self.v_proj, value)?);
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        self.out_proj
            .forward(&join_heads(&attention(&q, &k, &v, scale, mask)?)?)
    }
}
