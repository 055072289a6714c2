//! The phase `decode`: from latents to pixels, at the size that the benchmark stores.

use super::names::LATENTS;
use super::settings::PictureSettings;
use super::size::{Canvas, Sizing};
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, running,
};
use crate::image::pillow::{Filter, resize};
use crate::model::flux::latents;
use crate::model::flux_vae::{Decoder, VaeConfig};
use crate::model::{ModelError, Result};
use crate::record::Object;
use candle_core::{DType, Tensor};
use image::RgbImage;
use serde_json::json;

/// The VAE's decoder.
struct Decode {
    decoder: Network<Decoder>,
    sizing: Sizing,
    /// The (width, height) of the stored picture, if it is not that of the generated one.
    stored_size: Option<[u32; 2]>,
}

/// The phase for a folder that has `vae/`.
pub(super) fn decode_phase(
    flux: &CheckpointFolder,
    vae: VaeConfig,
    settings: Result<(PictureSettings, Sizing), GenerateError>,
) -> Phase {
    let info = NetworkInfo::new("VAE decoder", flux.location_of("vae"), flux.dtype());
    let decoder = Network::new(info, move |weights| Decoder::new(&vae, weights));
    Phase::new("decode", vec![decoder.any()], |_| {
        let (settings, sizing) = settings?;
        Ok(Decode {
            decoder,
            sizing,
            stored_size: settings.stored_size,
        })
    })
}

impl Stage for Decode {
    fn key(&self, _: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        Ok(Key::after(before, &json!(["decode"]), &[]))
    }

    fn run(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        _: &Cancel,
    ) -> Result<Step, GenerateError> {
        let Canvas { h, w } = self.sizing.canvas(request)?;
        let decoder = self.decoder.get()?;
        let decode = || -> Result<RgbImage> {
            let tokens = before
                .get(LATENTS)
                .ok_or_else(|| ModelError::Input("there are no latents to decode".into()))?;
            to_pixels(&decoder.decode(&latents::unpack(tokens, h, w)?)?)
        };
        let mut pixels = decode().map_err(running("decode"))?;
        if let Some([width, height]) = self.stored_size {
            pixels = resize(&pixels, width, height, Filter::Bicubic);
        }
        Ok(Step {
            made: Made::Pixels(pixels),
            extra: Object::new(),
        })
    }
}

/// [1, 3, H, W] in −1 to 1 → 8 bits: x / 2 + 0.5, clamped, times 255, rounded half to even as numpy does.
///
/// # Errors
/// Fails if there is not one picture.
pub(in crate::generate) fn to_pixels(image: &Tensor) -> Result<RgbImage> {
    let image = image.to_dtype(DType::F32)?.squeeze(0)?.permute((1, 2, 0))?;
    let (height, width, _) = image.dims3()?;
    let values: Vec<f32> = image.flatten_all()?.to_vec1()?;
    let bytes = values
        .into_iter()
        .map(|x| ((x / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round_ties_even() as u8)
        .collect();
    RgbImage::from_raw(width as u32, height as u32, bytes).ok_or_else(|| {
        ModelError::Input(format!("{width} × {height} is not the size of a picture"))
    })
}
