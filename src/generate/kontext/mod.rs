//! The `flux-kontext` generator: edits of a picture with FLUX.1-Kontext-dev in this process.

mod field;
mod reference;
mod settings;

pub use settings::{KontextSettings, NamedOutput, Output};

use super::diffusion::{Denoiser, PictureSettings, TextSettings, picture_phases, text_phase};
use super::error::GenerateError;
use super::kind::Pipeline;
use super::pipeline::{CheckpointFolder, Network, NetworkInfo, Phase};
use super::place::Precision;
use super::released::ReleasedConfig;
use crate::generate::diffusion::FLUX_1_KONTEXT_DEV;
use crate::model::flux::{FluxConfig, FluxTransformer};
use crate::record::Task;
use std::path::Path;

/// The description of the generator.
pub struct Kontext;

impl Pipeline for Kontext {
    const NAME: &'static str = "flux-kontext";
    const ABOUT: &'static str =
        "FLUX.1-Kontext-dev in this process: from an instruction and a picture to pixels";
    const TASKS: &'static [Task] = &[Task::TextToImage, Task::Edit];
    type Settings = KontextSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] = &[FLUX_1_KONTEXT_DEV];

    fn precision(settings: &KontextSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &KontextSettings) -> &Path {
        &settings.checkpoint
    }

    fn evaluations(settings: &KontextSettings) -> Option<usize> {
        Some(settings.num_inference_steps)
    }

    fn phases(
        settings: &KontextSettings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        let text = TextSettings {
            t5_length: Some(settings.max_sequence_length),
            negative: false,
        };
        let picture = PictureSettings {
            num_inference_steps: settings.num_inference_steps,
            guidance_scale: settings.guidance_scale as f32,
            size: settings.output.size(),
            anchor_pixels: 0,
            stored_size: settings.stored_size,
        };
        let config: FluxConfig = folder.config("transformer/config.json")?;
        let token_width = config.in_channels;
        let info = NetworkInfo {
            has_bfl_layout: true,
            ..NetworkInfo::new(
                "FLUX transformer",
                folder.location_of("transformer"),
                folder.dtype(),
            )
        };
        let transformer = Network::new(info, move |weights| FluxTransformer::new(&config, weights));
        let denoiser = Denoiser {
            networks: vec![transformer.any()],
            field: Box::new(field::KontextField(transformer)),
            token_width,
        };
        let reference = reference::reference_phase(settings, folder)?;
        let text = text_phase(folder, text)?;
        let [denoise, decode] = picture_phases(folder, denoiser, Ok(picture))?;
        Ok(vec![reference, text, denoise, decode])
    }
}
