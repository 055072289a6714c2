//! The phase `decode`: from latents to pixels, at the size that the benchmark stores.

use crate::cancel::Cancel;
use crate::generate::diffusion::to_pixels;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, running,
};
use crate::generate::stable_diffusion::names::LATENTS;
use crate::image::pillow::{Filter, resize};
use crate::model::qwen_image::{QwenVaeConfig, QwenVaeDecoder};
use crate::model::{ModelError, Result};
use crate::record::Object;
use image::RgbImage;
use serde_json::json;

struct Decode {
    decoder: Network<QwenVaeDecoder>,
    stored_size: Option<[u32; 2]>,
}

/// The phase for a folder that has `vae/`.
pub(super) fn decode_phase(
    folder: &CheckpointFolder,
    stored_size: Option<[u32; 2]>,
    config: QwenVaeConfig,
) -> Phase {
    let info = NetworkInfo::new("VAE decoder", folder.location_of("vae"), folder.dtype());
    let decoder = Network::new(info, move |weights| QwenVaeDecoder::new(&config, weights));
    Phase::new("decode", vec![decoder.any()], move |_| {
        Ok(Decode {
            decoder,
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
            to_pixels(&decoder.decode(latents)?)
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
