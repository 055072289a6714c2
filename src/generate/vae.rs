//! The `vae` generator: encodes and decodes the input picture with a FLUX VAE, and does nothing else. It shows
//! what the latents of a VAE alone keep and lose.

use super::diffusion::FLUX_1_DEV;
use super::error::GenerateError;
use super::generator::Request;
use super::kind::Pipeline;
use super::latents::to_pixels;
use super::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, running,
};
use super::place::Precision;
use super::released::ReleasedConfig;
use crate::cancel::Cancel;
use crate::image::pillow::{Filter, resize};
use crate::image::{decode_bytes, read_file};
use crate::model::Result as ModelResult;
use crate::model::flux_vae::{Decoder, Encoder, VaeConfig};
use crate::record::{Object, Task};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Settings of the `vae` generator.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VaeSettings {
    /// A folder with `vae`, such as that of FLUX.1-dev or `shipped:mini-flux`.
    pub checkpoint: PathBuf,
    /// The number format of weights and activations.
    #[serde(default)]
    pub precision: Precision,
}

/// The description of the generator.
pub(super) struct Vae;

impl Pipeline for Vae {
    const NAME: &'static str = "vae";
    const ABOUT: &'static str = "the input picture, encoded and decoded by a FLUX VAE: a control";
    const TASKS: &'static [Task] = &[Task::Edit];
    type Settings = VaeSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] = &[FLUX_1_DEV];

    fn precision(settings: &VaeSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &VaeSettings) -> &Path {
        &settings.checkpoint
    }

    fn phases(_: &VaeSettings, folder: &CheckpointFolder) -> Result<Vec<Phase>, GenerateError> {
        let config: VaeConfig = folder.config("vae/config.json")?;
        let info = |name| NetworkInfo::new(name, folder.location_of("vae"), folder.dtype());
        let (for_encoder, for_decoder) = (config.clone(), config.clone());
        let encoder = Network::new(info("VAE encoder"), move |weights| {
            Encoder::new(&for_encoder, weights)
        });
        let decoder = Network::new(info("VAE decoder"), move |weights| {
            Decoder::new(&for_decoder, weights)
        });
        let dtype = folder.dtype();
        let networks = vec![encoder.any(), decoder.any()];
        Ok(vec![Phase::new("round trip", networks, move |device| {
            Ok(RoundTrip {
                encoder,
                decoder,
                side: config.scale_factor() as u32,
                device: device.clone(),
                dtype,
            })
        })])
    }
}

/// Encoder and decoder.
struct RoundTrip {
    encoder: Network<Encoder>,
    decoder: Network<Decoder>,
    /// Pixels along the side of a latent cell.
    side: u32,
    device: Device,
    dtype: DType,
}

impl RoundTrip {
    /// The picture after the latents' mean, at its own size. Sides that are not multiples of a cell are resized
    /// up for the networks, and back.
    fn through(&self, picture: &RgbImage) -> Result<RgbImage, GenerateError> {
        let (width, height) = picture.dimensions();
        let whole = |side: u32| side.next_multiple_of(self.side).max(self.side);
        let fitted = resize(picture, whole(width), whole(height), Filter::Bicubic);
        let (encoder, decoder) = (self.encoder.get()?, self.decoder.get()?);
        let work = || -> ModelResult<RgbImage> {
            let pixels = to_tensor(&fitted, &self.device)?.to_dtype(self.dtype)?;
            let latents = encoder.scaled(&encoder.mean(&pixels)?)?;
            to_pixels(&decoder.decode(&latents)?)
        };
        let shown = work().map_err(running("round trip"))?;
        Ok(resize(&shown, width, height, Filter::Bicubic))
    }
}

/// 8 bits → [1, 3, H, W] in −1 to 1.
fn to_tensor(picture: &RgbImage, device: &Device) -> ModelResult<Tensor> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let values: Vec<f32> = picture
        .as_raw()
        .iter()
        .map(|value| f32::from(*value) / 127.5 - 1.0)
        .collect();
    let rows = Tensor::from_vec(values, (1, height, width, 3), device)?;
    Ok(rows.permute((0, 3, 1, 2))?.contiguous()?)
}

/// The bytes of the first input picture.
fn input_bytes(request: &Request<'_>) -> Result<Vec<u8>, GenerateError> {
    let path = request.item.images.first().ok_or_else(|| {
        GenerateError::item(
            "input",
            "this generator needs an input picture, but the item has none",
        )
    })?;
    Ok(read_file(&request.base.join(path))?)
}

impl Stage for RoundTrip {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        Ok(Key::after(
            before,
            &json!(["round trip"]),
            &[input_bytes(request)?],
        ))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let picture = decode_bytes(&input_bytes(request)?, "the input picture")?.rgb;
        Ok(Step {
            made: Made::Pixels(self.through(&picture)?),
            extra: Object::new(),
        })
    }
}
