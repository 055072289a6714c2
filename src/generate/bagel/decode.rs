//! The phase `decode`: the second half of the autoencoder, from latents to pixels.

use super::place::Checkpoint;
use super::settings::BagelSettings;
use crate::generate::latents::decode_phase;
use crate::generate::pipeline::Phase;
use crate::model::{ModelError, Result};
use candle_core::Tensor;
use image::RgbImage;

/// The phase for a checkpoint.
pub(super) fn phase(settings: &BagelSettings, checkpoint: &Checkpoint) -> Phase {
    decode_phase(
        checkpoint.decoder(),
        settings.stored_size,
        |decoder, latents| to_pixels(&decoder.decode(latents)?),
    )
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
