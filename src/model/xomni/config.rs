//! X-Omni's `config.json`: the fields of Qwen2, the layers for image tokens only, and `vision_config`.

use crate::model::nn::Activation;
use crate::model::qwen2::LayerShape;
use crate::model::{ModelError, Result, read_config};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The sizes of the autoregressive model, and the places of the other networks.
#[derive(Debug, Clone, Deserialize)]
pub struct XOmniConfig {
    /// Number of tokens of words. An id from this number on is an image token.
    pub vocab_size: usize,
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Number of key and value heads.
    pub num_key_value_heads: usize,
    /// Activation of the feed-forward.
    #[serde(default = "silu")]
    pub hidden_act: Activation,
    /// Epsilon of the norms.
    pub rms_norm_eps: f64,
    /// The base of the rotary angles.
    pub rope_theta: f64,
    /// Length of the longest sequence in the training of the model.
    pub max_position_embeddings: usize,
    #[serde(default)]
    use_sliding_window: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    /// Number of first layers that update only image tokens.
    #[serde(default = "four")]
    pub num_mm_adap_layers: usize,
    /// Number of last layers that update only image tokens.
    #[serde(default = "four")]
    pub num_mm_head_layers: usize,
    /// Number of rows of the table of image tokens, including some that are never drawn.
    #[serde(default = "mm_vocab")]
    pub mm_vocab_size: usize,
    /// Number of codes of the tokenizer, which are the image tokens that can be drawn.
    #[serde(default = "image_vocab")]
    pub image_vocab_size: usize,
    /// The tokens that open a picture, close it, and precede its image tokens.
    #[serde(default = "special_tokens")]
    pub mm_special_tokens: [String; 3],
    #[serde(default)]
    vision_config: Option<VisionConfig>,
}

/// The networks around the autoregressive model.
#[derive(Debug, Clone, Deserialize)]
pub struct VisionConfig {
    /// How pictures are resized.
    #[serde(default)]
    pub transform: Transform,
    /// The tokenizer.
    pub encoder: EncoderConfig,
    /// The diffusion decoder.
    pub decoder: DecoderConfig,
}

/// How a picture is resized to a size that the tokenizer supports.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(default)]
pub struct Transform {
    /// A shorter side below this is scaled up to it.
    pub short_size: u32,
    /// A longer side above this is scaled down to it.
    pub long_size: u32,
    /// Side of a patch, in pixels.
    pub patch_size: u32,
    /// With `filtering`, pictures with a shorter side below this are refused.
    pub min_short_size: u32,
    /// With `filtering`, pictures with a larger ratio of their sides are refused.
    pub max_aspect_ratio: f64,
    /// Whether pictures outside the limits are refused.
    pub filtering: bool,
}

/// The tokenizer.
#[derive(Debug, Clone, Deserialize)]
pub struct EncoderConfig {
    #[serde(default)]
    siglip_name: String,
    /// Files of the vision transformer and of the quantizer, below the checkpoint's folder.
    pub siglip_path: String,
    /// File of the quantizer, below the checkpoint's folder.
    pub projector_path: String,
    /// Width of the decoder's condition, which is that of the vision transformer.
    #[serde(default = "z_channels")]
    pub z_channels: usize,
    /// Number of codes.
    #[serde(default = "image_vocab")]
    pub codebook_size: usize,
    /// Width of a code.
    #[serde(default = "codebook_dim")]
    pub codebook_dim: usize,
    #[serde(default)]
    vit: Option<VitConfig>,
}

/// Sizes of the vision transformer.
#[derive(Debug, Clone, Deserialize)]
pub struct VitConfig {
    /// Width of the token stream.
    pub embed_dim: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Number of attention heads.
    pub num_heads: usize,
    /// Width of the feed-forward.
    pub mlp_dim: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// The side, in pixels, that the table of positions covers.
    pub img_size: usize,
}

/// The diffusion decoder.
#[derive(Debug, Clone, Deserialize)]
pub struct DecoderConfig {
    /// The folder of the decoder, below that of the checkpoint.
    #[serde(default = "model_path")]
    pub model_path: String,
    /// Side, in pixels, of the area of one token.
    pub upscale_factor: u32,
    /// Number of denoising steps.
    #[serde(default)]
    pub num_inference_steps: Option<usize>,
    /// Scale of the guidance by the difference to an empty condition.
    #[serde(default)]
    pub cfg_scale: Option<f32>,
    /// Scale of the guidance by the difference to an empty prompt.
    #[serde(default)]
    pub cfg_scale_2: Option<f32>,
}

fn silu() -> Activation {
    Activation::Silu
}

fn four() -> usize {
    4
}

fn mm_vocab() -> usize {
    16448
}

fn image_vocab() -> usize {
    16384
}

fn special_tokens() -> [String; 3] {
    ["<SOM>", "<EOM>", "<IMAGE>"].map(String::from)
}

fn z_channels() -> usize {
    1536
}

fn codebook_dim() -> usize {
    2048
}

fn model_path() -> String {
    "diffusers".into()
}

impl Default for Transform {
    fn default() -> Self {
        Self {
            short_size: 384,
            long_size: 1152,
            patch_size: 16,
            min_short_size: 128,
            max_aspect_ratio: 3.0,
            filtering: true,
        }
    }
}

