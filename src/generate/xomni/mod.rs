//! The `xomni` generator: X-Omni in this process, from words to image tokens to pixels, and from pictures to words.

mod codec;
mod field;
mod look;
mod parts;
mod settings;
mod tokens;
mod words;

pub use codec::Codec;
pub use parts::parts;
pub use settings::XOmniSettings;
pub use words::Codes;

use self::field::XOmniField;
use self::look::Look;
use self::tokens::Tokens;
use self::words::Words;
use super::diffusion::{
    Canvas, Chain, Network, PictureSettings, Scratch, Size, Stage, Text, fatal, picture_stages,
};
use super::{GenerateError, Place};
use crate::model::flux::FluxConfig;
use crate::model::generation_config::GenerationConfig;
use crate::model::read_config;
use crate::model::sampling::Sampling;
use crate::model::weights::Files;
use crate::model::xomni::{Config, VisionConfig, VqDecoder, XOmniAr, XOmniDecoder};
use crate::record::Task;
use candle_core::DType;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The codes of the picture that is made, `[h · w]`.
const CODES: &str = "image_codes";

/// What the authors' library applies where nothing is said.
const TOP_K: usize = 50;

/// Opens the pipeline; weights are mapped, and loaded when their phase begins.
///
/// # Errors
/// When a file of the checkpoint is absent or damaged, or weights and configuration do not fit.
pub fn open(settings: XOmniSettings, place: &Place) -> Result<Chain, GenerateError> {
    let (device, dtype) = (&place.device, settings.precision.on(&place.device));
    let own = settings.checkpoint.join("xomni");
    let config = Config::read(&own).map_err(fatal)?;
    let vision = config.vision().map_err(fatal)?.clone();
    let canvas = canvas(settings.size, &vision)?;
    let look = Look::open(&own, &config, settings.any_image_size, dtype, device)?;
    let tokens = tokens(&settings, &own, config, canvas, dtype, place)?;
    let Picture { text, last } = Picture::open(&settings, &own, &vision, canvas, dtype, place)?;
    let mut stages: Vec<Box<dyn Stage>> = vec![Box::new(look)];
    // Before the tokens, so that the outputs of a prompt share it.
    stages.extend(text);
    stages.push(Box::new(tokens));
    stages.extend(last);
    Ok(Chain::new(
        &[Task::TextToImage, Task::Understand],
        stages,
        place.vram_budget,
        device.clone(),
        Scratch::at(&place.scratch),
    ))
}

/// The folder of the diffusion decoder.
fn decoder_folder(own: &Path, vision: &VisionConfig) -> PathBuf {
    own.join(&vision.decoder.model_path)
}

/// A picture's size in tokens, cut to whole ones.
fn canvas([width, height]: [u32; 2], vision: &VisionConfig) -> Result<Canvas, GenerateError> {
    let cells = vision.decoder.upscale_factor.max(1);
    let (h, w) = ((height / cells) as usize, (width / cells) as usize);
    if h == 0 || w == 0 {
        return Err(GenerateError::fatal(
            format!(
                "`size` = [{width}, {height}]: a side is shorter than a token of {cells} pixels"
            ),
            "the model was trained on sides of 384 to 1152 pixels, with a ratio of at most 3",
        ));
    }
    Ok(Canvas { h, w })
}

fn tokens(
    settings: &XOmniSettings,
    own: &Path,
    config: Config,
    canvas: Canvas,
    dtype: DType,
    place: &Place,
) -> Result<Tokens, GenerateError> {
    let longest = config.max_position_embeddings;
    if canvas.h * canvas.w >= longest {
        return Err(GenerateError::fatal(
            format!(
                "`size`: a picture of {} × {} tokens is longer than the {longest} that the model was trained on",
                canvas.w, canvas.h
            ),
            "use a smaller `size`",
        ));
    }
    if settings.batch_size == 0 || settings.max_new_tokens == 0 {
        return Err(GenerateError::fatal(
            "`batch_size` and `max_new_tokens` must be at least 1",
            "leave them out to use the defaults",
        ));
    }
    let published = GenerationConfig::read(own).map_err(fatal)?;
    let sampling = Sampling {
        temperature: settings.temperature as f32,
        top_k: settings.top_k.or(published.top_k).unwrap_or(TOP_K),
        top_p: settings.top_p as f32,
        min_p: settings.min_p as f32,
    };
    sampling.check().map_err(fatal)?;
    let words = Words::open(own, &config).map_err(fatal)?;
    Ok(Tokens {
        network: Network::open(own, dtype, &place.device, move |weights| {
            XOmniAr::new(&config, weights)
        })?,
        words,
        sampling,
        cfg_scale: settings.cfg_scale as f32,
        batch_size: settings.batch_size,
        canvas,
        max_new_tokens: settings.max_new_tokens,
        identity: format!("{own:?} {dtype:?}"),
    })
}

