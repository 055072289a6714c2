//! The `qwen-image` generator: Qwen-Image and Qwen-Image-Edit in this process.

mod decode;
mod denoise;
mod pictures;
mod reference;
mod release;
mod released;
mod settings;
mod text;

pub use settings::QwenImageSettings;

use super::error::GenerateError;
use super::kind::Pipeline;
use super::pipeline::{CheckpointFolder, Phase};
use super::place::Precision;
use super::released::ReleasedConfig;
use crate::model::qwen_image::{QwenImageConfig, QwenVaeConfig};
use crate::record::Task;
use pictures::Pictures;
use release::Release;
use std::path::Path;

/// The description of the generator.
pub struct QwenImage;

impl Pipeline for QwenImage {
    const NAME: &'static str = "qwen-image";
    const ABOUT: &'static str =
        "Qwen-Image or Qwen-Image-Edit in this process: from a prompt and pictures to pixels";
    const TASKS: &'static [Task] = &[Task::TextToImage, Task::Edit];
    type Settings = QwenImageSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] = &[
        released::QWEN_IMAGE,
        released::QWEN_IMAGE_EDIT,
        released::QWEN_IMAGE_EDIT_2509,
        released::QWEN_IMAGE_EDIT_2511,
    ];

    fn precision(settings: &QwenImageSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &QwenImageSettings) -> &Path {
        &settings.checkpoint
    }

    fn phases(
        settings: &QwenImageSettings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        let release = Release::of(folder)?;
        let config: QwenImageConfig = folder.config("transformer/config.json")?;
        let vae: QwenVaeConfig = folder.config("vae/config.json")?;
        let pictures = Pictures::new(settings, release);
        let mut phases = vec![text::text_phase(folder, settings, pictures)?];
        if release.edits() {
            let reference = reference::reference_phase(folder, pictures, vae.clone());
            phases.push(reference);
        }
        let cell = vae.scale_factor() as u32;
        phases.push(denoise::denoise_phase(
            folder, settings, pictures, config, cell,
        ));
        phases.push(decode::decode_phase(folder, settings.stored_size, vae));
        Ok(phases)
    }
}
