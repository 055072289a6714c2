//! Qwen2.5-VL's `config.json`, in the flat form of the hub and in the newer form with `text_config`.

use crate::model::nn::Activation;
use crate::model::qwen2::LayerShape;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Sizes of the whole model.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Qwen2_5VlConfig {
    /// The language model.
    pub text: TextConfig,
    /// The vision tower.
    pub vision: VisionConfig,
    /// The token that represents one merged patch of an image.
    pub image_token_id: u32,
    /// Whether the output layer is the token table.
    pub tie_word_embeddings: bool,
}

/// Sizes of the language model.
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
    /// Activation of the feed-forward.
    #[serde(default = "silu")]
    pub hidden_act: Activation,
    /// Epsilon of the norms.
    #[serde(default = "epsilon")]
    pub rms_norm_eps: f64,
    #[serde(default)]
    use_sliding_window: Option<bool>,
    #[serde(default)]
    tie_word_embeddings: Option<bool>,
    #[serde(default)]
    rope_theta: Option<f64>,
    #[serde(default)]
    rope_scaling: Option<Rope>,
    #[serde(default)]
    rope_parameters: Option<Rope>,
}

/// The sizes of the vision tower. Missing fields have the values of the 7B model.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct VisionConfig {
    /// Number of blocks.
    pub depth: usize,
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Activation of the feed-forward.
    pub hidden_act: Activation,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Number of attention heads.
    pub num_heads: usize,
    /// Number of channels of a picture.
    #[serde(alias = "in_chans")]
    pub in_channels: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Number of patches along the side of a token.
    pub spatial_merge_size: usize,
    /// Number of frames of a patch.
    pub temporal_patch_size: usize,
    /// Side of an attention window in pixels.
    pub window_size: usize,
    /// Width of the vectors for the language model.
    pub out_hidden_size: usize,
    /// The blocks that attend to the whole image.
    pub fullatt_block_indexes: Vec<usize>,
}

#[derive(Debug, Clone, Deserialize)]
struct Rope {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    rope_type: Option<String>,
    #[serde(default)]
    rope_theta: Option<f64>,
    #[serde(default)]
    mrope_section: Option<Vec<usize>>,
}

/// The document as written. The fields of the text model are in `text_config` or at the top.
#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    text_config: Option<TextConfig>,
    #[serde(default)]
    vision_config: VisionConfig,
    #[serde(default)]
    image_token_id: Option<u32>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

const IMAGE_PAD: u32 = 151_655;

fn silu() -> Activation {
    Activation::Silu
}

fn epsilon() -> f64 {
    1e-6
}

impl Default for VisionConfig {
    fn default() -> Self {
        Self {
            depth: 32,
            hidden_size: 3584,
            hidden_act: Activation::Silu,
            intermediate_size: 3420,
            num_heads: 16,
            in_channels: 3,
            patch_size: 14,
            spatial_merge_size: 2,
            temporal_patch_size: 2,
            window_size: 112,
            out_hidden_size: 3584,
            fullatt_block_indexes: vec![7, 15, 23, 31],
        }
    }
}

impl TryFrom<Raw> for Qwen2_5VlConfig {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let tied = raw.rest.get("tie_word_embeddings").and_then(Value::as_bool);
        let text = match raw.text_config {
            Some(text) => text,
            None => serde_json::from_value(Value::Object(raw.rest)).map_err(|e| e.to_string())?,
        };
        text.check()?;
        raw.vision_config.check()?;
        if raw.vision_config.out_hidden_size != text.hidden_size {
            return Err(format!(
                "vision_config.out_hidden_size is {}, hidden_size is {}: they must be equal",
                raw.vision_config.out_hidden_size, text.hidden_size
            ));
        }
        Ok(Self {
            image_token_id: raw.image_token_id.unwrap_or(IMAGE_PAD),
            // Some versions wrote the field only inside `text_config`.
            tie_word_embeddings: tied.unwrap_or(false) || text.tie_word_embeddings.unwrap_or(false),
            vision: raw.vision_config,
            text,
        })
    }
}

