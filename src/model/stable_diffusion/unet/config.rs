//! `unet/config.json`, in its short form of 2022 and in SDXL's.

use crate::model::{ModelError, Result};
use serde::Deserialize;
use serde_json::Value;

/// One number for all blocks, or one for each.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum PerBlock {
    /// The same number for all blocks.
    Same(usize),
    /// One number for each block, from the picture down.
    Each(Vec<usize>),
}

impl PerBlock {
    /// The number of a block. `None` if the list is too short.
    fn get(&self, block: usize) -> Option<usize> {
        match self {
            Self::Same(number) => Some(*number),
            Self::Each(numbers) => numbers.get(block).copied(),
        }
    }
}

/// The fields of `unet/config.json` that the network needs. Missing fields have the values of diffusers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct UNetConfig {
    /// Number of channels of the latents.
    pub in_channels: usize,
    /// Number of channels of the predicted noise.
    pub out_channels: usize,
    /// Channels of each block, from the picture down.
    pub block_out_channels: Vec<usize>,
    /// Number of residual blocks of a block. On the way up, it is one more.
    pub layers_per_block: usize,
    /// The kinds of the blocks on the way down: `CrossAttnDownBlock2D` or `DownBlock2D`.
    pub down_block_types: Vec<String>,
    /// The kinds of the blocks on the way up: `CrossAttnUpBlock2D` or `UpBlock2D`.
    pub up_block_types: Vec<String>,
    /// The kind of the block in the middle.
    pub mid_block_type: Option<String>,
    /// The number of heads, despite its name.
    pub attention_head_dim: PerBlock,
    /// The number of heads. Published files leave it empty.
    pub num_attention_heads: Option<PerBlock>,
    /// Width of the prompt's states.
    pub cross_attention_dim: usize,
    /// Number of transformer layers of an attention.
    pub transformer_layers_per_block: PerBlock,
    /// Whether the projections around the transformer layers are matrices. Otherwise they are 1 × 1
    /// convolutions.
    pub use_linear_projection: bool,
    /// Number of groups of the group norms.
    pub norm_num_groups: usize,
    /// Epsilon of the group norms in residual blocks.
    pub norm_eps: f64,
    /// Whether the cosines of a time come before its sines.
    pub flip_sin_to_cos: bool,
    /// Shift of the frequencies of a time.
    pub freq_shift: f64,
    /// `text_time` in SDXL.
    pub addition_embed_type: Option<String>,
    /// Width of the sinusoid of each of the six numbers of SDXL.
    pub addition_time_embed_dim: Option<usize>,
    /// Width of SDXL's pooled vector together with the sinusoids.
    pub projection_class_embeddings_input_dim: Option<usize>,
    /// The other fields.
    #[serde(flatten)]
    other: serde_json::Map<String, Value>,
}

impl Default for UNetConfig {
    fn default() -> Self {
        let names = |names: [&str; 4]| names.map(str::to_owned).to_vec();
        let (down, up) = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D");
        Self {
            in_channels: 4,
            out_channels: 4,
            block_out_channels: vec![320, 640, 1280, 1280],
            layers_per_block: 2,
            down_block_types: names([down, down, down, "DownBlock2D"]),
            up_block_types: names(["UpBlock2D", up, up, up]),
            mid_block_type: None,
            attention_head_dim: PerBlock::Same(8),
            num_attention_heads: None,
            cross_attention_dim: 1280,
            transformer_layers_per_block: PerBlock::Same(1),
            use_linear_projection: false,
            norm_num_groups: 32,
            norm_eps: 1e-5,
            flip_sin_to_cos: true,
            freq_shift: 0.0,
            addition_embed_type: None,
            addition_time_embed_dim: None,
            projection_class_embeddings_input_dim: None,
            other: serde_json::Map::new(),
        }
    }
}

/// Fields that change the network in a way that is not supported, each with the values that do not.
const PLAIN: [(&str, &[&str]); 14] = [
    ("act_fn", &["\"silu\"", "\"swish\""]),
    ("center_input_sample", &["false"]),
    ("class_embed_type", &[]),
    ("conv_in_kernel", &["3"]),
    ("conv_out_kernel", &["3"]),
    ("cross_attention_norm", &[]),
    ("downsample_padding", &["1"]),
    ("dual_cross_attention", &["false"]),
    ("encoder_hid_dim_type", &[]),
    ("num_class_embeds", &[]),
    ("only_cross_attention", &["false"]),
    ("resnet_time_scale_shift", &["\"default\""]),
    ("time_cond_proj_dim", &[]),
    ("time_embedding_type", &["\"positional\""]),
];

/// One block of the way down, or the mirrored block of the way up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockShape {
    /// Channels after the block.
    pub channels: usize,
    /// Number of heads of its attentions.
    pub heads: usize,
    /// Number of transformer layers of its attentions.
    pub layers: usize,
}

fn wrong(message: impl std::fmt::Display) -> ModelError {
    ModelError::Input(format!("unet/config.json: {message}"))
}

impl UNetConfig {
    /// The largest factor by which the network halves a picture's sides.
    pub fn reduction(&self) -> usize {
        1 << self.block_out_channels.len().saturating_sub(1)
    }

    /// Width of the embedding of a time.
    pub(super) fn time_width(&self) -> usize {
        4 * self.block_out_channels.first().copied().unwrap_or(0)
    }

    /// Width of the pooled vector of SDXL's kind. `None` for SD 1.5's kind.
    pub fn pooled_width(&self) -> Option<usize> {
        let added = 6 * self.addition_time_embed_dim?;
        self.projection_class_embeddings_input_dim?
            .checked_sub(added)
    }

