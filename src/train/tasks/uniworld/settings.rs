//! The settings of the task `uniworld`.

use crate::train::region::RegionSettings;
use crate::train::samples::{self, Tasks};
use serde::Deserialize;

/// `settings` of the task `uniworld`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UniworldSettings {
    /// How many different samples there are. They come again in the same order.
    pub samples: u64,
    /// The share of batches that are edits; the others are captions.
    pub edits: f64,
    /// The share of signs among the captions.
    #[serde(default = "signs")]
    pub signs: f64,
    /// How often captions are of each of GenEval's tasks.
    #[serde(default)]
    pub tasks: Tasks,
    /// What looks at the reference pictures.
    #[serde(default)]
    pub encoder: Encoder,
    /// Whether the language model sees the reference pictures.
    #[serde(default = "yes")]
    pub vlm_sees_images: bool,
    /// How the loss weighs what an edit changes.
    #[serde(default)]
    pub region: RegionSettings,
}

fn signs() -> f64 {
    samples::SIGN
}

fn yes() -> bool {
    true
}

/// The reference encoder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Encoder {
    /// The language model alone sees the pictures.
    #[default]
    None,
    /// SigLIP's vision tower.
    Siglip,
    /// DINOv2.
    Dinov2,
}
