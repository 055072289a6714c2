//! The configuration, in the form of transformers or in that of the authors.

use crate::model::nn::Activation;
use crate::model::qwen2::LayerShape;
use crate::model::{ModelError, Result, read_config};
use serde::Deserialize;
use std::path::Path;

/// The sizes of the picture tower. Missing fields have the released values.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct VisionConfig {
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Number of channels after the neck.
    pub output_channels: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Number of channels of a picture.
    pub num_channels: usize,
    /// Side of a picture in pixels.
    pub image_size: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Activation of the feed-forward.
    pub hidden_act: Activation,
    /// Epsilon of the layer norms.
    pub layer_norm_eps: f64,
    /// Whether queries, keys and values have a bias.
    pub qkv_bias: bool,
    /// Whether patches have absolute positions.
    pub use_abs_pos: bool,
    /// Whether attention uses relative positions.
    pub use_rel_pos: bool,
    /// Side of an attention window, in patches.
    pub window_size: usize,
    /// The layers whose attention has no windows.
    pub global_attn_indexes: Vec<usize>,
    /// Width of the feed-forward.
    pub mlp_dim: usize,
}

impl Default for VisionConfig {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            output_channels: 256,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            num_channels: 3,
            image_size: 1024,
            patch_size: 16,
            hidden_act: Activation::Gelu,
            layer_norm_eps: 1e-6,
            qkv_bias: true,
            use_abs_pos: true,
            use_rel_pos: true,
            window_size: 14,
            global_attn_indexes: vec![2, 5, 8, 11],
            mlp_dim: 3072,
        }
    }
}

impl VisionConfig {
    /// Number of patches along a side.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size.max(1)
    }
}

/// Sizes of the language model, a Qwen2.
#[derive(Debug, Clone, Deserialize)]
pub struct TextConfig {
    /// Number of tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    #[serde(default)]
    num_key_value_heads: Option<usize>,
    #[serde(default = "silu")]
    hidden_act: Activation,
    #[serde(default = "eps")]
    rms_norm_eps: f64,
    #[serde(default)]
    rope_theta: Option<f64>,
    #[serde(default)]
    rope_parameters: Option<Rope>,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct Rope {
    rope_theta: f64,
}

fn silu() -> Activation {
    Activation::Silu
}

fn eps() -> f64 {
    1e-6
}

fn yes() -> bool {
    true
}

impl TextConfig {
    /// The sizes of a layer.
    pub fn layer(&self) -> LayerShape {
        LayerShape {
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            num_attention_heads: self.num_attention_heads,
            num_key_value_heads: self.num_key_value_heads.unwrap_or(self.num_attention_heads),
            hidden_act: self.hidden_act,
            rms_norm_eps: self.rms_norm_eps,
        }
    }

    /// The base of the rotary frequencies.
    pub fn rope_theta(&self) -> f64 {
        let newer = self.rope_parameters.as_ref().map(|rope| rope.rope_theta);
        newer.or(self.rope_theta).unwrap_or(1e6)
    }

    /// Width of a head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Whether the output layer is the token table.
    pub fn tied(&self) -> bool {
        self.tie_word_embeddings
    }
}

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct GotConfig {
    /// The picture tower.
    pub vision: VisionConfig,
    /// The language model.
    pub text: TextConfig,
    /// The token that a vector of a picture replaces.
    pub image_token: u32,
    /// Number of vectors of a picture.
    pub image_tokens: usize,
}

/// `config.json` of transformers' checkpoints.
#[derive(Deserialize)]
struct Nested {
    text_config: TextConfig,
    #[serde(default)]
    vision_config: VisionConfig,
    #[serde(alias = "image_token_id")]
    image_token_index: u32,
    image_seq_length: usize,
}

/// `config.json` of the authors' checkpoint, which does not describe the picture tower.
#[derive(Deserialize)]
struct Flat {
    #[serde(flatten)]
    text: TextConfig,
    #[serde(default = "image_patch")]
    im_patch_token: u32,
    #[serde(default = "image_length")]
    image_token_len: usize,
}

fn image_patch() -> u32 {
    151_859
}

fn image_length() -> usize {
    256
}

impl GotConfig {
    /// Reads either form.
    ///
    /// # Errors
    /// Fails if the file is absent or a field is missing, or the sizes do not fit each other.
    pub fn read(path: &Path) -> Result<Self> {
        let plain: serde_json::Value = read_config(path)?;
        let wrong = |error: serde_json::Error| ModelError::config(path, error.to_string());
        let config = if plain.get("text_config").is_some() {
            let nested: Nested = serde_json::from_value(plain).map_err(wrong)?;
            Self {
                vision: nested.vision_config,
                text: nested.text_config,
                image_token: nested.image_token_index,
                image_tokens: nested.image_seq_length,
            }
        } else {
            let flat: Flat = serde_json::from_value(plain).map_err(wrong)?;
            Self {
                vision: VisionConfig::default(),
                text: flat.text,
                image_token: flat.im_patch_token,
                image_tokens: flat.image_token_len,
            }
        };
        config
            .problem()
            .map_or(Ok(()), |problem| Err(ModelError::config(path, problem)))?;
        Ok(config)
    }

    fn problem(&self) -> Option<String> {
        let (vision, text) = (&self.vision, &self.text);
        let divides = |part: usize, whole: usize| part > 0 && whole.is_multiple_of(part);
        if !divides(vision.num_attention_heads, vision.hidden_size)
            || !divides(text.num_attention_heads, text.hidden_size)
            || !divides(text.layer().num_key_value_heads, text.num_attention_heads)
        {
            return Some(
                "a number of attention heads does not divide the width of its layers".into(),
            );
        }
        if vision.window_size == 0 || !divides(vision.patch_size, vision.image_size) {
            return Some("`window_size` is 0 or `patch_size` does not divide `image_size`".into());
        }
        // Two convolutions of stride 2.
        let side = vision.grid().div_ceil(2).div_ceil(2);
        (side * side != self.image_tokens).then(|| {
            format!(
                "a picture becomes {} vectors, but `image_seq_length` is {}",
                side * side,
                self.image_tokens
            )
        })
    }
}
