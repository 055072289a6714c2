//! `config.json` of a CLIP-FlanT5: that of a T5, with fields that say how pictures are read.

use crate::model::clip::ClipVisionConfig;
use crate::model::t5::T5Config;
use crate::model::{ModelError, Result};
use serde::Deserialize;

/// The fields that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct ClipFlanT5Config {
    /// The fields of the T5.
    #[serde(flatten)]
    pub t5: T5Config,
    /// Width of the vision tower's states.
    pub mm_hidden_size: usize,
    /// `linear`, `mlpNx_gelu` or `identity`.
    #[serde(default = "linear")]
    pub mm_projector_type: String,
    /// Which states of the vision tower are used: 0 before the first layer, −1 after the last.
    pub mm_vision_select_layer: i64,
    /// Which tokens of the vision tower are used.
    #[serde(default)]
    pub mm_vision_select_feature: Feature,
}

/// Which tokens of the vision tower are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Those of the patches.
    #[default]
    Patch,
    /// The class token and then those of the patches.
    ClsPatch,
}

fn linear() -> String {
    "linear".into()
}

impl ClipFlanT5Config {
    /// Linear layers of the projector.
    pub(super) fn projector_layers(&self) -> Result<usize> {
        let name = self.mm_projector_type.as_str();
        let depth = name
            .strip_prefix("mlp")
            .and_then(|rest| rest.strip_suffix("x_gelu"));
        match (name, depth.map(str::parse)) {
            ("linear", _) => Ok(1),
            ("identity", _) => Ok(0),
            (_, Some(Ok(layers))) if layers > 0 => Ok(layers),
            _ => Err(ModelError::Input(format!(
                "CLIP-FlanT5 config.json: `mm_projector_type` = {name:?} is not known; it must be linear, mlpNx_gelu or identity"
            ))),
        }
    }

    /// The number of layers of the vision tower, of `layers`, before the states that are used.
    pub(super) fn vision_depth(&self, layers: usize) -> Result<usize> {
        let chosen = self.mm_vision_select_layer;
        let from_end = layers as i64 + 1 + chosen;
        let depth = if chosen < 0 { from_end } else { chosen };
        usize::try_from(depth)
            .ok()
            .filter(|depth| *depth <= layers)
            .ok_or_else(|| {
                ModelError::Input(format!(
                    "CLIP-FlanT5 config.json: `mm_vision_select_layer` = {chosen}, but the vision tower has {layers} layers"
                ))
            })
    }
}

/// A vision tower's `config.json`: of a whole CLIP, or of the tower alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum TowerConfig {
    Clip { vision_config: ClipVisionConfig },
    Tower(ClipVisionConfig),
}

impl TowerConfig {
    pub(super) fn vision(&self) -> &ClipVisionConfig {
        match self {
            Self::Clip { vision_config } => vision_config,
            Self::Tower(config) => config,
        }
    }
}
