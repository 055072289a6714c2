//! The vision tower of SigLIP and of SigLIP2 with a fixed resolution, with the keys and the results of
//! `SiglipVisionModel` of transformers, but without its pooling head.
//!
//! Zhai et al., arXiv 2303.15343; Tschannen et al., arXiv 2502.14786.

use super::nn::{
    Activation, EncoderLayer, EncoderShape, LayerNorm, Mask, PatchEmbedding, layer_norm,
};
use super::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};
use serde::Deserialize;

/// The fields of a vision configuration that the tower needs.
#[derive(Debug, Clone, Deserialize)]
pub struct SiglipVisionConfig {
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Side of a picture, in pixels.
    pub image_size: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Number of channels of a picture.
    #[serde(default = "three")]
    pub num_channels: usize,
    /// Activation of the feed-forward.
    #[serde(default = "gelu_tanh")]
    pub hidden_act: Activation,
    /// Epsilon of the layer norms.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f64,
}

/// `config.json` of a repository with both towers, or of the vision tower alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum SiglipConfig {
    /// The configuration of both towers.
    Both {
        /// The vision tower.
        vision_config: SiglipVisionConfig,
    },
    /// The configuration of the vision tower alone.
    Vision(SiglipVisionConfig),
}

impl SiglipConfig {
    /// The configuration of the vision tower.
    pub fn vision(&self) -> &SiglipVisionConfig {
        match self {
            Self::Both { vision_config } => vision_config,
            Self::Vision(config) => config,
        }
    }
}

fn three() -> usize {
    3
}

fn gelu_tanh() -> Activation {
    Activation::GeluTanh
}

fn default_eps() -> f64 {
    1e-6
}

/// The tower.
#[derive(Debug, Clone)]
pub struct SiglipVision {
    patch_embedding: PatchEmbedding,
    /// [N, D]
    position_embedding: Tensor,
    layers: Vec<EncoderLayer>,
    post_layernorm: LayerNorm,
}

impl SiglipVision {
    /// From keys with or without the prefix `vision_model.`.
    ///
    /// # Errors
    /// Fails if a size is zero or does not divide, and when [`Weights::get`] fails.
    pub fn new(config: &SiglipVisionConfig, weights: &Weights) -> Result<Self> {
        let width = config.hidden_size;
        if config.patch_size == 0 {
            return Err(ModelError::Input(
                "SigLIP config.json: `patch_size` must be 1 or more".into(),
            ));
        }
        let shape = EncoderShape {
            hidden_size: width,
            intermediate_size: config.intermediate_size,
            num_attention_heads: config.num_attention_heads,
            hidden_act: config.hidden_act,
            layer_norm_eps: config.layer_norm_eps,
        };
        let weights = if weights.has("embeddings.patch_embedding.weight") {
            weights.clone()
        } else {
            weights.at("vision_model")
        };
        let embeddings = weights.at("embeddings");
        let side = config.image_size / config.patch_size;
        Ok(Self {
            patch_embedding: PatchEmbedding::new(
                &embeddings.at("patch_embedding"),
                config.num_channels,
                width,
                config.patch_size,
                true,
            )?,
            position_embedding: embeddings
                .get("position_embedding.weight", (side * side, width))?,
            layers: (0..config.num_hidden_layers)
                .map(|i| EncoderLayer::new(&shape, &weights.at("encoder.layers").at(i)))
                .collect::<Result<_>>()?,
            post_layernorm: layer_norm(
                &weights.at("post_layernorm"),
                width,
                config.layer_norm_eps,
            )?,
        })
    }

    /// Pixels [B, 3, S, S] → patch tokens [B, N, D] after the final norm, in raster order.
    ///
    /// # Errors
    /// Fails if the pictures are not of the tower's size.
    pub fn forward(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let patches = self.patch_embedding.forward(pixel_values)?;
        let mut x = patches.broadcast_add(&self.position_embedding)?;
        for layer in &self.layers {
            x = layer.forward(&x, Mask::None)?;
        }
        Ok(self.post_layernorm.forward(&x)?)
    }
}
