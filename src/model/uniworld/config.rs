//! `config.json` of a UniWorld checkpoint: that of Qwen2.5-VL with a `denoise_tower`.

use crate::model::flux::FluxConfig;
use crate::model::qwen2_5_vl::Qwen2_5VlConfig;
use crate::model::{ModelError, Result, read_config};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// Id of `<|vision_end|>` in Qwen2.5-VL's vocabulary, for configurations that name neither it nor
/// `image_end_token_id`.
const VISION_END: u32 = 151_653;

/// A UniWorld configuration.
#[derive(Debug, Clone)]
pub struct UniWorldConfig {
    /// The configuration of the language model.
    pub vlm: Qwen2_5VlConfig,
    /// The configuration of the denoiser and its projectors.
    pub denoise_tower: DenoiseTower,
    /// The token directly after reference features.
    pub vision_end: u32,
}

/// The part of the configuration that only UniWorld has.
#[derive(Debug, Clone, Deserialize)]
pub struct DenoiseTower {
    /// J, the width of FLUX's text branch.
    pub output_hidden_size: usize,
    /// The configuration of the FLUX transformer.
    pub denoiser_config: FluxConfig,
}

#[derive(Deserialize)]
struct Own {
    denoise_tower: DenoiseTower,
    #[serde(default)]
    image_end_token_id: Option<u32>,
    #[serde(default)]
    vision_end_token_id: Option<u32>,
}

impl UniWorldConfig {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// Fails if it cannot be read or lacks a field.
    pub fn read(path: &Path) -> Result<Self> {
        let json: Value = read_config(path)?;
        Self::parse(&json).map_err(|error| ModelError::config(path, error.to_string()))
    }

    /// From the contents of a `config.json`.
    ///
    /// # Errors
    /// Fails if it lacks a field.
    pub fn parse(json: &Value) -> std::result::Result<Self, serde_json::Error> {
        let own = Own::deserialize(json)?;
        Ok(Self {
            vlm: Qwen2_5VlConfig::deserialize(json)?,
            denoise_tower: own.denoise_tower,
            vision_end: own
                .image_end_token_id
                .or(own.vision_end_token_id)
                .unwrap_or(VISION_END),
        })
    }
}
