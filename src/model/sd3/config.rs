//! `transformer/config.json` of Stable Diffusion 3 and 3.5.

use crate::model::nn::JointShape;
use crate::model::{ModelError, Result};
use serde::Deserialize;

/// The fields of `transformer/config.json` that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Sd3Config {
    /// Number of channels of the latents.
    pub in_channels: usize,
    /// Number of channels of the velocity. Null means `in_channels`.
    #[serde(default)]
    pub out_channels: Option<usize>,
    /// Number of cells along the side of a token.
    pub patch_size: usize,
    /// Number of blocks.
    pub num_layers: usize,
    /// Width of an attention head.
    pub attention_head_dim: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Width of the prompt's states.
    pub joint_attention_dim: usize,
    /// Width of the embedded prompt, which is that of the tokens.
    pub caption_projection_dim: usize,
    /// Width of the pooled prompt.
    pub pooled_projection_dim: usize,
    /// Side of the table of positions, in tokens.
    pub pos_embed_max_size: usize,
    /// Blocks with a second attention, of the picture alone.
    #[serde(default)]
    pub dual_attention_layers: Vec<usize>,
    /// `rms_norm`, or null for SD3 medium.
    #[serde(default)]
    pub qk_norm: Option<String>,
}

impl Sd3Config {
    /// Width of the tokens.
    pub fn width(&self) -> usize {
        self.attention_head_dim * self.num_attention_heads
    }

    /// The sizes of every attention.
    pub(super) fn joint(&self) -> JointShape {
        JointShape {
            head: self.attention_head_dim,
            heads: self.num_attention_heads,
            is_normed: self.qk_norm.is_some(),
        }
    }

    /// Number of channels of the velocity.
    pub fn output(&self) -> usize {
        self.out_channels.unwrap_or(self.in_channels)
    }

    /// # Errors
    /// Fails if the sizes do not fit, or the norm of queries and keys is unknown.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |message: String| {
            Err(ModelError::Input(format!(
                "transformer/config.json: {message}"
            )))
        };
        if self.width() == 0 || self.patch_size == 0 || self.pos_embed_max_size == 0 {
            return wrong("a size is 0".into());
        }
        if self.caption_projection_dim != self.width() {
            return wrong(format!(
                "`caption_projection_dim` = {} must be the width of the tokens, {}",
                self.caption_projection_dim,
                self.width()
            ));
        }
        match self.qk_norm.as_deref() {
            None | Some("rms_norm") => Ok(()),
            Some(other) => wrong(format!(
                "`qk_norm` = `{other}` is not supported; it must be `rms_norm` or null"
            )),
        }
    }
}
