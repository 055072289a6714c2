//! BAGEL's `llm_config.json` and `vit_config.json`.

use crate::model::nn::Activation;
use crate::model::siglip::SiglipVisionConfig;
use crate::model::{ModelError, Result, read_config};
use serde::Deserialize;
use std::path::Path;

/// The sizes of the networks. Those that are in neither file, such as the sides of the position tables, are
/// read from the tensors.
#[derive(Debug, Clone, Deserialize)]
pub struct BagelConfig {
    /// The decoder (`llm_config.json`).
    #[serde(rename = "llm_config")]
    pub llm: LlmConfig,
    /// The vision transformer (`vit_config.json`).
    #[serde(rename = "vit_config")]
    pub vit: SiglipVisionConfig,
    /// The sizes of latents where no tensor shows them. No published file has them.
    #[serde(default)]
    pub latents: LatentShape,
}

/// The sizes of latents, which are constants in the authors' code.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentShape {
    /// Side of the table of positions. `max_latent_size` of the published `config.json` says otherwise.
    pub side: usize,
    /// Width of a token, which is four times the number of latent channels.
    pub token_width: usize,
}

impl Default for LatentShape {
    fn default() -> Self {
        Self {
            side: 64,
            token_width: 64,
        }
    }
}

/// The fields of `llm_config.json` that the decoder needs.
#[derive(Debug, Clone, Deserialize)]
pub struct LlmConfig {
    /// Number of tokens.
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
    /// Epsilon of all norms, also of those of queries and keys.
    pub rms_norm_eps: f64,
    /// The base of the rotary angles.
    pub rope_theta: f64,
    #[serde(default)]
    use_sliding_window: bool,
}

fn silu() -> Activation {
    Activation::Silu
}

impl BagelConfig {
    /// Reads and checks the two files of a checkpoint's folder.
    ///
    /// # Errors
    /// Fails if a file or a field is absent, or sizes do not fit each other. The message names file and
    /// field.
    pub fn read(folder: &Path) -> Result<Self> {
        let [llm, vit] = ["llm_config.json", "vit_config.json"].map(|name| folder.join(name));
        let config = Self {
            llm: read_config(&llm)?,
            vit: read_config(&vit)?,
            latents: LatentShape::default(),
        };
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |message: String| ModelError::config(&path, message)
        };
        config.llm.check().map_err(wrong(&llm))?;
        check_vit(&config.vit).map_err(wrong(&vit))?;
        Ok(config)
    }

    /// Checks the sizes, as [`Self::read`] does.
    ///
    /// # Errors
    /// Fails if a size is impossible, with the name of the field.
    pub fn check(&self) -> Result<(), String> {
        self.llm.check()?;
        check_vit(&self.vit)
    }
}

impl LlmConfig {
    /// Width of a head.
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads.max(1)
    }

    fn check(&self) -> Result<(), String> {
        for (name, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
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
        if self.rope_theta.is_nan() || self.rope_theta <= 0.0 {
            return Err(format!("`rope_theta` is {}", self.rope_theta));
        }
        if self.use_sliding_window {
            return Err(
                "`use_sliding_window` is true: attention in a sliding window is not supported"
                    .into(),
            );
        }
        Ok(())
    }
}

fn check_vit(vit: &SiglipVisionConfig) -> Result<(), String> {
    for (name, value) in [
        ("hidden_size", vit.hidden_size),
        ("num_hidden_layers", vit.num_hidden_layers),
        ("patch_size", vit.patch_size),
        ("num_channels", vit.num_channels),
    ] {
        if value == 0 {
            return Err(format!("`{name}` must be positive"));
        }
    }
    Ok(())
}
