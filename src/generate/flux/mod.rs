//! The `flux` generator: FLUX.1-dev text-to-image in this process, the baseline that other systems build on.

mod settings;

pub use settings::FluxSettings;

use super::diffusion::{
    Chain, FluxField, Network, PictureSettings, Scratch, Size, Stage, Text, decode_part, fatal,
    picture_stages, text_parts,
};
use super::error::GenerateError;
use super::generator::Generator;
use super::kind::Pipeline;
use super::parts::Part;
use super::place::{Place, Precision};
use crate::model::flux::{FluxConfig, FluxTransformer};
use crate::model::read_config;
use crate::record::Task;
use std::path::Path;

/// The description of the generator.
pub struct Flux;

impl Pipeline for Flux {
    const NAME: &'static str = "flux";
    const SUMMARY: &'static str = "FLUX.1-dev in this process: from a prompt to pixels";
    type Settings = FluxSettings;

    fn precision(settings: &FluxSettings) -> Precision {
        settings.precision
    }

    fn checkpoints(settings: &FluxSettings) -> Vec<(&'static str, &Path)> {
        vec![("checkpoint", &settings.checkpoint)]
    }

    fn open(settings: FluxSettings, place: &Place) -> Result<Box<dyn Generator>, GenerateError> {
        Ok(Box::new(open(settings, place)?))
    }

    fn parts(
        settings: &FluxSettings,
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
fn open(settings: FluxSettings, place: &Place) -> Result<Chain, GenerateError> {
    let (device, dtype) = (&place.device, settings.precision.on(&place.device));
    let folder = settings.checkpoint.join("transformer");
    let config: FluxConfig = read_config(&folder.join("config.json")).map_err(fatal)?;
    let token_width = config.in_channels;
    let transformer = Network::open(&folder, dtype, device, move |weights| {
        FluxTransformer::new(&config, weights)
    })?;
    let field = Box::new(FluxField {
        transformer,
        guidance_scale: settings.guidance_scale as f32,
    });
    let picture = PictureSettings {
        num_inference_steps: settings.num_inference_steps,
        size: Size::Pixels(settings.size),
        anchor_pixels: 0,
        stored_size: settings.stored_size,
    };
    let [denoise, decode] = picture_stages(
        &settings.checkpoint,
        field,
        token_width,
        &picture,
        dtype,
        device,
    )?;
    let length = Some(settings.max_sequence_length);
    let text = Text::open(&settings.checkpoint, length, dtype, device)?;
    let stages: Vec<Box<dyn Stage>> = vec![Box::new(text), denoise, decode];
    let scratch = Scratch::at(&place.scratch);
    Ok(Chain::new(
        &[Task::TextToImage],
        stages,
        place.vram_budget,
        device.clone(),
        scratch,
    ))
}

/// The networks' tensors, by the configurations in `folder`.
///
/// # Errors
/// When a configuration is absent or wrong.
fn parts(settings: &FluxSettings, folder: &Path, gpu: bool) -> Result<Vec<Part>, GenerateError> {
    let dtype = settings.precision.dtype(gpu);
    let path = folder.join("transformer/config.json");
    let config: FluxConfig = read_config(&path).map_err(fatal)?;
    let build = |weights: &_| FluxTransformer::new(&config, weights);
    let mut parts = text_parts(folder, true, dtype)?;
    parts.push(Part::of(
        "denoise",
        "transformer",
        "FLUX transformer",
        dtype,
        build,
    )?);
    parts.push(decode_part(folder, dtype)?);
    Ok(parts)
}
