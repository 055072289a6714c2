//! CLIP's vision tower: keys and numbers of `CLIPVisionModel` of transformers.

use crate::model::nn::{
    Activation, EncoderLayer, EncoderShape, LayerNorm, Mask, PatchEmbedding, layer_norm,
};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};
use serde::Deserialize;

/// The fields of a CLIP vision configuration that the tower needs.
#[derive(Debug, Clone, Deserialize)]
pub struct ClipVisionConfig {
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
    #[serde(default = "quick_gelu")]
    pub hidden_act: Activation,
    /// Epsilon of the layer norms.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f64,
}

fn three() -> usize {
    3
}

fn quick_gelu() -> Activation {
    Activation::QuickGelu
}

fn default_eps() -> f64 {
    1e-5
}

/// The tower.
#[derive(Debug, Clone)]
pub struct ClipVision {
    /// `[D]`
    class_embedding: Tensor,
    patch_embedding: PatchEmbedding,
    /// [1 + N, D]
    position_embedding: Tensor,
    // The published files have this spelling.
    pre_layrnorm: LayerNorm,
    layers: Vec<EncoderLayer>,
    post_layernorm: LayerNorm,
    image_size: usize,
}

impl ClipVision {
    /// From keys below `weights`: `embeddings`, `pre_layrnorm`, `encoder.layers`, `post_layernorm`.
    ///
    /// # Errors
    /// Fails if a size is zero or does not divide, and when [`Weights::get`] fails.
    pub fn new(config: &ClipVisionConfig, weights: &Weights) -> Result<Self> {
        let width = config.hidden_size;
        if config.patch_size == 0 {
            return Err(ModelError::Input(
                "CLIP config.json: `patch_size` must be 1 or more".into(),
            ));
        }
        let shape = EncoderShape {
            hidden_size: width,
            intermediate_size: config.intermediate_size,
            num_attention_heads: config.num_attention_heads,
            hidden_act: config.hidden_act,
            layer_norm_eps: config.layer_norm_eps,
        };
        let norm = |name: &str| layer_norm(&weights.at(name), width, config.layer_norm_eps);
        let embeddings = weights.at("embeddings");
        let side = config.image_size / config.patch_size;
        Ok(Self {
            class_embedding: embeddings.get("class_embedding", width)?,
            patch_embedding: PatchEmbedding::new(
                &embeddings.at("patch_embedding"),
                config.num_channels,
                width,
                config.patch_size,
                false,
            )?,
            position_embedding: embeddings
                .get("position_embedding.weight", (1 + side * side, width))?,
            pre_layrnorm: norm("pre_layrnorm")?,
            layers: (0..config.num_hidden_layers)
                .map(|i| EncoderLayer::new(&shape, &weights.at("encoder.layers").at(i)))
                .collect::<Result<_>>()?,
            post_layernorm: norm("post_layernorm")?,
            image_size: config.image_size,
        })
    }

    /// Side of a picture, in pixels.
    pub fn image_size(&self) -> usize {
        self.image_size
    }

    /// Pixels [B, 3, S, S] → [B, D], the class token after the final norm.
    ///
    /// # Errors
    /// Fails if the pictures are not of the tower's size.
    pub fn pooled(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let class = self.encode(pixel_values)?.narrow(1, 0, 1)?.squeeze(1)?;
        Ok(self.post_layernorm.forward(&class)?)
    }

    /// Pixels [B, 3, S, S] → [B, 1 + N, D], all tokens after the final norm, the class token first.
    ///
    /// # Errors
    /// Fails if the pictures are not of the tower's size.
    pub fn tokens(&self, pixel_values: &Tensor) -> Result<Tensor> {
        Ok(self.post_layernorm.forward(&self.encode(pixel_values)?)?)
    }

    /// Pixels [B, 3, S, S] → [B, 1 + N, D], all tokens after the first `layers` layers, without the final
    /// norm.
    ///
    /// # Errors
    /// Fails if the pictures are not of the tower's size.
    pub fn states(&self, pixel_values: &Tensor, layers: usize) -> Result<Tensor> {
        let mut x = self.embed(pixel_values)?;
        for layer in self.layers.iter().take(layers) {
            x = layer.forward(&x, Mask::None)?;
        }
        Ok(x)
    }

    fn encode(&self, pixel_values: &Tensor) -> Result<Tensor> {
        self.states(pixel_values, self.layers.len())
    }

    fn embed(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let (_, _, height, width) = pixel_values.dims4()?;
        if (height, width) != (self.image_size, self.image_size) {
            return Err(ModelError::Input(format!(
                "CLIP requires pictures of {0} × {0} pixels, not {width} × {height}",
                self.image_size
            )));
        }
        let patches = self.patch_embedding.forward(pixel_values)?;
        let (batch, _, width) = patches.dims3()?;
        let class = self.class_embedding.broadcast_as((batch, 1, width))?;
        let tokens = Tensor::cat(&[&class.contiguous()?, &patches], 1)?;
        let tokens = tokens.broadcast_add(&self.position_embedding)?;
        Ok(self.pre_layrnorm.forward(&tokens)?)
    }
}
