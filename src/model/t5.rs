//! The T5 encoder (v1.1 form), FLUX's second text encoder: keys and numbers of `T5EncoderModel` of transformers.
//!
//! Raffel et al., arXiv 1910.10683; gated feed-forward of arXiv 2002.05202. Position enters only as a bias on the scores,
//! from the first block's table; scores are not scaled; FLUX attends to padding, so there is no mask.

use super::nn::{
    Activation, Embedding, Linear, Mask, RmsNorm, attention, embedding, join_heads, linear,
    rms_norm, split_heads,
};
use super::{ModelError, Result, Weights};
use candle_core::{DType, Module, Tensor};
use serde::Deserialize;

/// The fields of a T5 `config.json` that the encoder needs.
#[derive(Debug, Clone, Deserialize)]
pub struct T5Config {
    pub d_model: usize,
    pub d_kv: usize,
    pub d_ff: usize,
    pub num_layers: usize,
    pub num_heads: usize,
    pub vocab_size: usize,
    #[serde(default = "default_buckets")]
    pub relative_attention_num_buckets: usize,
    #[serde(default = "default_distance")]
    pub relative_attention_max_distance: usize,
    #[serde(default = "default_eps")]
    pub layer_norm_epsilon: f64,
    /// `relu`, or `gated-` and the name of an activation.
    #[serde(default = "default_feed_forward")]
    pub feed_forward_proj: String,
}

fn default_buckets() -> usize {
    32
}

fn default_distance() -> usize {
    128
}

fn default_eps() -> f64 {
    1e-6
}

fn default_feed_forward() -> String {
    "relu".into()
}

impl T5Config {
    /// The activation, and whether the feed-forward is gated.
    fn feed_forward(&self) -> Result<(Activation, bool)> {
        let (name, gated) = match self.feed_forward_proj.strip_prefix("gated-") {
            Some(name) => (name, true),
            None => (self.feed_forward_proj.as_str(), false),
        };
        match name {
            // transformers takes the tanh form for the gated model, whatever its name says.
            "gelu" if gated => Ok((Activation::GeluTanh, true)),
            "gelu" => Ok((Activation::Gelu, false)),
            "gelu_new" => Ok((Activation::GeluTanh, gated)),
            "silu" => Ok((Activation::Silu, gated)),
            "relu" => Ok((Activation::Relu, gated)),
            _ => Err(ModelError::Input(format!(
                "T5 config.json: `feed_forward_proj` = \"{}\" is not known",
                self.feed_forward_proj
            ))),
        }
    }
}

/// The encoder.
#[derive(Debug, Clone)]
pub struct T5Encoder {
    shared: Embedding,
    blocks: Vec<Block>,
    final_layer_norm: RmsNorm,
    /// [buckets, heads], of the first block.
    relative_attention_bias: Tensor,
    buckets: usize,
    max_distance: usize,
}

#[derive(Debug, Clone)]
struct Block {
    attention_norm: RmsNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    ff_norm: RmsNorm,
    /// `wi`, or `wi_0` of a gated feed-forward.
    wi: Linear,
    wi_1: Option<Linear>,
    wo: Linear,
    activation: Activation,
    heads: usize,
}

impl Block {
    fn new(config: &T5Config, weights: &Weights) -> Result<Self> {
        let (activation, gated) = config.feed_forward()?;
        let (width, inner) = (config.d_model, config.num_heads * config.d_kv);
        let own = weights.at("layer.0").at("SelfAttention");
        let ff = weights.at("layer.1").at("DenseReluDense");
        let norm = |at: &str| {
            rms_norm(
                &weights.at(at).at("layer_norm"),
                width,
                config.layer_norm_epsilon,
            )
        };
        Ok(Self {
            attention_norm: norm("layer.0")?,
            q: linear(&own.at("q"), width, inner, false)?,
            k: linear(&own.at("k"), width, inner, false)?,
            v: linear(&own.at("v"), width, inner, false)?,
            o: linear(&own.at("o"), inner, width, false)?,
            ff_norm: norm("layer.1")?,
            wi: linear(
                &ff.at(if gated { "wi_0" } else { "wi" }),
                width,
                config.d_ff,
                false,
            )?,
            wi_1: gated
                .then(|| linear(&ff.at("wi_1"), width, config.d_ff, false))
                .transpose()?,
            wo: linear(&ff.at("wo"), config.d_ff, width, false)?,
            activation,
            heads: config.num_heads,
        })
    }

