//! The phase `decode`: from latents to pixels, at the size that the benchmark stores.

use super::names::LATENTS;
use super::variant::weights_of;
use crate::cancel::Cancel;
use crate::generate::diffusion::to_pixels;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, running,
};
use crate::image::pillow::{Filter, resize};
use crate::model::stable_diffusion::{SdDecoder, SdVaeConfig};
use crate::model::{ModelError, Result};
use crate::record::Object;
use candle_core::DType;
use image::RgbImage;
use serde_json::json;

struct Decode {
    decoder: Network<SdDecoder>,
    /// The number format of the network.
    dtype: DType,
    stored_size: Option<[u32; 2]>,
}

/// The phase for a folder that has `vae/`.
pub(in crate::generate) fn decode_phase(
    folder: &CheckpointFolder,
    variant: Option<&str>,
    stored_size: Option<[u32; 2]>,
    config: SdVaeConfig,
) -> Phase {
    // The activations of SDXL's network overflow in f16, and lose too much in bf16.
    let dtype = if config.force_upcast {
        DType::F32
    } else {
        folder.dtype()
    };
    let location = weights_of(folder, "vae", variant);
    let info = NetworkInfo::new("VAE", location, dtype);
    let decoder = Network::new(info, move |weights| SdDecoder::new(&config, weights));
    Phase::new("decode", vec![decoder.any()], move |_| {
        Ok(Decode {
            decoder,
            dtype,
            stored_size,
        })
    })
}

impl Stage for Decode {
    fn key(&self, _: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        Ok(Key::after(before, &json!(["decode"]), &[]))
    }

    fn run(&mut self, _: &Request<'_>, before: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let decoder = self.decoder.get()?;
        let decode = || -> Result<RgbImage> {
            let latents = before
                .get(LATENTS)
                .ok_or_else(|| ModelError::Input("there are no latents to decode".into()))?;
            to_pixels(&decoder.decode(&latents.to_dtype(self.dtype)?)?)
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