/// The stages that make pixels of image tokens.
struct Picture {
    /// For a decoder that reads the prompt.
    text: Option<Box<dyn Stage>>,
    /// Denoising and decoding.
    last: [Box<dyn Stage>; 2],
}

impl Picture {
    fn open(
        settings: &XOmniSettings,
        own: &Path,
        vision: &VisionConfig,
        canvas: Canvas,
        dtype: DType,
        place: &Place,
    ) -> Result<Self, GenerateError> {
        let device = &place.device;
        let folder = decoder_folder(own, vision);
        let flux: FluxConfig = read_config(&folder.join("config.json")).map_err(fatal)?;
        let files = Arc::new(Files::open(&folder).map_err(fatal)?);
        let image_only = XOmniDecoder::is_image_only(&files);
        let reads_text = !image_only;
        let cfg_scale = decoder_scale(settings, own, vision, reads_text)?;
        let (encoder, features) = (vision.encoder.clone(), vision.encoder.z_channels);
        let quantizer = Files::open_file(&own.join(&encoder.projector_path)).map_err(fatal)?;
        let token_width = flux.in_channels;
        let field = XOmniField {
            decoder: Network::of(files, dtype, device, move |weights| {
                XOmniDecoder::new(&flux, features, image_only, weights)
            })?,
            vq: Network::of(Arc::new(quantizer), dtype, device, move |weights| {
                VqDecoder::new(&encoder, weights)
            })?,
            cfg_scale,
        };
        let steps = settings
            .num_inference_steps
            .or(vision.decoder.num_inference_steps);
        let cells = vision.decoder.upscale_factor;
        let picture = PictureSettings {
            num_inference_steps: steps.ok_or_else(|| lacks(own, "num_inference_steps"))?,
            size: Size::Pixels([canvas.w as u32 * cells, canvas.h as u32 * cells]),
            anchor_pixels: 0,
            stored_size: settings.stored_size,
        };
        let place_of_vae = settings.checkpoint.join("flux");
        check_upscale(&place_of_vae, cells, own)?;
        let last = picture_stages(
            &place_of_vae,
            Box::new(field),
            token_width,
            &picture,
            dtype,
            device,
        )?;
        let text = || -> Result<Box<dyn Stage>, GenerateError> {
            let length = Some(settings.max_sequence_length);
            let mut text = Text::open(&place_of_vae, length, dtype, device)?;
            text.negative = cfg_scale != 1.0;
            Ok(Box::new(text))
        };
        Ok(Self {
            text: reads_text.then(text).transpose()?,
            last,
        })
    }
}

/// The decoder's guidance: the settings' or the checkpoint's.
fn decoder_scale(
    settings: &XOmniSettings,
    own: &Path,
    vision: &VisionConfig,
    reads_text: bool,
) -> Result<f32, GenerateError> {
    let decoder = &vision.decoder;
    if let Some(scale) = settings.decoder_cfg_scale {
        return Ok(scale as f32);
    }
    let scale = decoder.cfg_scale.ok_or_else(|| lacks(own, "cfg_scale"))?;
    match decoder.cfg_scale_2 {
        Some(second) if reads_text && second != scale => Err(GenerateError::fatal(
            format!(
                "{}: `vision_config.decoder.cfg_scale` is {scale} and `cfg_scale_2` is {second}: decoders that read the \
                 prompt know one scale",
                own.join("config.json").display()
            ),
            "set `decoder_cfg_scale`",
        )),
        _ => Ok(scale),
    }
}

fn lacks(own: &Path, field: &str) -> GenerateError {
    let setting = if field == "cfg_scale" {
        "decoder_cfg_scale"
    } else {
        field
    };
    GenerateError::fatal(
        format!(
            "{}: there is no `vision_config.decoder.{field}`",
            own.join("config.json").display()
        ),
        format!("fetch the file that was published with these weights, or set `{setting}`"),
    )
}

/// A token of the decoder and a code of the tokenizer must cover the same pixels.
fn check_upscale(flux: &Path, upscale: u32, own: &Path) -> Result<(), GenerateError> {
    let path = flux.join("vae/config.json");
    let vae: crate::model::flux_vae::VaeConfig = read_config(&path).map_err(fatal)?;
    let cells = 2 * vae.scale_factor() as u32;
    if upscale == cells {
        Ok(())
    } else {
        Err(GenerateError::fatal(
            format!(
                "{}: `vision_config.decoder.upscale_factor` is {upscale}; two cells of the VAE in {} are {cells} pixels",
                own.join("config.json").display(),
                flux.display()
            ),
            "the checkpoint and the VAE do not belong together: X-Omni decodes with the VAE of FLUX.1-dev",
        ))
    }
}