    fn forward(&self, x: &Tensor, bias: &Tensor) -> Result<Tensor> {
        let normed = self.attention_norm.forward(x)?;
        let heads = |layer: &Linear| split_heads(&layer.forward(&normed)?, self.heads);
        let (q, k, v) = (heads(&self.q)?, heads(&self.k)?, heads(&self.v)?);
        let seen = join_heads(&attention(&q, &k, &v, 1.0, Mask::Add(bias))?)?;
        let x = (x + self.o.forward(&seen)?)?;
        let normed = self.ff_norm.forward(&x)?;
        let mut hidden = self.activation.apply(&self.wi.forward(&normed)?)?;
        if let Some(wi_1) = &self.wi_1 {
            hidden = (hidden * wi_1.forward(&normed)?)?;
        }
        Ok((&x + self.wo.forward(&hidden)?)?)
    }
}

impl T5Encoder {
    /// From a T5 checkpoint; its decoder, if it has one, is not asked for.
    ///
    /// # Errors
    /// When a size is zero or the feed-forward is unknown; as [`Weights::get`].
    pub fn new(config: &T5Config, weights: &Weights) -> Result<Self> {
        if config.num_layers == 0 || config.relative_attention_num_buckets < 4 {
            return Err(ModelError::Input(
                "T5 config.json: `num_layers` must be 1 or more, `relative_attention_num_buckets` 4 or more".into(),
            ));
        }
        let table =
            match weights.has("encoder.embed_tokens.weight") && !weights.has("shared.weight") {
                true => weights.at("encoder.embed_tokens"),
                false => weights.at("shared"),
            };
        let encoder = weights.at("encoder");
        let first = encoder.at("block.0.layer.0.SelfAttention.relative_attention_bias");
        Ok(Self {
            shared: embedding(&table, config.vocab_size, config.d_model)?,
            blocks: (0..config.num_layers)
                .map(|i| Block::new(config, &encoder.at("block").at(i)))
                .collect::<Result<_>>()?,
            final_layer_norm: rms_norm(
                &encoder.at("final_layer_norm"),
                config.d_model,
                config.layer_norm_epsilon,
            )?,
            relative_attention_bias: first.get(
                "weight",
                (config.relative_attention_num_buckets, config.num_heads),
            )?,
            buckets: config.relative_attention_num_buckets,
            max_distance: config.relative_attention_max_distance,
        })
    }

    /// Ids [B, L] → states [B, L, D] after the final norm.
    ///
    /// # Errors
    /// When an id is beyond the vocabulary.
    pub fn forward(&self, input_ids: &Tensor) -> Result<Tensor> {
        let length = input_ids.dim(1)?;
        let bias = self.bias(length)?;
        let mut x = self.shared.forward(input_ids)?;
        for block in &self.blocks {
            x = block.forward(&x, &bias)?;
        }
        Ok(self.final_layer_norm.forward(&x)?)
    }

    /// [1, heads, L, L] in f32.
    fn bias(&self, length: usize) -> Result<Tensor> {
        let table = &self.relative_attention_bias;
        let buckets: Vec<u32> = (0..length)
            .flat_map(|query| (0..length).map(move |key| key as i64 - query as i64))
            .map(|distance| bucket(distance, self.buckets, self.max_distance))
            .collect();
        let buckets = Tensor::from_vec(buckets, length * length, table.device())?;
        let rows = table.to_dtype(DType::F32)?.index_select(&buckets, 0)?;
        Ok(rows
            .reshape((1, length, length, ()))?
            .permute((0, 3, 1, 2))?
            .contiguous()?)
    }
}

/// The bucket of a signed distance: half of them for each direction, the lower half of those exact, the rest
/// logarithmic up to `max_distance`.
fn bucket(distance: i64, buckets: usize, max_distance: usize) -> u32 {
    let half = buckets / 2;
    let offset = if distance > 0 { half } else { 0 };
    let distance = distance.unsigned_abs() as usize;
    let exact = half / 2;
    let own = if distance < exact {
        distance
    } else {
        let ratio =
            (distance as f32 / exact as f32).ln() / (max_distance as f32 / exact as f32).ln();
        (exact + (ratio * (half - exact) as f32) as usize).min(half - 1)
    };
    (offset + own) as u32
}
