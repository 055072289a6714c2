//! The `uniworld` generator: UniWorld-V1 in this process, from prompt and pictures to pixels or words.

mod prompt;
mod reference;
mod settings;

pub use settings::UniWorldSettings;

use self::prompt::Prompt;
use self::reference::ReferenceEncoder;
use self::settings::Size;
use super::diffusion::{
    Canvas, Chain, Decode, Denoise, Network, PooledText, Sampling, Scratch, Sizing, Stage, T5Text,
    Text, fatal,
};
use super::{GenerateError, Place, Request};
use crate::image::size::Ratios;
use crate::image::{dimensions, read_file};
use crate::model::clip_text::{ClipText, ClipTextConfig};
use crate::model::flow_match::FlowMatchConfig;
use crate::model::flux::FluxTransformer;
use crate::model::flux_vae::{Decoder, VaeConfig};
use crate::model::processor::QwenProcessor;
use crate::model::read_config;
use crate::model::t5::{T5Config, T5Encoder};
use crate::model::tokenizer::Tokenizer;
use crate::model::tokenizer::chat::ChatTokens;
use crate::model::uniworld::{Conditioner, Config, TaskHead};
use crate::model::weights::Files;
use candle_core::{DType, Device};
use std::path::Path;
use std::sync::Arc;

