//! Qwen3-VL's `config.json`, as the hub has it: the language model below `text_config`.

use crate::model::nn::Activation;
use serde::Deserialize;
use serde_json::Value;

/// Sizes of the whole model.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Qwen3VlConfig {
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
    /// Number of key and value heads.
    pub num_key_value_heads: usize,
    /// Width of an attention head, which is not the width of the stream over the heads.
    #[serde(default = "head_dim")]
    pub head_dim: usize,
    /// Activation of the feed-forward.
    #[serde(default = "silu")]
    pub hidden_act: Activation,
    /// Epsilon of the norms.
    #[serde(default = "epsilon")]
    pub rms_norm_eps: f64,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    tie_word_embeddings: Option<bool>,
    #[serde(default)]
    rope_theta: Option<f64>,
    #[serde(default)]
    rope_scaling: Option<Rope>,
    #[serde(default)]
    rope_parameters: Option<Rope>,
}

/// The sizes of the vision tower.
#[derive(Debug, Clone, Deserialize)]
pub struct VisionConfig {
    /// Number of blocks.
    pub depth: usize,
    /// Width of the token stream.
    pub hidden_size: usize,
    /// Activation of the blocks. The mergers have the exact GELU.
    #[serde(default = "tanh")]
    pub hidden_act: Activation,
    /// Width of the feed-forward.
    pub intermediate_size: usize,
    /// Number of attention heads.
    pub num_heads: usize,
    /// Number of channels of a picture.
    #[serde(default = "three")]
    pub in_channels: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Number of patches along the side of a token.
    #[serde(default = "two")]
    pub spatial_merge_size: usize,
    /// Number of frames of a patch.
    #[serde(default = "two")]
    pub temporal_patch_size: usize,
    /// Width of the vectors for the language model.
    pub out_hidden_size: usize,
    /// Number of rows of the table of positions, which is a square.
    pub num_position_embeddings: usize,
    /// The blocks after which features leave the tower for the first layers of the language model.
    pub deepstack_visual_indexes: Vec<usize>,
}

#[derive(Debug, Clone, Deserialize)]
struct Rope {
    #[serde(default)]
    rope_theta: Option<f64>,
    #[serde(default)]
    mrope_section: Option<Vec<usize>>,
    #[serde(default)]
    mrope_interleaved: Option<bool>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    model_type: String,
    text_config: Value,
    vision_config: VisionConfig,
    image_token_id: u32,
    #[serde(default)]
    tie_word_embeddings: Option<bool>,
}

fn head_dim() -> usize {
    128
}

fn silu() -> Activation {
    Activation::Silu
}

fn tanh() -> Activation {
    Activation::GeluTanh
}

fn epsilon() -> f64 {
    1e-6
}

fn three() -> usize {
    3
}

fn two() -> usize {
    2
}

impl TryFrom<Raw> for Qwen3VlConfig {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let experts = raw.text_config.get("num_experts");
        if raw.model_type.contains("moe") || experts.is_some_and(|count| !count.is_null()) {
            return Err(
                "this is a Qwen3-VL with a mixture of experts (30B-A3B or 235B-A22B), which is not supported; the \
                 dense models have 2B to 32B parameters"
                    .into(),
            );
        }
        let text: TextConfig = serde_json::from_value(raw.text_config)
            .map_err(|error| format!("text_config: {error}"))?;
        text.check()?;
        raw.vision_config.check()?;
        if raw.vision_config.out_hidden_size != text.hidden_size {
            return Err(format!(
                "vision_config.out_hidden_size is {}, hidden_size is {}: they must be equal",
                raw.vision_config.out_hidden_size, text.hidden_size
            ));
        }
        if raw.vision_config.deepstack_visual_indexes.len() > text.num_hidden_layers {
            return Err("deepstack_visual_indexes has more numbers than there are layers".into());
        }
        let tied = raw.tie_word_embeddings.or(text.tie_word_embeddings);
        Ok(Self {
            image_token_id: raw.image_token_id,
            tie_word_embeddings: tied.unwrap_or(false),
            vision: raw.vision_config,
            text,
        })
    }
}

impl TextConfig {
    fn ropes(&self) -> impl Iterator<Item = &Rope> {
        self.rope_parameters.iter().chain(&self.rope_scaling)
    }

    /// The base of the rotary angles.
    pub fn theta(&self) -> f64 {
        let inner = self.ropes().find_map(|rope| rope.rope_theta);
        inner.or(self.rope_theta).unwrap_or(5e6)
    }

