//! The networks of UniWorld by configuration alone.

use super::UniWorldSettings;
use super::reference::{PROJECTOR, dinov2_config, radio_files};
use super::settings::{Encoder, Reference, Route};
use crate::generate::GenerateError;
use crate::generate::diffusion::{below_flux, decode_part, fatal, text_parts};
use crate::generate::parts::Part;
use crate::model::dinov2::Dinov2;
use crate::model::flux::FluxTransformer;
use crate::model::radio::Radio;
use crate::model::siglip::{SiglipConfig, SiglipVision};
use crate::model::uniworld::{Conditioner, Config, Projector, TaskHead};
use crate::model::weights::Asked;
use crate::model::{Result, Weights, read_config};
use candle_core::DType;
use std::path::Path;

/// The networks' tensors, by the configurations in `folder`.
///
/// # Errors
/// When a configuration is absent or wrong.
pub fn parts(
    settings: &UniWorldSettings,
    folder: &Path,
    gpu: bool,
) -> std::result::Result<Vec<Part>, GenerateError> {
    let dtype = settings.precision.dtype(gpu);
    let config = Config::read(&folder.join("uniworld/config.json")).map_err(fatal)?;
    let mut parts = language(&config, dtype)?;
    parts.extend(reference(settings, &config, folder, dtype)?);
    if settings.route == Route::TaskHead {
        let width = config.vlm.text.hidden_size;
        let build = |weights: &_| TaskHead::new(weights, width);
        let f32 = DType::F32;
        parts.push(Part::of(
            "prompt",
            "uniworld/task_head_final.pt",
            "task head",
            f32,
            build,
        )?);
    }
    let flux = folder.join("flux");
    parts.extend(below_flux(text_parts(
        &flux,
        settings.joint_with_t5,
        dtype,
    )?));
    let denoiser = &config.denoise_tower.denoiser_config;
    parts.push(Part::of(
        "denoise",
        "uniworld",
        "FLUX transformer",
        dtype,
        |weights| FluxTransformer::new(denoiser, &weights.at("denoise_tower.denoiser")),
    )?);
    parts.extend(below_flux([decode_part(&flux, dtype)?]));
    Ok(parts)
}

/// The language model, its projector, and the projector of VAE tokens that no published recipe uses.
fn language(config: &Config, dtype: DType) -> std::result::Result<Vec<Part>, GenerateError> {
    let build = |weights: &_| Conditioner::new(config, weights);
    let whole = Part::of("prompt", "uniworld", "", dtype, build)?;
    let mut parts = whole.split(&[
        ("visual.", "visual"),
        ("denoise_tower.", "denoise_projector"),
        ("", "language model"),
    ]);
    let tower = &config.denoise_tower;
    let inner = tower.denoiser_config.width();
    let tensor = |name: &str, shape: &[usize]| Asked {
        name: format!("denoise_tower.vae_projector.{name}"),
        shape: shape.into(),
    };
    parts.push(Part {
        phase: "prompt",
        folder: "uniworld",
        name: "vae_projector",
        dtype,
        tensors: vec![
            tensor("0.weight", &[inner, tower.denoiser_config.in_channels]),
            tensor("0.bias", &[inner]),
            tensor("2.weight", &[tower.output_hidden_size, inner]),
            tensor("2.bias", &[tower.output_hidden_size]),
        ],
        used: false,
    });
    Ok(parts)
}

/// The encoder of reference images with its projector.
fn reference(
    settings: &UniWorldSettings,
    config: &Config,
    folder: &Path,
    dtype: DType,
) -> std::result::Result<Vec<Part>, GenerateError> {
    let Reference {
        encoder,
        checkpoint,
        projector,
        ..
    } = &settings.reference;
    let own = folder.join(encoder.folder());
    let place = checkpoint.as_deref().unwrap_or(&own);
    if *encoder == Encoder::None {
        return Ok(Vec::new());
    }
    if !place.join("config.json").is_file() {
        let missing = settings.checkpoint.join(encoder.folder());
        let missing = checkpoint.as_ref().unwrap_or(&missing);
        return Err(GenerateError::fatal(
            format!(
                "{}: no such file: the reference encoder's configuration",
                missing.join("config.json").display()
            ),
            "set `reference.checkpoint` to the folder of the encoder",
        ));
    }
    let (eye, width) = eye(*encoder, place, dtype)?;
    let output = config.denoise_tower.output_hidden_size;
    let in_checkpoint = *encoder == Encoder::Siglip && projector.is_none();
    let (file, name, inside) = if in_checkpoint {
        (
            "uniworld",
            "siglip_projector",
            "denoise_tower.siglip_projector",
        )
    } else {
        (PROJECTOR, "reference projector", "")
    };
    let projector = |weights: &Weights| -> Result<Projector> {
        let place = match inside {
            "" => weights.clone(),
            inside => weights.at(inside),
        };
        Projector::new(&place, width, output)
    };
    Ok(vec![eye, Part::of("prompt", file, name, dtype, projector)?])
}

/// The encoder in a folder, and the width of its tokens.
fn eye(
    encoder: Encoder,
    place: &Path,
    dtype: DType,
) -> std::result::Result<(Part, usize), GenerateError> {
    let folder = encoder.folder();
    Ok(match encoder {
        Encoder::Siglip | Encoder::None => {
            let siglip: SiglipConfig = read_config(&place.join("config.json")).map_err(fatal)?;
            let siglip = siglip.vision();
            let tower = |weights: &_| SiglipVision::new(siglip, weights);
            let part = Part::of("prompt", folder, "SigLIP", dtype, tower)?;
            (part, siglip.hidden_size)
        }
        Encoder::Dinov2 | Encoder::Dinov2Registers => {
            let config = dinov2_config(place, encoder == Encoder::Dinov2Registers)?;
            let build = |weights: &_| Dinov2::new(&config, weights);
            let part = Part::of("prompt", folder, "DINOv2", dtype, build)?;
            (part, config.hidden_size)
        }
        Encoder::Radio => {
            let (config, files, width) = radio_files(place)?;
            let build = |weights: &_| Radio::new(&config, weights);
            // Its sizes stand in the weights alone.
            let part = Part::over(Some(files), "prompt", folder, "RADIO", dtype, build)?;
            (part, width)
        }
    })
}
