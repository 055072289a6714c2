//! The `qwen-vl` generator: Qwen2.5-VL or Qwen3-VL answers questions about pictures in this process.

mod answer;
mod settings;

pub use settings::QwenVlSettings;

use super::error::GenerateError;
use super::kind::Pipeline;
use super::pipeline::{CheckpointFolder, Phase};
use super::place::Precision;
use super::released::ReleasedConfig;
use crate::record::Task;
use std::path::Path;

/// The description of the generator.
pub struct QwenVl;

impl Pipeline for QwenVl {
    const NAME: &'static str = "qwen-vl";
    const ABOUT: &'static str =
        "Qwen2.5-VL or Qwen3-VL in this process: answers questions about pictures";
    const TASKS: &'static [Task] = &[Task::Understand];
    type Settings = QwenVlSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] = &[&[
        ReleasedConfig {
            repo: "Qwen/Qwen2.5-VL-7B-Instruct",
            path: "config.json",
            text: include_str!("../../../configs/released/qwen2.5-vl-7b.json"),
        },
        ReleasedConfig {
            repo: "Qwen/Qwen3-VL-8B-Instruct",
            path: "config.json",
            text: include_str!("../../../configs/released/qwen3-vl-8b.json"),
        },
    ]];

    fn precision(settings: &QwenVlSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &QwenVlSettings) -> &Path {
        &settings.checkpoint
    }

    fn phases(
        settings: &QwenVlSettings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        Ok(vec![answer::phase(settings, folder)?])
    }
}
