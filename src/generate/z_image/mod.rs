//! The `z-image` generator: text-to-image with Z-Image and Z-Image-Turbo in this process.

mod denoise;
mod released;
mod settings;
mod text;

pub use settings::ZImageSettings;

use super::error::GenerateError;
use super::kind::Pipeline;
use super::pipeline::{CheckpointFolder, Phase};
use super::place::Precision;
use super::released::ReleasedConfig;
use super::stable_diffusion::decode::decode_phase;
use crate::model::stable_diffusion::SdVaeConfig;
use crate::model::z_image::ZImageConfig;
use crate::record::Task;
use std::path::Path;

/// The description of the generator.
pub struct ZImage;

impl Pipeline for ZImage {
    const NAME: &'static str = "z-image";
    const ABOUT: &'static str = "Z-Image or Z-Image-Turbo in this process: from a prompt to pixels";
    const TASKS: &'static [Task] = &[Task::TextToImage];
    type Settings = ZImageSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] = &[released::Z_IMAGE_TURBO];

    fn precision(settings: &ZImageSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &ZImageSettings) -> &Path {
        &settings.checkpoint
    }

    /// Guidance takes two evaluations a step.
    fn evaluations(settings: &ZImageSettings) -> Option<usize> {
        let a_step = if settings.guidance_scale > 0.0 { 2 } else { 1 };
        Some(settings.num_inference_steps * a_step)
    }

    fn phases(
        settings: &ZImageSettings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        let config: ZImageConfig = folder.config("transformer/config.json")?;
        let vae: SdVaeConfig = folder.config("vae/config.json")?;
        let cell = vae.scale_factor() as u32;
        Ok(vec![
            text::text_phase(folder, settings)?,
            denoise::denoise_phase(folder, settings, config, cell),
            decode_phase(folder, None, settings.stored_size, vae),
        ])
    }
}
