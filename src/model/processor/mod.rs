//! From pictures to the input of vision networks.

mod bounded;
mod cropped;
pub mod detection;
mod fixed;
mod qwen;
mod square;
mod strided;
mod tiles;

pub use bounded::BoundedProcessor;
pub use cropped::{CLIP_MEAN, CLIP_STD, CroppedProcessor};
pub use fixed::FixedProcessor;
pub use qwen::{PixelLimits, Pixels, QwenProcessor};
pub use square::square;
pub use strided::{StridedProcessor, normalised};
pub use tiles::tiles;

/// The normalised number for each 8-bit value in each channel: (value / 255 − mean) / std.
fn table(mean: [f32; 3], std: [f32; 3]) -> [[f32; 256]; 3] {
    std::array::from_fn(|c| std::array::from_fn(|v| (v as f32 / 255.0 - mean[c]) / std[c]))
}

/// The channels of a picture one after the other, normalised.
fn planes(image: &image::RgbImage, mean: [f32; 3], std: [f32; 3]) -> Vec<f32> {
    let tables = table(mean, std);
    let planes = tables.iter().enumerate();
    planes
        .flat_map(|(c, table)| image.pixels().map(move |pixel| table[pixel[c] as usize]))
        .collect()
}

/// The pixels of a picture in −1 to 1, [1, 3, H, W] in f32 on the CPU, as an autoencoder reads them.
///
/// # Errors
/// Fails if memory runs out.
pub fn signed_pixels(image: &image::RgbImage) -> super::Result<candle_core::Tensor> {
    let (height, width) = (image.height() as usize, image.width() as usize);
    let values = planes(image, [0.5; 3], [0.5; 3]);
    let device = candle_core::Device::Cpu;
    Ok(candle_core::Tensor::from_vec(
        values,
        (1, 3, height, width),
        &device,
    )?)
}

/// A deviation of zero would cause a division by zero.
fn spread(std: [f32; 3]) -> bool {
    std.iter().all(|s| *s > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use std::path::Path;

    fn difference(a: &Tensor, b: &Tensor) -> f32 {
        assert_eq!(a.dims(), b.dims());
        let difference = (a - b).and_then(|d| d.abs()?.flatten_all()?.max(0)?.to_scalar());
        difference.unwrap()
    }

    // make.py next to the files shows how they were made with Pillow and transformers.
    #[test]
    fn pictures_become_what_transformers_makes_of_them() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/processor");
        let picture = crate::image::decode_file(&folder.join("picture.png")).unwrap();
        let picture = picture.rgb;
        let file = folder.join("expected.safetensors");
        let expected = candle_core::safetensors::load(file, &Device::Cpu).unwrap();

        let limits = PixelLimits {
            min: 3136,
            max: 3136,
        };
        let pixels = QwenProcessor::default().prepare(&picture, limits).unwrap();
        assert_eq!((pixels.grid, pixels.tokens), ([1, 4, 4], 4));
        assert!(difference(&pixels.values, &expected["pixel_values"]) < 2e-6);

        let siglip = FixedProcessor::siglip(32).prepare(&picture).unwrap();
        assert!(difference(&siglip, &expected["siglip"]) < 2e-6);
        let dinov2 = FixedProcessor::dinov2(28).prepare(&picture).unwrap();
        assert!(difference(&dinov2, &expected["dinov2"]) < 2e-6);
    }
}
