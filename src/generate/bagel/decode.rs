//! The phase `decode`: from latents to pixels, at the size that the benchmark stores.

use super::draw::LATENTS;
use super::place::Checkpoint;
use super::settings::BagelSettings;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    AnyNetwork, Key, Made, Named, Network, Phase, Stage, Step, running,
};
use crate::image::pillow::{Filter, resize};
use crate::model::flux_vae::Decoder;
use crate::model::{ModelError, Result};
use crate::record::Object;
use candle_core::Tensor;
use image::RgbImage;
use serde_json::json;

/// The second half of the autoencoder.
struct Decode {
    decoder: Network<Decoder>,
    stored_size: Option<[u32; 2]>,
}

/// The phase for a checkpoint.
pub(super) fn phase(settings: &BagelSettings, checkpoint: &Checkpoint) -> Phase {
    let decoder = checkpoint.decoder();
    let networks: Vec<Box<dyn AnyNetwork>> = vec![decoder.any()];
    let stored_size = settings.stored_size;
    Phase::new("decode", networks, move |_| {
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

/// [1, 3, H, W] in −1 to 1 → 8 bits: x / 2 + 0.5, clamped, times 255, and cut to whole numbers, not rounded.
fn to_pixels(image: &Tensor) -> Result<RgbImage> {
    let image = image.squeeze(0)?.permute((1, 2, 0))?;
    let (height, width, _) = image.dims3()?;
    let values: Vec<f32> = image.flatten_all()?.to_vec1()?;
    let bytes = values
        .into_iter()
        .map(|x| ((x * 0.5 + 0.5).clamp(0.0, 1.0) * 255.0) as u8)
        .collect();
    RgbImage::from_raw(width as u32, height as u32, bytes).ok_or_else(|| {
        ModelError::Input(format!("{width} × {height} is not the size of a picture"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    // 0.999 · 127.5 + 127.5 = 254.87, which rounding would make 255.
    #[test]
    fn bytes_are_cut_and_not_rounded() {
        let image = Tensor::new(&[-1.2f32, 0.999, 1.5], &Device::Cpu).unwrap();
        let image = image.reshape((1, 3, 1, 1)).unwrap();
        assert_eq!(to_pixels(&image).unwrap().into_raw(), [0, 254, 255]);
    }
}
