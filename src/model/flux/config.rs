//! The fields of a FLUX transformer's `config.json`.

use crate::model::{ModelError, Result};
use serde::Deserialize;

/// The sizes of the network. Missing fields have the defaults of the diffusers class.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct FluxConfig {
    /// Side of a patch of latent cells.
    pub patch_size: usize,
    /// Width of a token of latents.
    pub in_channels: usize,
    /// The same as `in_channels` if absent or null.
    pub out_channels: Option<usize>,
    /// Number of double blocks.
    pub num_layers: usize,
    /// Number of single blocks.
    pub num_single_layers: usize,
    /// Width of an attention head.
    pub attention_head_dim: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Width of the text tokens.
    pub joint_attention_dim: usize,
    /// Width of the pooled prompt.
    pub pooled_projection_dim: usize,
    /// Whether the network requires a guidance scale.
    pub guidance_embeds: bool,
    /// The number of elements of a head that each column of the position ids rotates.
    pub axes_dims_rope: Vec<usize>,
}

impl Default for FluxConfig {
    fn default() -> Self {
        Self {
            patch_size: 1,
            in_channels: 64,
            out_channels: None,
            num_layers: 19,
            num_single_layers: 38,
            attention_head_dim: 128,
            num_attention_heads: 24,
            joint_attention_dim: 4096,
            pooled_projection_dim: 768,
            guidance_embeds: false,
            axes_dims_rope: vec![16, 56, 56],
        }
    }
}

/// Larger sizes are an error, and products of sizes could overflow.
const WIDEST: usize = 1 << 18;
const DEEPEST: usize = 1 << 12;

impl FluxConfig {
    /// Width of the token stream.
    pub fn width(&self) -> usize {
        self.num_attention_heads * self.attention_head_dim
    }

    /// Number of values that the network computes for a token.
    pub fn output(&self) -> usize {
        self.patch_size * self.patch_size * self.out_channels.unwrap_or(self.in_channels)
    }

    /// Checks the sizes.
    ///
    /// # Errors
    /// Fails with [`ModelError::Input`] and the name of the field if a size is impossible.
    pub fn check(&self) -> Result<()> {
        let wrong =
            |message: String| Err(ModelError::Input(format!("FLUX config.json: {message}")));
        for (field, value, most) in [
            ("patch_size", self.patch_size, 64),
            ("in_channels", self.in_channels, WIDEST),
            ("out_channels", self.out_channels.unwrap_or(1), WIDEST),
            ("attention_head_dim", self.attention_head_dim, WIDEST),
            ("num_attention_heads", self.num_attention_heads, WIDEST),
            ("joint_attention_dim", self.joint_attention_dim, WIDEST),
            ("pooled_projection_dim", self.pooled_projection_dim, WIDEST),
        ] {
            if value == 0 || value > most {
                return wrong(format!("`{field}` is {value}; it must be 1 to {most}"));
            }
        }
        for (field, value) in [
            ("num_layers", self.num_layers),
            ("num_single_layers", self.num_single_layers),
        ] {
            if value > DEEPEST {
                return wrong(format!(
                    "`{field}` is {value}; it must be at most {DEEPEST}"
                ));
            }
        }
        let axes = &self.axes_dims_rope;
        let sum = axes
            .iter()
            .fold(0, |sum: usize, &axis| sum.saturating_add(axis));
        if sum != self.attention_head_dim || axes.iter().any(|axis| axis % 2 != 0) {
            return wrong(format!(
                "`axes_dims_rope` is {axes:?}; it must be even numbers whose sum is `attention_head_dim`, {}",
                self.attention_head_dim
            ));
        }
        Ok(())
    }
}