    /// Whether the network takes SDXL's pooled vector and six numbers.
    pub fn is_xl(&self) -> bool {
        self.addition_embed_type.as_deref() == Some("text_time")
    }

    /// The blocks from the picture down.
    ///
    /// # Errors
    /// Fails if a list is too short, or the heads do not divide the channels.
    pub(super) fn blocks(&self) -> Result<Vec<BlockShape>> {
        let heads = self
            .num_attention_heads
            .as_ref()
            .unwrap_or(&self.attention_head_dim);
        let block = |(i, &channels): (usize, &usize)| {
            let number = |name: &str, per: &PerBlock| {
                per.get(i)
                    .ok_or_else(|| wrong(format!("`{name}` has no number for block {i}")))
            };
            let heads = number("attention_head_dim", heads)?;
            if heads == 0 || channels == 0 || channels % heads != 0 {
                return Err(wrong(format!(
                    "{heads} heads (`attention_head_dim`) do not divide the {channels} channels of block {i}"
                )));
            }
            Ok(BlockShape {
                channels,
                heads,
                layers: number(
                    "transformer_layers_per_block",
                    &self.transformer_layers_per_block,
                )?,
            })
        };
        self.block_out_channels
            .iter()
            .enumerate()
            .map(block)
            .collect()
    }

    /// Checks that the network is of a kind that is supported.
    ///
    /// # Errors
    /// Fails if the network is an inpainting or another variant, and names the field.
    pub(super) fn check(&self) -> Result<()> {
        let count = self.block_out_channels.len();
        if count == 0 || self.layers_per_block == 0 {
            return Err(wrong("`block_out_channels` or `layers_per_block` is empty"));
        }
        if self.down_block_types.len() != count || self.up_block_types.len() != count {
            return Err(wrong(format!(
                "`down_block_types` and `up_block_types` must have {count} names, as `block_out_channels` has numbers"
            )));
        }
        match self.in_channels.checked_sub(self.out_channels) {
            Some(0) => {}
            Some(5) => {
                return Err(wrong(
                    "`in_channels` is 9: this is an inpainting network, which needs a mask; give the folder of the \
                     text-to-image model",
                ));
            }
            _ => {
                return Err(wrong(format!(
                    "`in_channels` = {} must be `out_channels` = {}; networks that edit or upscale a picture have \
                     more",
                    self.in_channels, self.out_channels
                )));
            }
        }
        self.check_kinds()
    }

    fn check_kinds(&self) -> Result<()> {
        for kind in self.down_block_types.iter().chain(&self.up_block_types) {
            attends(kind)?;
        }
        let mid = self.mid_block_type.as_deref();
        if mid.is_some_and(|kind| kind != "UNetMidBlock2DCrossAttn") {
            return Err(wrong(format!(
                "`mid_block_type` = {mid:?} is not supported; it must be `UNetMidBlock2DCrossAttn`"
            )));
        }
        let odd = self.addition_embed_type.as_deref();
        if odd.is_some_and(|kind| kind != "text_time") {
            return Err(wrong(format!(
                "`addition_embed_type` = {odd:?} is not supported; SDXL's is `text_time`"
            )));
        }
        if self.is_xl() && self.pooled_width().is_none() {
            return Err(wrong(
                "`text_time` needs `addition_time_embed_dim` and `projection_class_embeddings_input_dim`",
            ));
        }
        for (name, plain) in PLAIN {
            let Some(value) = self.other.get(name).filter(|value| !value.is_null()) else {
                continue;
            };
            if !plain.contains(&value.to_string().as_str()) {
                return Err(wrong(format!("`{name}` = {value} is not supported")));
            }
        }
        Ok(())
    }
}

/// Whether a block of this kind has attentions.
///
/// # Errors
/// Fails if the kind is unknown.
pub(super) fn attends(kind: &str) -> Result<bool> {
    match kind {
        "CrossAttnDownBlock2D" | "CrossAttnUpBlock2D" => Ok(true),
        "DownBlock2D" | "UpBlock2D" => Ok(false),
        _ => Err(wrong(format!(
            "blocks of the kind `{kind}` are not supported; the networks of SD 1.5, SD 2 and SDXL have \
             `CrossAttnDownBlock2D`, `DownBlock2D`, `CrossAttnUpBlock2D` and `UpBlock2D`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> UNetConfig {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_short_form_of_2022_has_eight_heads_in_every_block() {
        let config = read(r#"{"attention_head_dim": 8, "cross_attention_dim": 768}"#);
        config.check().unwrap();
        let blocks = config.blocks().unwrap();
        assert_eq!(blocks.len(), 4);
        assert!(blocks.iter().all(|block| block.heads == 8));
        assert_eq!(
            (config.time_width(), config.reduction(), config.is_xl()),
            (1280, 8, false)
        );
    }

    #[test]
    fn other_networks_are_refused_by_the_name_of_their_field() {
        for (json, part) in [
            (r#"{"in_channels": 9}"#, "inpainting"),
            (r#"{"in_channels": 8}"#, "`in_channels` = 8"),
            (r#"{"attention_head_dim": 7}"#, "7 heads"),
            (
                r#"{"class_embed_type": "timestep"}"#,
                "`class_embed_type` = \"timestep\"",
            ),
            (
                r#"{"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"}"#,
                "mid_block_type",
            ),
            (r#"{"down_block_types": ["DownBlock2D"]}"#, "4 names"),
            (
                r#"{"addition_embed_type": "text_time"}"#,
                "addition_time_embed_dim",
            ),
        ] {
            let config = read(json);
            let error = config
                .check()
                .and_then(|()| config.blocks().map(drop))
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
