//! `config.json` of a CLIP with both towers.

use super::{ClipTextConfig, ClipVisionConfig};
use serde::Deserialize;

/// The fields of a CLIP `config.json` that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct ClipConfig {
    /// Width of the space that pictures and texts share.
    pub projection_dim: usize,
    /// The text tower.
    pub text_config: ClipTextConfig,
    /// The vision tower.
    pub vision_config: ClipVisionConfig,
}
