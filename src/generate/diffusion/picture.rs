//! The phases from conditioning to a picture, with which all FLUX pipelines end.

use super::decode::decode_phase;
use super::denoise::{Denoiser, denoise_phase};
use super::settings::PictureSettings;
use super::size::Sizing;
use crate::generate::error::GenerateError;
use crate::generate::pipeline::{CheckpointFolder, Phase};
use crate::model::flux_vae::VaeConfig;

/// Denoising and decoding. `flux` is the folder that has `vae/` and `scheduler/`. Impossible settings are
/// refused when a phase is opened.
///
/// # Errors
/// Fails if the VAE's configuration is absent or wrong.
pub(crate) fn picture_phases(
    flux: &CheckpointFolder,
    denoiser: Denoiser,
    settings: Result<PictureSettings, GenerateError>,
) -> Result<[Phase; 2], GenerateError> {
    let vae: VaeConfig = flux.config("vae/config.json")?;
    let cells = 2 * vae.scale_factor() as u32;
    let sizing = settings.and_then(|settings| {
        let sizing = Sizing::new(settings.size, settings.anchor_pixels, cells)?;
        Ok((settings, sizing))
    });
    let decode = decode_phase(flux, vae, sizing.clone());
    Ok([denoise_phase(flux, denoiser, sizing), decode])
}
