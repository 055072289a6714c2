//! The phases from image tokens to pixels, with their settings from the model file and the checkpoint.

use super::field::XOmniField;
use super::layout::{FLUX, OWN};
use super::settings::XOmniSettings;
use crate::generate::diffusion::{
    Canvas, Denoiser, PictureSettings, Size, TextSettings, picture_phases, text_phase,
};
use crate::generate::error::GenerateError;
use crate::generate::pipeline::{CheckpointFolder, Location, Network, NetworkInfo, Phase, fatal};
use crate::model::flux::FluxConfig;
use crate::model::flux_vae::VaeConfig;
use crate::model::read_config;
use crate::model::weights::Asked;
use crate::model::xomni::{VisionConfig, VqDecoder, XOmniDecoder};
use std::path::Path;

/// The phases from image tokens to pixels.
pub(super) struct PicturePhases {
    /// The text encoders, for a decoder that reads the prompt.
    pub text: Option<Phase>,
    /// Denoising and decoding.
    pub last: [Phase; 2],
}

impl PicturePhases {
    /// The phases for pictures of the size `canvas`. If there are no weights of the decoder, `image_only` in
    /// the configuration says whether the decoder reads the prompt.
    ///
    /// # Errors
    /// Fails if a configuration is absent or wrong.
    pub(super) fn read(
        settings: &XOmniSettings,
        vision: &VisionConfig,
        canvas: Result<Canvas, GenerateError>,
        folder: &CheckpointFolder,
    ) -> Result<Self, GenerateError> {
        let decoder = Decoder::read(vision, folder)?;
        let picture = canvas.and_then(|canvas| {
            picture_settings(settings, vision, canvas, decoder.image_only, folder)
        });
        let flux = folder.below(FLUX);
        let text = TextSettings {
            t5_length: Some(settings.max_sequence_length),
            negative: picture
                .as_ref()
                .is_ok_and(|picture| picture.guidance_scale != 1.0),
        };
        let text = (!decoder.image_only).then(|| text_phase(&flux, text));
        Ok(Self {
            text: text.transpose()?,
            last: picture_phases(&flux, decoder.denoiser(vision, folder), picture)?,
        })
    }
}

/// The diffusion decoder by its configuration.
struct Decoder {
    config: FluxConfig,
    location: Location,
    /// Whether it does not read the prompt.
    image_only: bool,
}

impl Decoder {
    fn read(vision: &VisionConfig, folder: &CheckpointFolder) -> Result<Self, GenerateError> {
        #[derive(serde::Deserialize)]
        struct Kind {
            #[serde(default)]
            image_only: bool,
        }
        let path = folder.below(OWN).path().join(&vision.decoder.model_path);
        let file = path.join("config.json");
        Ok(Self {
            config: read_config(&file).map_err(fatal)?,
            image_only: match folder.shelf().open(&path) {
                Ok(files) => XOmniDecoder::is_image_only(&files),
                Err(_) => read_config::<Kind>(&file).map_err(fatal)?.image_only,
            },
            location: Location {
                label: format!("{OWN} (decoder)"),
                path,
            },
        })
    }

    /// The decoder with the second half of the tokenizer.
    fn denoiser(self, vision: &VisionConfig, folder: &CheckpointFolder) -> Denoiser {
        let (encoder, features) = (vision.encoder.clone(), vision.encoder.z_channels);
        let (token_width, image_only) = (self.config.in_channels, self.image_only);
        let location = quantizer(vision, folder);
        let vq = NetworkInfo::new("quantizer, decoding", location, folder.dtype());
        let vq = Network::new(vq, move |weights| VqDecoder::new(&encoder, weights));
        let info = NetworkInfo {
            unused: image_only.then(|| ("diffusion decoder", left_alone(&self.config))),
            ..NetworkInfo::new("diffusion decoder", self.location, folder.dtype())
        };
        let decoder = Network::new(info, move |weights| {
            XOmniDecoder::new(&self.config, features, image_only, weights)
        });
        Denoiser {
            networks: vec![vq.any(), decoder.any()],
            field: Box::new(XOmniField { decoder, vq }),
            token_width,
        }
    }
}

