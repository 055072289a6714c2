//! DINOv2 with and without registers, with the keys and the results of `Dinov2Model` and
//! `Dinov2WithRegistersModel` of transformers.
//!
//! Oquab et al., arXiv 2304.07193; Darcet et al., arXiv 2309.16588.

use super::nn::{
    Activation, LayerNorm, Linear, Mask, PatchEmbedding, attention, join_heads, layer_norm, linear,
    resample_positions, split_heads,
};
use super::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};
use serde::Deserialize;

/// The fields of `config.json` that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Dinov2Config {
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Width of the feed-forward, in multiples of the token stream.
    #[serde(default = "four")]
    pub mlp_ratio: f64,
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
    /// The giant model's feed-forward.
    #[serde(default)]
    pub use_swiglu_ffn: bool,
    /// Absent in the form without registers.
    #[serde(default)]
    pub num_register_tokens: usize,
}

fn four() -> f64 {
    4.0
}

fn three() -> usize {
    3
}

fn gelu() -> Activation {
    Activation::Gelu
}

fn default_eps() -> f64 {
    1e-6
}

fn yes() -> bool {
    true
}

impl Dinov2Config {
    fn check(&self) -> Result<()> {
        let heads = self.num_attention_heads;
        if heads == 0 || !self.hidden_size.is_multiple_of(heads) || self.patch_size == 0 {
            return Err(ModelError::Input(format!(
                "DINOv2 config.json: `num_attention_heads` = {heads} must divide `hidden_size` = {}, and `patch_size` \
                 be 1 or more",
                self.hidden_size
            )));
        }
        Ok(())
    }

    /// Number of patches along a native side.
    fn side(&self) -> usize {
        self.image_size / self.patch_size
    }
}

/// The network.
#[derive(Debug, Clone)]
pub struct Dinov2 {
    patch_embeddings: PatchEmbedding,
    cls_token: Tensor,
    /// [1, 1 + side², D]
    position_embeddings: Tensor,
    register_tokens: Option<Tensor>,
    layers: Vec<Layer>,
    layernorm: LayerNorm,
    side: usize,
    patch: usize,
}

#[derive(Debug, Clone)]
struct Layer {
    norm1: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    dense: Linear,
    layer_scale1: Tensor,
    norm2: LayerNorm,
    mlp: Mlp,
    layer_scale2: Tensor,
    heads: usize,
}

#[derive(Debug, Clone)]
enum Mlp {
    Plain(Linear, Activation, Linear),
    /// silu(first half) · second half.
    SwiGlu(Linear, Linear),
}

impl Mlp {
    fn new(config: &Dinov2Config, weights: &Weights) -> Result<Self> {
        let width = config.hidden_size;
        let inner = (width as f64 * config.mlp_ratio) as usize;
        if config.use_swiglu_ffn {
            let inner = (inner * 2 / 3).div_ceil(8) * 8;
            return Ok(Self::SwiGlu(
                linear(&weights.at("weights_in"), width, 2 * inner, true)?,
                linear(&weights.at("weights_out"), inner, width, true)?,
            ));
        }
        Ok(Self::Plain(
            linear(&weights.at("fc1"), width, inner, true)?,
            config.hidden_act,
            linear(&weights.at("fc2"), inner, width, true)?,
        ))
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Plain(fc1, activation, fc2) => fc2.forward(&activation.apply(&fc1.forward(x)?)?),
            Self::SwiGlu(weights_in, weights_out) => {
                weights_out.forward(&candle_nn::ops::swiglu(&weights_in.forward(x)?)?)
            }
        }
    }
}

