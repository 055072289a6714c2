//! CLIP as open_clip publishes it: its configuration, and the places of the tensors of [`super::Clip`] in its
//! files.

use super::{ClipConfig, ClipTextConfig, ClipVisionConfig};
use crate::model::nn::Activation;
use crate::model::weights::{Held, Piece};
use serde::Deserialize;

/// `open_clip_config.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct OpenClipConfig {
    /// The configuration of the model.
    pub model_cfg: OpenClipModelConfig,
}

/// open_clip's model configuration.
#[derive(Debug, Clone, Deserialize)]
pub struct OpenClipModelConfig {
    /// Width of the space that pictures and texts share.
    pub embed_dim: usize,
    /// Whether the activation is the quick GELU.
    #[serde(default)]
    pub quick_gelu: bool,
    /// The vision tower.
    pub vision_cfg: Vision,
    /// The text tower.
    pub text_cfg: Text,
}

/// The vision transformer.
#[derive(Debug, Clone, Deserialize)]
pub struct Vision {
    /// Side of a picture, in pixels.
    #[serde(default = "pixels")]
    pub image_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Width of the token stream.
    pub width: usize,
    /// Width of an attention head.
    #[serde(default = "sixty_four")]
    pub head_width: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Width of the feed-forward, in multiples of the token stream.
    #[serde(default = "four")]
    pub mlp_ratio: f64,
}

/// The text transformer.
#[derive(Debug, Clone, Deserialize)]
pub struct Text {
    /// Length of a text, in tokens.
    #[serde(default = "words")]
    pub context_length: usize,
    /// Number of tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of the token stream.
    pub width: usize,
    /// Number of attention heads.
    pub heads: usize,
    /// Number of layers.
    pub layers: usize,
    /// Width of the feed-forward, in multiples of the token stream.
    #[serde(default = "four")]
    pub mlp_ratio: f64,
}

fn pixels() -> usize {
    224
}

fn sixty_four() -> usize {
    64
}

fn words() -> usize {
    77
}

fn four() -> f64 {
    4.0
}

impl From<&OpenClipModelConfig> for ClipConfig {
    fn from(config: &OpenClipModelConfig) -> Self {
        let (vision, text) = (&config.vision_cfg, &config.text_cfg);
        let hidden_act = if config.quick_gelu {
            Activation::QuickGelu
        } else {
            Activation::Gelu
        };
        Self {
            projection_dim: config.embed_dim,
            vision_config: ClipVisionConfig {
                hidden_size: vision.width,
                intermediate_size: (vision.width as f64 * vision.mlp_ratio) as usize,
                num_hidden_layers: vision.layers,
                num_attention_heads: vision.width / vision.head_width.max(1),
                image_size: vision.image_size,
                patch_size: vision.patch_size,
                num_channels: 3,
                hidden_act,
                layer_norm_eps: 1e-5,
            },
            text_config: ClipTextConfig {
                vocab_size: text.vocab_size,
                hidden_size: text.width,
                intermediate_size: (text.width as f64 * text.mlp_ratio) as usize,
                num_hidden_layers: text.layers,
                num_attention_heads: text.heads,
                max_position_embeddings: text.context_length,
                hidden_act,
                layer_norm_eps: 1e-5,
                // The end token is the largest id.
                eos_token_id: 2,
            },
        }
    }
}

/// The place of a tensor of [`super::Clip`] in a file.
pub(super) fn stored_place(name: &str) -> Option<Held> {
    if name == "logit_scale" {
        return Some(Held::whole(name));
    }
    if let Some(rest) = name.strip_prefix("vision_model.") {
        let held = vision(rest)?;
        return Some(Held {
            name: format!("visual.{}", held.name),
            ..held
        });
    }
    let transposed = |name: &str| Held {
        name: name.into(),
        piece: Piece::Transposed,
    };
    let name = match name {
        "visual_projection.weight" => return Some(transposed("visual.proj")),
        "text_projection.weight" => return Some(transposed("text_projection")),
        _ => name.strip_prefix("text_model.")?,
    };
    if let Some(rest) = name.strip_prefix("encoder.layers.") {
        return block(rest);
    }
    let (module, leaf) = name.rsplit_once('.')?;
    Some(Held::whole(match module {
        "embeddings.token_embedding" => format!("token_embedding.{leaf}"),
        "embeddings.position_embedding" => "positional_embedding".into(),
        "final_layer_norm" => format!("ln_final.{leaf}"),
        _ => return None,
    }))
}

/// The place of a tensor of [`ClipVision`](super::ClipVision) in a file, below `visual.`.
pub fn vision(name: &str) -> Option<Held> {
    if let Some(rest) = name.strip_prefix("encoder.layers.") {
        return block(rest);
    }
    let (module, leaf) = name.rsplit_once('.')?;
    Some(Held::whole(match (module, leaf) {
        ("embeddings", "class_embedding") => "class_embedding".into(),
        ("embeddings.patch_embedding", _) => format!("conv1.{leaf}"),
        ("embeddings.position_embedding", _) => "positional_embedding".into(),
        ("pre_layrnorm", _) => format!("ln_pre.{leaf}"),
        ("post_layernorm", _) => format!("ln_post.{leaf}"),
        _ => return None,
    }))
}

/// `3.self_attn.k_proj.bias` and so on.
fn block(name: &str) -> Option<Held> {
    let (number, rest) = name.split_once('.')?;
    let (module, leaf) = rest.rsplit_once('.')?;
    let at = |name: &str| format!("transformer.resblocks.{number}.{name}");
    let fused = |part| Some(Held::rows(at(&format!("attn.in_proj_{leaf}")), part, 3));
    Some(Held::whole(match module {
        "layer_norm1" => at(&format!("ln_1.{leaf}")),
        "layer_norm2" => at(&format!("ln_2.{leaf}")),
        "self_attn.q_proj" => return fused(0),
        "self_attn.k_proj" => return fused(1),
        "self_attn.v_proj" => return fused(2),
        "self_attn.out_proj" => at(&format!("attn.out_proj.{leaf}")),
        "mlp.fc1" => at(&format!("mlp.c_fc.{leaf}")),
        "mlp.fc2" => at(&format!("mlp.c_proj.{leaf}")),
        _ => return None,
    }))
}
