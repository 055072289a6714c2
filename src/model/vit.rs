//! The plain vision transformer of DINO (Caron et al., arXiv 2104.14294), with the keys and the results of
//! `ViTModel` of transformers, but without its pooling head.

use super::nn::{
    Activation, LayerNorm, Linear, Mask, PatchEmbedding, attention, join_heads, layer_norm, linear,
    resample_positions, split_heads,
};
use super::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};
use serde::Deserialize;

/// The fields of `config.json` that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct VitConfig {
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Native side, in pixels.
    pub image_size: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Number of channels of a picture.
    #[serde(default = "three")]
    pub num_channels: usize,
    /// Activation of the feed-forward.
    #[serde(default = "gelu")]
    pub hidden_act: Activation,
    /// Epsilon of the layer norms.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f64,
    /// Whether queries, keys and values have a bias.
    #[serde(default = "yes")]
    pub qkv_bias: bool,
}

fn three() -> usize {
    3
}

fn gelu() -> Activation {
    Activation::Gelu
}

fn default_eps() -> f64 {
    1e-12
}

fn yes() -> bool {
    true
}

/// The network.
#[derive(Debug, Clone)]
pub struct Vit {
    patch_embeddings: PatchEmbedding,
    cls_token: Tensor,
    /// [1, 1 + side², D]
    position_embeddings: Tensor,
    layers: Vec<Layer>,
    layernorm: LayerNorm,
    side: usize,
    patch: usize,
}

#[derive(Debug, Clone)]
struct Layer {
    before: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    dense: Linear,
    after: LayerNorm,
    intermediate: Linear,
    activation: Activation,
    output: Linear,
    heads: usize,
}

impl Layer {
    fn new(config: &VitConfig, weights: &Weights) -> Result<Self> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let own = weights.at("attention.attention");
        let project = |name: &str| linear(&own.at(name), width, width, config.qkv_bias);
        let norm = |name: &str| layer_norm(&weights.at(name), width, config.layer_norm_eps);
        Ok(Self {
            before: norm("layernorm_before")?,
            query: project("query")?,
            key: project("key")?,
            value: project("value")?,
            dense: linear(&weights.at("attention.output.dense"), width, width, true)?,
            after: norm("layernorm_after")?,
            intermediate: linear(&weights.at("intermediate.dense"), width, inner, true)?,
            activation: config.hidden_act,
            output: linear(&weights.at("output.dense"), inner, width, true)?,
            heads: config.num_attention_heads,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let normed = self.before.forward(x)?;
        let heads = |layer: &Linear| split_heads(&layer.forward(&normed)?, self.heads);
        let (q, k, v) = (heads(&self.query)?, heads(&self.key)?, heads(&self.value)?);
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        let seen = join_heads(&attention(&q, &k, &v, scale, Mask::None)?)?;
        let x = (x + self.dense.forward(&seen)?)?;
        let inner = self.intermediate.forward(&self.after.forward(&x)?)?;
        x + self.output.forward(&self.activation.apply(&inner)?)?
    }
}

impl Vit {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if sizes do not divide, and when [`Weights::get`] fails.
    pub fn new(config: &VitConfig, weights: &Weights) -> Result<Self> {
        let (width, heads) = (config.hidden_size, config.num_attention_heads);
        if heads == 0 || !width.is_multiple_of(heads) || config.patch_size == 0 {
            return Err(ModelError::Input(format!(
                "ViT config.json: `num_attention_heads` = {heads} must divide `hidden_size` = {width}, and `patch_size` \
                 be 1 or more"
            )));
        }
        let side = config.image_size / config.patch_size;
        let weights = if weights.has("vit.embeddings.cls_token") {
            weights.at("vit")
        } else {
            weights.clone()
        };
        let embeddings = weights.at("embeddings");
        Ok(Self {
            patch_embeddings: PatchEmbedding::new(
                &embeddings.at("patch_embeddings.projection"),
                config.num_channels,
                width,
                config.patch_size,
                true,
            )?,
            cls_token: embeddings.get("cls_token", (1, 1, width))?,
            position_embeddings: embeddings
                .get("position_embeddings", (1, 1 + side * side, width))?,
            layers: (0..config.num_hidden_layers)
                .map(|i| Layer::new(config, &weights.at("encoder.layer").at(i)))
                .collect::<Result<_>>()?,
            layernorm: layer_norm(&weights.at("layernorm"), width, config.layer_norm_eps)?,
            side,
            patch: config.patch_size,
        })
    }

    /// Pixels [B, 3, H, W] → states [B, 1 + N, D] after the final norm: class token, then patches in raster
    /// order.
    ///
    /// # Errors
    /// Fails if the channels differ.
    pub fn forward(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let mut x = self.embed(pixel_values)?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        Ok(self.layernorm.forward(&x)?)
    }

    /// Pixels [B, 3, H, W] → the last layer's keys [B, 1 + N, D], heads side by side.
    ///
    /// # Errors
    /// Fails if the channels differ, or there is no layer.
    pub fn keys(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let (last, first) = self.layers.split_last().ok_or_else(|| {
            ModelError::Input("ViT config.json: `num_hidden_layers` must be 1 or more".into())
        })?;
        let mut x = self.embed(pixel_values)?;
        for layer in first {
            x = layer.forward(&x)?;
        }
        Ok(last.key.forward(&last.before.forward(&x)?)?)
    }

    fn embed(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let (batch, _, height, width) = pixel_values.dims4()?;
        let (rows, columns) = (height / self.patch, width / self.patch);
        let patches = self.patch_embeddings.forward(pixel_values)?;
        let table = self
            .position_embeddings
            .narrow(1, 1, self.side * self.side)?
            .squeeze(0)?;
        let table = if (rows, columns) == (self.side, self.side) {
            table
        } else {
            resample_positions(&table, self.side, (rows, columns), false)?
                .to_dtype(table.dtype())?
        };
        let class = (&self.cls_token + self.position_embeddings.narrow(1, 0, 1)?)?;
        let class = class.repeat((batch, 1, 1))?;
        Ok(Tensor::cat(&[class, patches.broadcast_add(&table)?], 1)?)
    }
}