impl Layer {
    fn new(config: &Dinov2Config, weights: &Weights) -> Result<Self> {
        let width = config.hidden_size;
        let own = weights.at("attention.attention");
        let project = |name: &str| linear(&own.at(name), width, width, config.qkv_bias);
        let norm = |name: &str| layer_norm(&weights.at(name), width, config.layer_norm_eps);
        Ok(Self {
            norm1: norm("norm1")?,
            query: project("query")?,
            key: project("key")?,
            value: project("value")?,
            dense: linear(&weights.at("attention.output.dense"), width, width, true)?,
            layer_scale1: weights.get("layer_scale1.lambda1", width)?,
            norm2: norm("norm2")?,
            mlp: Mlp::new(config, &weights.at("mlp"))?,
            layer_scale2: weights.get("layer_scale2.lambda1", width)?,
            heads: config.num_attention_heads,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let normed = self.norm1.forward(x)?;
        let heads = |layer: &Linear| split_heads(&layer.forward(&normed)?, self.heads);
        let (q, k, v) = (heads(&self.query)?, heads(&self.key)?, heads(&self.value)?);
        let scale = 1.0 / (q.dim(3)? as f64).sqrt();
        let seen = join_heads(&attention(&q, &k, &v, scale, Mask::None)?)?;
        let x = (x + self
            .dense
            .forward(&seen)?
            .broadcast_mul(&self.layer_scale1)?)?;
        let hidden = self.mlp.forward(&self.norm2.forward(&x)?)?;
        x + hidden.broadcast_mul(&self.layer_scale2)?
    }
}

impl Dinov2 {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if sizes do not divide, and when [`Weights::get`] fails.
    pub fn new(config: &Dinov2Config, weights: &Weights) -> Result<Self> {
        config.check()?;
        let (width, side) = (config.hidden_size, config.side());
        let weights = if weights.has("dinov2.embeddings.cls_token") {
            weights.at("dinov2")
        } else {
            weights.clone()
        };
        let embeddings = weights.at("embeddings");
        let registers = config.num_register_tokens;
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
            register_tokens: (registers > 0)
                .then(|| embeddings.get("register_tokens", (1, registers, width)))
                .transpose()?,
            layers: (0..config.num_hidden_layers)
                .map(|i| Layer::new(config, &weights.at("encoder.layer").at(i)))
                .collect::<Result<_>>()?,
            layernorm: layer_norm(&weights.at("layernorm"), width, config.layer_norm_eps)?,
            side,
            patch: config.patch_size,
        })
    }

    /// Pixels [B, 3, H, W] → states [B, 1 + R + N, D] after the final norm: class token, registers, patches
    /// in raster order.
    ///
    /// # Errors
    /// Fails if the channels differ.
    pub fn forward(&self, pixel_values: &Tensor) -> Result<Tensor> {
        self.states(pixel_values, self.patch_embeddings.forward(pixel_values)?)
    }

    /// The same as [`Self::forward`], but with hidden patches, as in training. Where `mask` [B, N, 1] is 1,
    /// `token` [1, D] replaces the patch.
    ///
    /// # Errors
    /// Fails when [`Self::forward`] fails, and if the mask has another shape.
    pub fn forward_masked(
        &self,
        pixel_values: &Tensor,
        mask: &Tensor,
        token: &Tensor,
    ) -> Result<Tensor> {
        let patches = self.patch_embeddings.forward(pixel_values)?;
        let shown = patches.broadcast_mul(&(1.0 - mask)?)?;
        let hidden = mask.broadcast_mul(&token.unsqueeze(0)?)?;
        self.states(pixel_values, (shown + hidden)?)
    }

    /// The states of patches [B, N, D], before their positions are added.
    fn states(&self, pixel_values: &Tensor, patches: Tensor) -> Result<Tensor> {
        let (batch, _, height, width) = pixel_values.dims4()?;
        let grid = (height / self.patch, width / self.patch);
        let patches = patches.broadcast_add(&self.positions(grid)?)?;
        let class = (&self.cls_token + self.position_embeddings.narrow(1, 0, 1)?)?;
        let mut parts = vec![class.repeat((batch, 1, 1))?];
        if let Some(registers) = &self.register_tokens {
            parts.push(registers.repeat((batch, 1, 1))?);
        }
        parts.push(patches);
        let mut x = Tensor::cat(&parts, 1)?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        Ok(self.layernorm.forward(&x)?)
    }

    /// Positions of the patches [N, D], resampled if the grid is not the native square. The form with
    /// registers smooths if the grid becomes smaller.
    fn positions(&self, (rows, columns): (usize, usize)) -> Result<Tensor> {
        let table = self
            .position_embeddings
            .narrow(1, 1, self.side * self.side)?
            .squeeze(0)?;
        if rows == columns && rows == self.side {
            return Ok(table);
        }
        let antialias = self.register_tokens.is_some();
        let resampled = resample_positions(&table, self.side, (rows, columns), antialias)?;
        Ok(resampled.to_dtype(table.dtype())?)
    }
}
