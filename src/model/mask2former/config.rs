//! `config.json` of a Mask2Former with a Swin backbone.

use crate::model::nn::Activation;
use crate::model::{ModelError, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Number of levels of the backbone, with the strides 4, 8, 16 and 32.
pub(super) const STAGES: usize = 4;

/// The fields that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Mask2FormerConfig {
    /// The Swin backbone.
    pub backbone_config: SwinConfig,
    /// Width of the pixel decoder.
    pub feature_size: usize,
    /// Channels of the map that is multiplied with queries to get masks.
    pub mask_feature_size: usize,
    /// Width of the transformer decoder.
    pub hidden_dim: usize,
    /// Width of the feed-forward in the pixel decoder.
    pub encoder_feedforward_dim: usize,
    /// Width of the feed-forward in the transformer decoder.
    pub dim_feedforward: usize,
    /// Number of layers of the pixel decoder.
    pub encoder_layers: usize,
    /// One more than the number of layers, since the first prediction counts.
    pub decoder_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Number of queries, which is the largest number of objects.
    pub num_queries: usize,
    /// The names of the classes, by their number as text.
    pub id2label: BTreeMap<String, String>,
    #[serde(default)]
    pre_norm: bool,
    #[serde(default)]
    enforce_input_projection: bool,
    #[serde(default = "four")]
    common_stride: usize,
    #[serde(default = "relu")]
    activation_function: Activation,
}

/// The fields of a Swin backbone.
#[derive(Debug, Clone, Deserialize)]
pub struct SwinConfig {
    /// Width of the first stage.
    pub embed_dim: usize,
    /// Number of blocks of each stage.
    pub depths: Vec<usize>,
    /// Number of attention heads of each stage.
    pub num_heads: Vec<usize>,
    /// Side of an attention window, in patches.
    pub window_size: usize,
    /// Width of the feed-forward, in multiples of the stage's width.
    pub mlp_ratio: f64,
    /// Side of a patch, in pixels.
    #[serde(default = "four")]
    pub patch_size: usize,
    /// Activation of the feed-forward.
    #[serde(default = "gelu")]
    pub hidden_act: Activation,
    /// Epsilon of the layer norms.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f64,
    #[serde(default = "yes")]
    qkv_bias: bool,
    #[serde(default)]
    use_absolute_embeddings: bool,
}

fn four() -> usize {
    4
}

fn relu() -> Activation {
    Activation::Relu
}

fn gelu() -> Activation {
    Activation::Gelu
}

fn default_eps() -> f64 {
    1e-5
}

fn yes() -> bool {
    true
}

impl Mask2FormerConfig {
    /// Number of classes, without the class for no object.
    pub fn num_labels(&self) -> usize {
        self.id2label.len()
    }

    /// The name of a class.
    pub fn label(&self, number: usize) -> Option<&str> {
        self.id2label.get(&number.to_string()).map(String::as_str)
    }

    /// # Errors
    /// Fails if sizes do not fit each other, or the configuration is of a form that no published checkpoint
    /// has.
    pub fn check(&self) -> Result<()> {
        let swin = &self.backbone_config;
        let heads = self.num_attention_heads;
        let divides = |part: usize, whole: usize| part > 0 && whole.is_multiple_of(part);
        let wrong = [
            (self.pre_norm, "`pre_norm` must be false"),
            (
                self.enforce_input_projection || self.feature_size != self.hidden_dim,
                "`feature_size` must equal `hidden_dim`, and `enforce_input_projection` must be false",
            ),
            (
                self.common_stride != 4 || swin.patch_size != 4,
                "`common_stride` and `patch_size` must be 4",
            ),
            (
                self.activation_function != Activation::Relu,
                "`activation_function` must be relu",
            ),
            (
                !swin.qkv_bias || swin.use_absolute_embeddings,
                "`qkv_bias` must be true, and `use_absolute_embeddings` must be false",
            ),
            (
                swin.depths.len() != STAGES || swin.num_heads.len() != STAGES,
                "`depths` and `num_heads` must have four entries",
            ),
            (swin.window_size == 0, "`window_size` must be 1 or more"),
            (
                !(swin.num_heads.iter().enumerate()).all(|(i, &n)| divides(n, swin.embed_dim << i)),
                "`num_heads` must divide the widths of the stages",
            ),
            (
                !divides(heads, self.hidden_dim) || !self.hidden_dim.is_multiple_of(4),
                "`num_attention_heads` and 4 must divide `hidden_dim`",
            ),
            (
                self.decoder_layers == 0 || self.num_queries == 0 || self.id2label.is_empty(),
                "`decoder_layers`, `num_queries` and `id2label` must not be empty",
            ),
        ];
        match wrong.iter().find(|(wrong, _)| *wrong) {
            Some((_, message)) => Err(ModelError::Input(format!(
                "Mask2Former config.json: {message}"
            ))),
            None => Ok(()),
        }
    }
}
