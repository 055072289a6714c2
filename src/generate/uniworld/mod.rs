//! The `uniworld` generator: UniWorld-V1 in this process, which answers a prompt and pictures with a picture
//! or words.

mod layout;
mod prompt;
mod reference;
mod settings;

pub use settings::UniWorldSettings;

use self::layout::{FLUX, OWN};
use super::diffusion::{
    Denoiser, FLUX_1_DEV, FluxField, PictureSettings, TextSettings, picture_phases, text_phase,
};
use super::error::GenerateError;
use super::kind::Pipeline;
use super::pipeline::{CheckpointFolder, Network, NetworkInfo, Phase, fatal};
use super::place::Precision;
use super::released::ReleasedConfig;
use crate::model::flux::FluxTransformer;
use crate::model::uniworld::UniWorldConfig;
use crate::record::Task;
use std::path::Path;

/// The configurations of UniWorld-V1 and of its reference encoder.
const RELEASED: &[ReleasedConfig] = &[
    ReleasedConfig {
        repo: "LanguageBind/UniWorld-V1",
        path: "config.json",
        text: include_str!("../../../configs/released/uniworld-v1.json"),
    },
    ReleasedConfig {
        repo: "google/siglip2-so400m-patch16-512",
        path: "config.json",
        text: include_str!("../../../configs/released/siglip2-so400m-patch16-512.json"),
    },
];

/// The description of the generator.
pub struct UniWorld;

impl Pipeline for UniWorld {
    const NAME: &'static str = "uniworld";
    const ABOUT: &'static str =
        "UniWorld-V1 in this process: from a prompt and pictures to pixels or words";
    const TASKS: &'static [Task] = &[Task::TextToImage, Task::Edit, Task::Understand];
    type Settings = UniWorldSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] = &[RELEASED, FLUX_1_DEV];

    fn precision(settings: &UniWorldSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &UniWorldSettings) -> &Path {
        &settings.checkpoint
    }

    fn beside(settings: &UniWorldSettings) -> Vec<(&'static str, &Path)> {
        let reference = &settings.reference;
        [
            ("reference.checkpoint", &reference.checkpoint),
            ("reference.projector", &reference.projector),
        ]
        .into_iter()
        .filter_map(|(key, path)| Some((key, path.as_deref()?)))
        .collect()
    }

    fn phases(
        settings: &UniWorldSettings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        let text = TextSettings {
            t5_length: settings
                .joint_with_t5
                .then_some(settings.max_sequence_length),
            negative: false,
        };
        let picture = PictureSettings {
            num_inference_steps: settings.num_inference_steps,
            guidance_scale: settings.guidance_scale as f32,
            size: settings.size,
            anchor_pixels: settings.anchor_pixels,
            stored_size: settings.stored_size,
        };
        let own = folder.location_of(OWN);
        let config = UniWorldConfig::read(&own.path.join("config.json")).map_err(fatal)?;
        let flux = folder.below(FLUX);
        let prompt = prompt::phase(settings, &config, folder)?;
        let text = text_phase(&flux, text)?;
        let denoiser = config.denoise_tower.denoiser_config;
        let token_width = denoiser.in_channels;
        let info = NetworkInfo::new("FLUX transformer", own, folder.dtype());
        let transformer = Network::new(info, move |weights| {
            FluxTransformer::new(&denoiser, &weights.at("denoise_tower.denoiser"))
        });
        let denoiser = Denoiser {
            networks: vec![transformer.any()],
            field: Box::new(FluxField(transformer)),
            token_width,
        };
        let [denoise, decode] = picture_phases(&flux, denoiser, Ok(picture))?;
        Ok(vec![prompt, text, denoise, decode])
    }
}