/// The file of the quantizer. Each of its halves is a network.
pub(super) fn quantizer(vision: &VisionConfig, folder: &CheckpointFolder) -> Location {
    Location {
        label: format!("{OWN} (quantizer pickle)"),
        path: folder
            .below(OWN)
            .path()
            .join(&vision.encoder.projector_path),
    }
}

/// Tensors in the file of an image-only decoder that the network does not use: output projections, and the
/// embedder of the text.
fn left_alone(flux: &FluxConfig) -> Vec<Asked> {
    let width = flux.width();
    let pair = |name: String, input: usize| {
        let tensor = |leaf: &str, shape: Vec<usize>| Asked {
            name: format!("{name}.{leaf}"),
            shape,
        };
        [
            tensor("weight", vec![width, input]),
            tensor("bias", vec![width]),
        ]
    };
    let projections = (0..flux.num_layers)
        .flat_map(|i| pair(format!("transformer_blocks.{i}.attn.to_out.0"), width));
    projections
        .chain(pair("context_embedder".into(), flux.joint_attention_dim))
        .collect()
}

/// The size of a picture in tokens. Incomplete tokens are cut off.
///
/// # Errors
/// Fails if a side is shorter than a token.
pub(super) fn canvas(
    [width, height]: [u32; 2],
    vision: &VisionConfig,
) -> Result<Canvas, GenerateError> {
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

/// The settings for a picture of the size `canvas`, from the model file and the checkpoint.
fn picture_settings(
    settings: &XOmniSettings,
    vision: &VisionConfig,
    canvas: Canvas,
    image_only: bool,
    folder: &CheckpointFolder,
) -> Result<PictureSettings, GenerateError> {
    let file = folder.below(OWN).location_of("config.json").path;
    let guidance_scale = decoder_scale(settings, &file, vision, !image_only)?;
    let steps = settings
        .num_inference_steps
        .or(vision.decoder.num_inference_steps);
    let steps = steps.ok_or_else(|| lacks(&file, "num_inference_steps", "num_inference_steps"))?;
    let cells = vision.decoder.upscale_factor;
    check_upscale(&folder.below(FLUX), cells, &file)?;
    Ok(PictureSettings {
        num_inference_steps: steps,
        guidance_scale,
        size: Size::Pixels([canvas.w as u32 * cells, canvas.h as u32 * cells]),
        anchor_pixels: 0,
        stored_size: settings.stored_size,
    })
}

/// The guidance of the decoder, from the settings or else from the checkpoint.
fn decoder_scale(
    settings: &XOmniSettings,
    file: &Path,
    vision: &VisionConfig,
    reads_text: bool,
) -> Result<f32, GenerateError> {
    let decoder = &vision.decoder;
    if let Some(scale) = settings.decoder_cfg_scale {
        return Ok(scale as f32);
    }
    let scale = decoder
        .cfg_scale
        .ok_or_else(|| lacks(file, "cfg_scale", "decoder_cfg_scale"))?;
    match decoder.cfg_scale_2 {
        Some(second) if reads_text && second != scale => Err(GenerateError::fatal(
            format!(
                "{}: `vision_config.decoder.cfg_scale` is {scale} and `cfg_scale_2` is {second}: decoders that read the \
                 prompt know one scale",
                file.display()
            ),
            "set `decoder_cfg_scale`",
        )),
        _ => Ok(scale),
    }
}

/// The error if the configuration of the checkpoint lacks a field that a setting can replace.
fn lacks(file: &Path, field: &str, setting: &str) -> GenerateError {
    GenerateError::fatal(
        format!(
            "{}: there is no `vision_config.decoder.{field}`",
            file.display()
        ),
        format!("fetch the file that was published with these weights, or set `{setting}`"),
    )
}

/// Checks that a token of the decoder and a code of the tokenizer cover the same pixels.
fn check_upscale(flux: &CheckpointFolder, upscale: u32, file: &Path) -> Result<(), GenerateError> {
    let vae: VaeConfig = flux.config("vae/config.json")?;
    let cells = 2 * vae.scale_factor() as u32;
    if upscale == cells {
        return Ok(());
    }
    Err(GenerateError::fatal(
        format!(
            "{}: `vision_config.decoder.upscale_factor` is {upscale}; two cells of the VAE in {} are {cells} pixels",
            file.display(),
            flux.path().display()
        ),
        "the checkpoint and the VAE do not belong together: X-Omni decodes with the VAE of FLUX.1-dev",
    ))
}