impl TextConfig {
    /// Number of key heads. By default, it is the number of query heads.
    pub fn kv_heads(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    /// Width of an attention head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// The sizes of every layer.
    pub fn layer(&self) -> LayerShape {
        LayerShape {
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            num_attention_heads: self.num_attention_heads,
            num_key_value_heads: self.kv_heads(),
            hidden_act: self.hidden_act,
            rms_norm_eps: self.rms_norm_eps,
        }
    }

    fn ropes(&self) -> impl Iterator<Item = &Rope> {
        self.rope_parameters.iter().chain(&self.rope_scaling)
    }

    /// The base of the rotary angles.
    pub fn theta(&self) -> f64 {
        let inner = self.ropes().find_map(|rope| rope.rope_theta);
        inner.or(self.rope_theta).unwrap_or(1e6)
    }

    /// The number of rotary angles for each row of positions.
    pub fn sections(&self) -> Vec<usize> {
        let named = self.ropes().find_map(|rope| rope.mrope_section.clone());
        named.unwrap_or_else(|| vec![16, 24, 24])
    }

    fn check(&self) -> Result<(), String> {
        positive(&[
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.kv_heads()),
        ])?;
        let (heads, kv_heads) = (self.num_attention_heads, self.kv_heads());
        if !self.hidden_size.is_multiple_of(2 * heads) || !heads.is_multiple_of(kv_heads) {
            return Err(format!(
                "hidden_size {} must split into {heads} heads of even size, num_attention_heads into {kv_heads} groups",
                self.hidden_size
            ));
        }
        let plain = |kind: &str| matches!(kind, "mrope" | "default");
        for rope in self.ropes() {
            let kinds = [&rope.kind, &rope.rope_type];
            if let Some(kind) = kinds.into_iter().flatten().find(|kind| !plain(kind)) {
                return Err(format!(
                    "rotary embeddings of type `{kind}` are not supported"
                ));
            }
        }
        let half = self.head_dim() / 2;
        if self.sections().iter().sum::<usize>() != half {
            return Err(format!(
                "mrope_section {:?} must sum to half the head size, {half}",
                self.sections()
            ));
        }
        if self.theta().is_nan() || self.theta() <= 0.0 {
            return Err(format!("rope_theta is {}", self.theta()));
        }
        if self.use_sliding_window == Some(true) {
            return Err(
                "use_sliding_window is true: attention in a sliding window is not supported".into(),
            );
        }
        Ok(())
    }
}

impl VisionConfig {
    /// Number of values in one flattened patch.
    pub fn patch_values(&self) -> usize {
        self.in_channels * self.temporal_patch_size * self.patch_size * self.patch_size
    }

    /// Number of patches that become one token.
    pub fn merged(&self) -> usize {
        self.spatial_merge_size * self.spatial_merge_size
    }

    /// Side of an attention window in merged patches.
    pub fn window(&self) -> usize {
        self.window_size / self.spatial_merge_size / self.patch_size
    }

    fn check(&self) -> Result<(), String> {
        positive(&[
            ("vision_config.hidden_size", self.hidden_size),
            ("vision_config.intermediate_size", self.intermediate_size),
            ("vision_config.num_heads", self.num_heads),
            ("vision_config.in_channels", self.in_channels),
            ("vision_config.patch_size", self.patch_size),
            ("vision_config.spatial_merge_size", self.spatial_merge_size),
            (
                "vision_config.temporal_patch_size",
                self.temporal_patch_size,
            ),
        ])?;
        if !self.hidden_size.is_multiple_of(4 * self.num_heads) {
            return Err(format!(
                "vision_config.hidden_size {} must split into {} heads of a size that 4 divides",
                self.hidden_size, self.num_heads
            ));
        }
        if self.window() == 0 {
            return Err(format!(
                "vision_config.window_size {} is smaller than one merged patch",
                self.window_size
            ));
        }
        Ok(())
    }
}

fn positive(fields: &[(&str, usize)]) -> Result<(), String> {
    match fields.iter().find(|(_, value)| *value == 0) {
        Some((name, _)) => Err(format!("{name} must be positive")),
        None => Ok(()),
    }
}
