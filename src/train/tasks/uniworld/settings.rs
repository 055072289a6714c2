//! The settings of the task `uniworld`.

use crate::prompts::ProbeLesson;
use crate::train::region::RegionSettings;
use crate::train::samples::{self, Tasks};
use crate::world::random::Random;
use serde::Deserialize;
use std::collections::BTreeMap;

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
    /// The shares of batches of edits that are lessons of the probes. Together they are at most 1.
    #[serde(default)]
    pub lessons: BTreeMap<ProbeLesson, f64>,
}

impl UniworldSettings {
    /// The lesson of a batch of edits, if it is one of the probes. Without lessons, no random number is used, so
    /// that trainings without them stay as they are.
    pub(super) fn lesson(&self, random: &mut Random) -> Option<ProbeLesson> {
        if self.lessons.is_empty() {
            return None;
        }
        let mut left = random.below(SHARES) as f64 / SHARES as f64;
        self.lessons.iter().find_map(|(lesson, share)| {
            left -= share;
            (left < 0.0).then_some(*lesson)
        })
    }
}

/// The number of different shares that are told apart.
const SHARES: usize = 1 << 20;

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
    /// The latents of FLUX's own VAE, each with its place.
    Vae,
}
