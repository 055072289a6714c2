//! The `flux` generator: text-to-image with FLUX.1-dev and FLUX.1-schnell in this process, the baseline of
//! other systems.

mod settings;

pub use settings::FluxSettings;

use super::diffusion::{
    Denoiser, FLUX_1_DEV, FLUX_1_SCHNELL, FluxField, PictureSettings, Size, TextSettings,
    picture_phases, text_phase,
};
use super::error::GenerateError;
use super::kind::Pipeline;
use super::pipeline::{CheckpointFolder, Network, NetworkInfo, Phase};
use super::place::Precision;
use super::released::ReleasedConfig;
use crate::model::flux::{FluxConfig, FluxTransformer};
use crate::record::Task;
use std::path::Path;

/// The description of the generator.
pub struct Flux;

impl Pipeline for Flux {
    const NAME: &'static str = "flux";
    const ABOUT: &'static str =
        "FLUX.1-dev or FLUX.1-schnell in this process: from a prompt to pixels";
    const TASKS: &'static [Task] = &[Task::TextToImage];
    type Settings = FluxSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] = &[FLUX_1_DEV, FLUX_1_SCHNELL];

    fn precision(settings: &FluxSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &FluxSettings) -> &Path {
        &settings.checkpoint
    }

    fn evaluations(settings: &FluxSettings) -> Option<usize> {
        Some(settings.num_inference_steps)
    }

    fn phases(
        settings: &FluxSettings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        let text = TextSettings {
            t5_length: Some(settings.max_sequence_length),
            negative: false,
        };
        let picture = PictureSettings {
            num_inference_steps: settings.num_inference_steps,
            guidance_scale: settings.guidance_scale as f32,
            size: Size::Pixels(settings.size),
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
            field: Box::new(FluxField(transformer)),
            token_width,
        };
        let text = text_phase(folder, text)?;
        let [denoise, decode] = picture_phases(folder, denoiser, Ok(picture))?;
        Ok(vec![text, denoise, decode])
    }
}
