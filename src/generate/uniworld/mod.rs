//! The `uniworld` generator: UniWorld-V1 in this process, from prompt and pictures to pixels or words.

mod parts;
mod prompt;
mod reference;
mod settings;

use self::parts::parts;
pub use settings::UniWorldSettings;

use self::prompt::Prompt;
use self::reference::ReferenceEncoder;
use self::settings::{Reference, Route};
use super::diffusion::{
    Chain, FluxField, Network, PictureSettings, Scratch, Stage, Text, fatal, picture_stages,
};
use super::error::GenerateError;
use super::generator::Generator;
use super::kind::Pipeline;
use super::parts::Part;
use super::place::{Place, Precision};
use crate::model::conversation::Reader;
use crate::model::flux::FluxTransformer;
use crate::model::uniworld::{Conditioner, Config, TaskHead};
use crate::model::weights::Files;
use crate::record::Task;
use candle_core::{DType, Device};
use std::path::Path;
use std::sync::Arc;

/// The description of the generator.
pub struct UniWorld;

impl Pipeline for UniWorld {
    const NAME: &'static str = "uniworld";
    const SUMMARY: &'static str =
        "UniWorld-V1 in this process: from a prompt and pictures to pixels or words";
    type Settings = UniWorldSettings;

    fn precision(settings: &UniWorldSettings) -> Precision {
        settings.precision
    }

    fn checkpoints(settings: &UniWorldSettings) -> Vec<(&'static str, &Path)> {
        let Reference {
            checkpoint,
            projector,
            ..
        } = &settings.reference;
        let optional = [
            ("reference.checkpoint", checkpoint),
            ("reference.projector", projector),
        ];
        let optional = optional
            .into_iter()
            .filter_map(|(key, path)| Some((key, path.as_deref()?)));
        [("checkpoint", settings.checkpoint.as_path())]
            .into_iter()
            .chain(optional)
            .collect()
    }

    fn open(
        settings: UniWorldSettings,
        place: &Place,
    ) -> Result<Box<dyn Generator>, GenerateError> {
        Ok(Box::new(open(settings, place)?))
    }

    fn parts(
        settings: &UniWorldSettings,
        folder: &Path,
        gpu: bool,
    ) -> Result<Vec<Part>, GenerateError> {
        parts(settings, folder, gpu)
    }
}

/// Opens the pipeline; weights are mapped, and loaded when their phase begins.
///
/// # Errors
/// When a file of the checkpoint is absent or damaged, or weights and configuration do not fit.
fn open(settings: UniWorldSettings, place: &Place) -> Result<Chain, GenerateError> {
    let (device, dtype) = (&place.device, settings.precision.on(&place.device));
    let own = settings.checkpoint.join("uniworld");
    let flux = settings.checkpoint.join("flux");
    let config = Config::read(&own.join("config.json")).map_err(fatal)?;
    let files = Arc::new(Files::open(&own).map_err(fatal)?);
    let denoiser = config.denoise_tower.denoiser_config.clone();
    let token_width = denoiser.in_channels;
    let transformer = Network::of(files.clone(), dtype, device, move |weights| {
        FluxTransformer::new(&denoiser, &weights.at("denoise_tower.denoiser"))
    })?;
    let field = Box::new(FluxField {
        transformer,
        guidance_scale: settings.guidance_scale as f32,
    });
    let picture = PictureSettings {
        num_inference_steps: settings.num_inference_steps,
        size: settings.size,
        anchor_pixels: settings.anchor_pixels,
        stored_size: settings.stored_size,
    };
    let [denoise, decode] = picture_stages(&flux, field, token_width, &picture, dtype, device)?;
    let t5_length = settings
        .joint_with_t5
        .then_some(settings.max_sequence_length);
    let prompt = prompt(&settings, &config, &files, dtype, device)?;
    let text = Text::open(&flux, t5_length, dtype, device)?;
    let stages: Vec<Box<dyn Stage>> = vec![Box::new(prompt), Box::new(text), denoise, decode];
    let scratch = Scratch::at(&place.scratch);
    Ok(Chain::new(
        &[Task::TextToImage, Task::Edit, Task::Understand],
        stages,
        place.vram_budget,
        device.clone(),
        scratch,
    ))
}

fn prompt(
    settings: &UniWorldSettings,
    config: &Config,
    files: &Arc<Files>,
    dtype: DType,
    device: &Device,
) -> Result<Prompt, GenerateError> {
    let own = settings.checkpoint.join("uniworld");
    let (whole, width) = (config.clone(), config.vlm.text.hidden_size);
    let task_head = (settings.route == Route::TaskHead)
        .then(|| {
            Network::open(
                &own.join("task_head_final.pt"),
                DType::F32,
                device,
                move |weights| TaskHead::new(weights, width),
            )
        })
        .transpose()?;
    // Sampling comes later; all else of the settings shapes this phase.
    let identity = format!(
        "{:?} {} {} {} {:?} {:?} {dtype:?}",
        own,
        settings.vlm_sees_images,
        settings.min_pixels,
        settings.max_pixels,
        settings.route,
        settings.reference
    );
    Ok(Prompt {
        conditioner: Network::of(files.clone(), dtype, device, move |weights| {
            Conditioner::new(&whole, weights)
        })?,
        reference: ReferenceEncoder::open(settings, config, files, dtype, device)?,
        task_head,
        reader: Reader::open(&own).map_err(fatal)?,
        settings: settings.clone(),
        identity: identity.into_bytes(),
        device: device.clone(),
    })
}
