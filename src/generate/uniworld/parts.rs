//! The networks of UniWorld by configuration alone.

use super::UniWorldSettings;
use super::settings::{Encoder, Route};
use crate::generate::GenerateError;
use crate::generate::diffusion::{below_flux, decode_part, fatal, text_parts};
use crate::generate::parts::Part;
use crate::model::flux::FluxTransformer;
use crate::model::siglip::{SiglipConfig, SiglipVision};
use crate::model::uniworld::{Conditioner, Config, Projector, TaskHead};
use crate::model::weights::Asked;
use crate::model::{Result, read_config};
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
    if settings.reference.encoder != Encoder::Siglip {
        return Ok(Vec::new());
    }
    let own = folder.join("siglip");
    let place = settings.reference.checkpoint.as_deref().unwrap_or(&own);
    let siglip: SiglipConfig = read_config(&place.join("config.json")).map_err(fatal)?;
    let (siglip, output) = (siglip.vision(), config.denoise_tower.output_hidden_size);
    let tower = |weights: &_| SiglipVision::new(siglip, weights);
    let projector = |weights: &crate::model::Weights| -> Result<Projector> {
        let place = weights.at("denoise_tower.siglip_projector");
        Projector::new(&place, siglip.hidden_size, output)
    };
    Ok(vec![
        Part::of("prompt", "siglip", "SigLIP", dtype, tower)?,
        Part::of("prompt", "uniworld", "siglip_projector", dtype, projector)?,
    ])
}
