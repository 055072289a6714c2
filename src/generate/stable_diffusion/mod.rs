//! The `stable-diffusion` generator: text-to-image with Stable Diffusion 1.5, 2 and XL in this process, whose
//! scores on GenEval its authors published.

pub(super) mod decode;
pub(super) mod denoise;
pub(super) mod names;
pub(super) mod noise;
mod released;
mod settings;
mod text;
mod three;
pub(super) mod variant;

pub use settings::{NoiseKind, StableDiffusionSettings};
pub use three::{StableDiffusion3, StableDiffusion3Settings};

use super::error::GenerateError;
use super::kind::Pipeline;
use super::pipeline::{CheckpointFolder, Phase, fatal};
use super::place::Precision;
use super::released::ReleasedConfig;
use crate::model::ModelError;
use crate::model::stable_diffusion::{SdVaeConfig, UNetConfig};
use crate::record::Task;
use std::path::Path;

/// The description of the generator.
pub struct StableDiffusion;

impl Pipeline for StableDiffusion {
    const NAME: &'static str = "stable-diffusion";
    const ABOUT: &'static str =
        "Stable Diffusion 1.5, 2 or XL in this process: from a prompt to pixels";
    const TASKS: &'static [Task] = &[Task::TextToImage];
    type Settings = StableDiffusionSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] =
        &[released::SD_1_5, released::SDXL, released::SDXL_TURBO];

    fn precision(settings: &StableDiffusionSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &StableDiffusionSettings) -> &Path {
        &settings.checkpoint
    }

    /// Guidance takes two evaluations a step.
    fn evaluations(settings: &StableDiffusionSettings) -> Option<usize> {
        let a_step = if settings.guidance_scale > 1.0 { 2 } else { 1 };
        Some(settings.num_inference_steps * a_step)
    }

    fn phases(
        settings: &StableDiffusionSettings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        is_folder_of_parts(folder.path(), "unet")?;
        let unet: UNetConfig = folder.config("unet/config.json")?;
        let vae: SdVaeConfig = folder.config("vae/config.json")?;
        let cell = vae.scale_factor() as u32;
        let variant = settings.variant.as_deref();
        let safety = if settings.safety_checker {
            if unet.is_xl() {
                return Err(GenerateError::fatal(
                    "`safety_checker` is set, but SDXL has no safety checker",
                    "leave out `safety_checker`",
                ));
            }
            Some(decode::Safety::of_folder(folder, variant)?)
        } else {
            None
        };
        Ok(vec![
            text::text_phase(folder, settings, unet.is_xl())?,
            denoise::denoise_phase(folder, settings, unet, cell),
            decode::checked_decode_phase(folder, variant, settings.stored_size, vae, safety),
        ])
    }
}

/// The published folder has a folder for each part. A single file with all parts is named.
fn is_folder_of_parts(checkpoint: &Path, network: &str) -> Result<(), GenerateError> {
    let help = "give the folder as diffusers publishes it, with `model_index.json` and a folder for each part; \
                `from_single_file(...)` and `save_pretrained(...)` of its pipeline write it from a single file";
    if checkpoint.is_file() {
        let message = "this is a single file, but the checkpoint must be a folder with its parts";
        return Err(fatal(ModelError::file(checkpoint, message, help)));
    }
    if checkpoint.is_dir() && !checkpoint.join(network).is_dir() {
        let message = format!("this folder has no `{network}`");
        return Err(fatal(ModelError::file(checkpoint, message, help)));
    }
    Ok(())
}
