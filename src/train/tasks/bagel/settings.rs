//! The settings of the task `bagel`.

use crate::model::flow_match::FlowMatchConfig;
use crate::train::TrainError;
use crate::train::region::RegionSettings;
use crate::train::samples::{self, Tasks};
use serde::Deserialize;

/// The part of `network` that is not in the checkpoint's configurations.
#[derive(Deserialize)]
pub(super) struct Network {
    /// How noise levels are shifted.
    pub scheduler: FlowMatchConfig,
}

/// `settings` of the task `bagel`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BagelTaskSettings {
    /// How many different samples there are. They come again in the same order.
    pub samples: u64,
    /// The share of batches that are answers about pictures.
    pub understanding: f64,
    /// The share of batches that are edits; what is left are captions.
    pub edits: f64,
    /// The share of signs among the captions.
    #[serde(default = "signs")]
    pub signs: f64,
    /// How often captions are of each of GenEval's tasks.
    #[serde(default)]
    pub tasks: Tasks,
    /// The weight of the loss of answers beside that of pictures.
    #[serde(default = "one")]
    pub text_weight: f64,
    /// The share of batches of pictures without their words, for guidance.
    #[serde(default)]
    pub drop_text: f64,
    /// The share of edits without their picture, for guidance.
    #[serde(default)]
    pub drop_images: f64,
    /// How the loss weighs what an edit changes.
    #[serde(default)]
    pub region: RegionSettings,
}

fn signs() -> f64 {
    samples::SIGN
}

fn one() -> f64 {
    1.0
}

impl BagelTaskSettings {
    /// # Errors
    /// Fails if a share is outside its range. The message names it.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let shares = [
            ("understanding + edits", self.understanding + self.edits),
            ("understanding", self.understanding),
            ("edits", self.edits),
            ("drop_text", self.drop_text),
            ("drop_images", self.drop_images),
        ];
        match shares
            .iter()
            .find(|(_, share)| !(0.0..=1.0).contains(share))
        {
            None => Ok(()),
            Some((key, share)) => Err(TrainError::Definition {
                message: format!("`settings.{key}` is {share}; it must be 0 to 1"),
            }),
        }
    }
}