/// Opens the pipeline; weights are mapped, and loaded when their phase begins.
///
/// # Errors
/// When a file of the checkpoint is absent or damaged, or weights and configuration do not fit.
pub fn open(settings: UniWorldSettings, place: &Place) -> Result<Chain, GenerateError> {
    let (device, dtype) = (&place.device, settings.precision.on(&place.device));
    let own = settings.checkpoint.join("uniworld");
    let flux = settings.checkpoint.join("flux");
    let config = Config::read(&own.join("config.json")).map_err(fatal)?;
    let files = Arc::new(Files::open(&own).map_err(fatal)?);
    let vae: VaeConfig = read_config(&flux.join("vae/config.json")).map_err(fatal)?;
    let cells = 2 * vae.scale_factor() as u32;
    check_sizes(&settings, cells)?;

    let stages: Vec<Box<dyn Stage>> = vec![
        Box::new(prompt(&settings, &config, &files, dtype, device)?),
        Box::new(text(&settings, &flux, dtype, device)?),
        Box::new(denoise(
            &settings, &config, &files, &flux, dtype, device, cells,
        )?),
        Box::new(Decode {
            decoder: Network::open(&flux.join("vae"), dtype, device, move |weights| {
                Decoder::new(&vae, weights)
            })?,
            canvas: sizing(&settings, cells),
            stored_size: settings.stored_size,
        }),
    ];
    let scratch = Scratch::at(&place.scratch);
    Ok(Chain::new(
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
    let task_head = Prompt::wants_task_head(settings)
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
        "{:?} {} {} {:?} {:?} {dtype:?}",
        own, settings.min_pixels, settings.max_pixels, settings.route, settings.reference
    );
    let tokenizer = Tokenizer::open(&own).map_err(fatal)?;
    // A vocabulary without the tokens of a conversation would fail every prompt.
    ChatTokens::of(&tokenizer).map_err(fatal)?;
    Ok(Prompt {
        conditioner: Network::of(files.clone(), dtype, device, move |weights| {
            Conditioner::new(&whole, weights)
        })?,
        reference: ReferenceEncoder::open(settings, config, files, dtype, device)?,
        task_head,
        tokenizer,
        processor: QwenProcessor::open(&own).map_err(fatal)?,
        settings: settings.clone(),
        identity: identity.into_bytes(),
        device: device.clone(),
    })
}

fn text(
    settings: &UniWorldSettings,
    flux: &Path,
    dtype: DType,
    device: &Device,
) -> Result<Text, GenerateError> {
    let folder = flux.join("text_encoder");
    let config: ClipTextConfig = read_config(&folder.join("config.json")).map_err(fatal)?;
    let clip = PooledText {
        length: config.max_position_embeddings,
        tokenizer: Tokenizer::open(&flux.join("tokenizer")).map_err(fatal)?,
        encoder: Network::open(&folder, dtype, device, move |weights| {
            ClipText::new(&config, weights)
        })?,
    };
    let open_t5 = || -> Result<T5Text, GenerateError> {
        let folder = flux.join("text_encoder_2");
        let config: T5Config = read_config(&folder.join("config.json")).map_err(fatal)?;
        Ok(T5Text {
            length: settings.max_sequence_length,
            tokenizer: Tokenizer::open(&flux.join("tokenizer_2")).map_err(fatal)?,
            encoder: Network::open(&folder, dtype, device, move |weights| {
                T5Encoder::new(&config, weights)
            })?,
        })
    };
    Ok(Text {
        t5: settings.joint_with_t5.then(open_t5).transpose()?,
        clip,
        device: device.clone(),
        dtype,
    })
}

fn denoise(
    settings: &UniWorldSettings,
    config: &Config,
    files: &Arc<Files>,
    flux: &Path,
    dtype: DType,
    device: &Device,
    cells: u32,
) -> Result<Denoise, GenerateError> {
    let denoiser = config.denoise_tower.denoiser_config.clone();
    let token_width = denoiser.in_channels;
    let scheduler: FlowMatchConfig =
        read_config(&flux.join("scheduler/scheduler_config.json")).map_err(fatal)?;
    Ok(Denoise {
        transformer: Network::of(files.clone(), dtype, device, move |weights| {
            FluxTransformer::new(&denoiser, &weights.at("denoise_tower.denoiser"))
        })?,
        sampling: Sampling {
            num_inference_steps: settings.num_inference_steps,
            guidance_scale: settings.guidance_scale,
            scheduler,
        },
        token_width,
        canvas: sizing(settings, cells),
        device: device.clone(),
        dtype,
    })
}

/// A size that is asked for must be made of whole tokens.
fn check_sizes(settings: &UniWorldSettings, cells: u32) -> Result<(), GenerateError> {
    if let Size::Pixels([width, height]) = settings.size
        && (width == 0 || height == 0 || width % cells != 0 || height % cells != 0)
    {
        return Err(GenerateError::fatal(
            format!("`size` = [{width}, {height}]: both sides must be multiples of {cells}"),
            "a token of the denoiser covers that many pixels",
        ));
    }
    if settings.num_inference_steps == 0 || settings.max_sequence_length == 0 {
        return Err(GenerateError::fatal(
            "`num_inference_steps` and `max_sequence_length` must be 1 or more",
            "the published evaluation takes 28 steps and 256 tokens",
        ));
    }
    Ok(())
}

/// The size of a request's picture in tokens of `cells` pixels.
fn sizing(settings: &UniWorldSettings, cells: u32) -> Box<Sizing> {
    let (size, anchor) = (settings.size, settings.anchor_pixels);
    Box::new(move |request| {
        let (height, width) = match size {
            Size::Pixels([width, height]) => (height, width),
            Size::Nearest(ratios) => nearest(request, ratios, anchor)?,
        };
        Ok(Canvas {
            h: (height / cells) as usize,
            w: (width / cells) as usize,
        })
    })
}

/// Of the first two input images the mean width and height, as the authors' script has it; a square without images.
fn nearest(
    request: &Request<'_>,
    ratios: Ratios,
    anchor: u64,
) -> Result<(u32, u32), GenerateError> {
    let wrong = |error: String| GenerateError::item("image", error);
    let mut sides = Vec::new();
    for image in request.item.images.iter().take(2) {
        let path = request.base.join(image);
        let size = read_file(&path).and_then(|bytes| dimensions(&bytes, image));
        sides.push(size.map_err(|error| wrong(error.to_string()))?);
    }
    if sides.is_empty() {
        sides.push((1, 1));
    }
    let mean = |side: fn(&(u32, u32)) -> u32| {
        let total: u64 = sides.iter().map(|both| u64::from(side(both))).sum();
        (total / sides.len() as u64) as u32
    };
    ratios
        .size(mean(|both| both.0), mean(|both| both.1), anchor)
        .map_err(|error| wrong(error.to_string()))
}
