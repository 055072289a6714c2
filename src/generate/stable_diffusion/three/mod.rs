//! The `stable-diffusion-3` generator: text-to-image with Stable Diffusion 3.5 in this process.

mod denoise;
mod settings;
mod text;

pub use settings::StableDiffusion3Settings;

use super::{decode, is_folder_of_parts, released};
use crate::generate::error::GenerateError;
use crate::generate::kind::Pipeline;
use crate::generate::pipeline::{CheckpointFolder, Phase};
use crate::generate::place::Precision;
use crate::generate::released::ReleasedConfig;
use crate::model::sd3::Sd3Config;
use crate::model::stable_diffusion::SdVaeConfig;
use crate::record::Task;
use std::path::Path;

/// The description of the generator.
pub struct StableDiffusion3;

impl Pipeline for StableDiffusion3 {
    const NAME: &'static str = "stable-diffusion-3";
    const ABOUT: &'static str =
        "Stable Diffusion 3 or 3.5 in this process: from a prompt to pixels";
    const TASKS: &'static [Task] = &[Task::TextToImage];
    type Settings = StableDiffusion3Settings;
    const RELEASED: &'static [&'static [ReleasedConfig]] = &[
        released::SD_3_5_MEDIUM,
        released::SD_3_5_LARGE,
        released::SD_3_5_LARGE_TURBO,
    ];

    fn precision(settings: &StableDiffusion3Settings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &StableDiffusion3Settings) -> &Path {
        &settings.checkpoint
    }

    /// Guidance takes two evaluations a step.
    fn evaluations(settings: &StableDiffusion3Settings) -> Option<usize> {
        let a_step = if settings.guidance_scale > 1.0 { 2 } else { 1 };
        Some(settings.num_inference_steps * a_step)
    }

    fn phases(
        settings: &StableDiffusion3Settings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        is_folder_of_parts(folder.path(), "transformer")?;
        let config: Sd3Config = folder.config("transformer/config.json")?;
        let vae: SdVaeConfig = folder.config("vae/config.json")?;
        let cell = vae.scale_factor() as u32;
        let variant = settings.variant.as_deref();
        Ok(vec![
            text::text_phase(folder, settings)?,
            denoise::denoise_phase(folder, settings, config, cell),
            decode::decode_phase(folder, variant, settings.stored_size, vae),
        ])
    }
}
