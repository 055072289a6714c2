//! The phases from conditioning to a picture, which all FLUX pipelines end with.

use super::decode::Decode;
use super::denoise::{Denoise, Sampling};
use super::field::Field;
use super::networks::{Network, fatal};
use super::size::{Size, Sizing};
use super::stage::Stage;
use crate::generate::GenerateError;
use crate::model::flow_match::FlowMatchConfig;
use crate::model::flux_vae::{Decoder, VaeConfig};
use crate::model::read_config;
use candle_core::{DType, Device};
use std::path::Path;

/// What the settings say of a picture.
#[derive(Debug, Clone, Copy)]
pub struct PictureSettings {
    pub num_inference_steps: usize,
    pub size: Size,
    pub anchor_pixels: u64,
    pub stored_size: Option<[u32; 2]>,
}

/// Opens denoising and decoding; `flux` is the folder that holds `vae/` and `scheduler/`.
///
/// # Errors
/// When a file is absent or damaged, or a setting cannot be.
pub fn picture_stages(
    flux: &Path,
    field: Box<dyn Field>,
    token_width: usize,
    settings: &PictureSettings,
    dtype: DType,
    device: &Device,
) -> Result<[Box<dyn Stage>; 2], GenerateError> {
    if settings.num_inference_steps == 0 {
        return Err(GenerateError::fatal(
            "`num_inference_steps` is 0; it must be 1 or more",
            "the published evaluations use 28 to 50",
        ));
    }
    let vae: VaeConfig = read_config(&flux.join("vae/config.json")).map_err(fatal)?;
    let cells = 2 * vae.scale_factor() as u32;
    let sizing = Sizing::new(settings.size, settings.anchor_pixels, cells)?;
    let scheduler: FlowMatchConfig =
        read_config(&flux.join("scheduler/scheduler_config.json")).map_err(fatal)?;
    let denoise = Denoise {
        field,
        sampling: Sampling {
            num_inference_steps: settings.num_inference_steps,
            scheduler,
        },
        token_width,
        sizing,
        device: device.clone(),
        dtype,
    };
    let decode = Decode {
        decoder: Network::open(&flux.join("vae"), dtype, device, move |weights| {
            Decoder::new(&vae, weights)
        })?,
        sizing,
        stored_size: settings.stored_size,
    };
    Ok([Box::new(denoise), Box::new(decode)])
}