    /// For each rotary frequency the row of positions that it reads: time, height or width. Of every three
    /// frequencies the second is the height's and the third the width's, as long as their sections last.
    pub(super) fn rows(&self) -> Vec<usize> {
        let sections = self.ropes().find_map(|rope| rope.mrope_section.clone());
        let sections = sections.unwrap_or_else(|| vec![24, 20, 20]);
        let last = |row: usize| 3 * sections.get(row).copied().unwrap_or(0);
        let row = |frequency: usize| match frequency % 3 {
            row @ (1 | 2) if frequency < last(row) => row,
            _ => 0,
        };
        (0..self.head_dim / 2).map(row).collect()
    }

    fn check(&self) -> Result<(), String> {
        let (heads, kv_heads) = (self.num_attention_heads, self.num_key_value_heads);
        if heads == 0 || kv_heads == 0 || !heads.is_multiple_of(kv_heads) {
            return Err(format!(
                "num_attention_heads {heads} must split into num_key_value_heads {kv_heads} groups"
            ));
        }
        if self.head_dim == 0 || !self.head_dim.is_multiple_of(2) {
            return Err(format!("head_dim {} must be even", self.head_dim));
        }
        if self.attention_bias {
            return Err("attention_bias is true, which is not supported".into());
        }
        if self
            .ropes()
            .any(|rope| rope.mrope_interleaved == Some(false))
        {
            return Err("mrope_interleaved is false, which is not supported".into());
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

    /// Side of the table of positions.
    pub(super) fn side(&self) -> usize {
        self.num_position_embeddings.isqrt()
    }

    fn check(&self) -> Result<(), String> {
        if self.num_heads == 0 || !self.hidden_size.is_multiple_of(4 * self.num_heads) {
            return Err(format!(
                "vision_config.hidden_size {} must split into {} heads of a size that 4 divides",
                self.hidden_size, self.num_heads
            ));
        }
        let side = self.side();
        if side == 0 || side * side != self.num_position_embeddings {
            return Err(format!(
                "vision_config.num_position_embeddings {} is not a square",
                self.num_position_embeddings
            ));
        }
        if self.spatial_merge_size == 0 {
            return Err("vision_config.spatial_merge_size must be positive".into());
        }
        let beyond = self.deepstack_visual_indexes.iter();
        match beyond.copied().find(|&index| index >= self.depth) {
            Some(index) => Err(format!(
                "vision_config.deepstack_visual_indexes has {index}, but there are {} blocks",
                self.depth
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config() -> Value {
        json!({
            "model_type": "qwen3_vl", "image_token_id": 9,
            "text_config": {"vocab_size": 20, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 2,
                "num_attention_heads": 2, "num_key_value_heads": 1,
                "rope_scaling": {"mrope_section": [24, 20, 20], "mrope_interleaved": true}},
            "vision_config": {"depth": 2, "hidden_size": 8, "intermediate_size": 8, "num_heads": 2, "patch_size": 2,
                "out_hidden_size": 8, "num_position_embeddings": 4, "deepstack_visual_indexes": [0]},
        })
    }

    #[test]
    fn sections_interleave() {
        let config: Qwen3VlConfig = serde_json::from_value(config()).unwrap();
        let rows = config.text.rows();
        assert_eq!(rows.len(), 64);
        assert_eq!(rows[..7], [0, 1, 2, 0, 1, 2, 0]);
        // 3 · 20 frequencies interleave, and the rest is the time's.
        assert_eq!(rows[57..], [0, 1, 2, 0, 0, 0, 0]);
        let count = |row: usize| rows.iter().filter(|own| **own == row).count();
        assert_eq!([count(0), count(1), count(2)], [24, 20, 20]);
    }

    #[test]
    fn a_mixture_of_experts_is_refused_by_name() {
        let mut experts = config();
        experts["text_config"]["num_experts"] = json!(128);
        let error = serde_json::from_value::<Qwen3VlConfig>(experts).unwrap_err();
        assert!(error.to_string().contains("mixture of experts"), "{error}");
        let mut odd = config();
        odd["vision_config"]["num_position_embeddings"] = json!(5);
        let error = serde_json::from_value::<Qwen3VlConfig>(odd).unwrap_err();
        assert!(error.to_string().contains("not a square"), "{error}");
    }
}
