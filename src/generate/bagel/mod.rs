//! The `bagel` generator: BAGEL in this process, one transformer that draws and edits pictures and answers in
//! words, with or without thoughts before.

mod contexts;
mod decode;
mod draw;
mod look;
mod place;
mod settings;
mod system;

pub use settings::{BagelSettings, EditSize, Posterior, Think, VitInput};

use self::place::Checkpoint;
use super::error::GenerateError;
use super::kind::Pipeline;
use super::pipeline::{CheckpointFolder, Phase};
use super::place::Precision;
use super::released::{ReleasedConfig, released_configs};
use crate::record::Task;
use std::path::Path;

/// The configurations of the released checkpoint.
const RELEASED: &[ReleasedConfig] = released_configs!(
    "ByteDance-Seed/BAGEL-7B-MoT",
    "llm_config.json" => "bagel/llm_config.json",
    "vit_config.json" => "bagel/vit_config.json",
);

/// The description of the generator.
pub struct Bagel;

impl Pipeline for Bagel {
    const NAME: &'static str = "bagel";
    const ABOUT: &'static str =
        "BAGEL in this process: one transformer from words and pictures to pictures or words";
    const TASKS: &'static [Task] = &[Task::TextToImage, Task::Edit, Task::Understand];
    type Settings = BagelSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] = &[RELEASED];

    fn precision(settings: &BagelSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &BagelSettings) -> &Path {
        &settings.checkpoint
    }

    fn phases(
        settings: &BagelSettings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        let checkpoint = Checkpoint::read(folder)?;
        Ok(vec![
            look::phase(settings, &checkpoint),
            draw::phase(settings, &checkpoint),
            decode::phase(settings, &checkpoint),
        ])
    }
}