impl XOmniConfig {
    /// Reads and checks a checkpoint's `config.json`.
    ///
    /// # Errors
    /// Fails if the file or a field is absent, or sizes do not fit each other. The message names file and
    /// field.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let config: Self = read_config(&path)?;
        let wrong = |message: String| ModelError::config(&path, message);
        config.check().map_err(wrong)?;
        Ok(config)
    }

    /// The networks around the autoregressive model.
    ///
    /// # Errors
    /// Fails if the configuration has none, or the quantizer's codes are not the model's.
    pub fn vision(&self) -> Result<&VisionConfig> {
        let wrong = |message: String| Err(ModelError::Input(format!("config.json: {message}")));
        let Some(vision) = &self.vision_config else {
            return wrong(
                "there is no `vision_config`, which names the tokenizer and the decoder".into(),
            );
        };
        if vision.encoder.codebook_size != self.image_vocab_size {
            return wrong(format!(
                "`vision_config.encoder.codebook_size` is {}, `image_vocab_size` is {}: they must be equal",
                vision.encoder.codebook_size, self.image_vocab_size
            ));
        }
        if vision.transform.patch_size == 0 {
            return wrong("`vision_config.transform.patch_size` is 0".into());
        }
        Ok(vision)
    }

    /// Whether a layer updates all tokens. The other layers update only image tokens.
    pub fn is_language_layer(&self, index: usize) -> bool {
        let end = self.num_hidden_layers - self.num_mm_head_layers;
        (self.num_mm_adap_layers..end).contains(&index)
    }

    /// Whether an id belongs to an image token.
    pub fn is_image(&self, id: u32) -> bool {
        id as usize >= self.vocab_size
    }

    /// The sizes of every layer.
    pub fn layer(&self) -> LayerShape {
        LayerShape {
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            num_attention_heads: self.num_attention_heads,
            num_key_value_heads: self.num_key_value_heads,
            hidden_act: self.hidden_act,
            rms_norm_eps: self.rms_norm_eps,
        }
    }

    /// Checks the sizes, as [`Self::read`] does.
    ///
    /// # Errors
    /// Fails if a size is impossible, with the name of the field.
    pub fn check(&self) -> Result<(), String> {
        for (name, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("image_vocab_size", self.image_vocab_size),
        ] {
            if value == 0 {
                return Err(format!("`{name}` must be positive"));
            }
        }
        let (heads, groups) = (self.num_attention_heads, self.num_key_value_heads);
        if !self.hidden_size.is_multiple_of(2 * heads) || !heads.is_multiple_of(groups) {
            return Err(format!(
                "`hidden_size` {} must split into {heads} heads of even size, `num_attention_heads` into {groups} groups",
                self.hidden_size
            ));
        }
        let (before, after) = (self.num_mm_adap_layers, self.num_mm_head_layers);
        if before.saturating_add(after) >= self.num_hidden_layers {
            return Err(format!(
                "`num_hidden_layers` is {}: `num_mm_adap_layers` {before} and `num_mm_head_layers` {after} leave no layer \
                 for words",
                self.num_hidden_layers
            ));
        }
        if self.image_vocab_size > self.mm_vocab_size {
            return Err(format!(
                "`image_vocab_size` {} is larger than `mm_vocab_size` {}",
                self.image_vocab_size, self.mm_vocab_size
            ));
        }
        if self.rope_theta.is_nan() || self.rope_theta <= 0.0 {
            return Err(format!("`rope_theta` is {}", self.rope_theta));
        }
        if self.use_sliding_window {
            return Err(
                "`use_sliding_window` is true: attention in a sliding window is not supported"
                    .into(),
            );
        }
        if self.tie_word_embeddings {
            return Err(
                "`tie_word_embeddings` is true, but X-Omni has output layers of its own".into(),
            );
        }
        Ok(())
    }
}

impl EncoderConfig {
    /// The sizes of the vision transformer: the given ones, or else those of the published name.
    ///
    /// # Errors
    /// Fails if there are none and the name is not known, or they do not fit the quantizer.
    pub fn vit(&self) -> Result<VitConfig> {
        let wrong = |message: String| {
            Err(ModelError::Input(format!(
                "config.json: `vision_config.encoder`: {message}"
            )))
        };
        let vit = match (&self.vit, self.siglip_name.as_str()) {
            (Some(vit), _) => vit.clone(),
            (None, "siglip2_giant_patch16_384") => VitConfig {
                embed_dim: 1536,
                depth: 40,
                num_heads: 16,
                mlp_dim: 6144,
                patch_size: 16,
                img_size: 2048,
            },
            (None, name) => {
                return wrong(format!(
                    "`siglip_name` is {name:?}; it must be \"siglip2_giant_patch16_384\""
                ));
            }
        };
        if vit.patch_size == 0 || vit.embed_dim != self.z_channels {
            return wrong(format!(
                "`z_channels` is {}, but the vision transformer is {} wide with patches of {} pixels",
                self.z_channels, vit.embed_dim, vit.patch_size
            ));
        }
        Ok(vit)
    }
}
