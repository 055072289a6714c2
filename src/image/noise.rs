//! Two ladders of noise, as `torch` computes them in single precision.

use image::RgbImage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How noise n and a picture x, which is −1 to 1, are put together at level t.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ladder {
    /// (1 − t) x + t n, as in flow matching. The contrast gets lower.
    #[default]
    Mix,
    /// x + t n. Values beyond the range are cut off.
    Add,
}

impl Ladder {
    /// The name in suites, ids and tags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mix => "mix",
            Self::Add => "add",
        }
    }
}

/// A picture with noise. `field` has a value for each channel, row and column, as `torch.randn(3, H, W)` gives
/// them; values that are missing count as 0. `level` is t.
pub fn noised(picture: &RgbImage, field: &[f32], ladder: Ladder, level: f64) -> RgbImage {
    let (width, height) = picture.dimensions();
    let plane = (width * height) as usize;
    let (keep, add) = match ladder {
        Ladder::Mix => ((1.0 - level) as f32, level as f32),
        Ladder::Add => (1.0, level as f32),
    };
    let mut out = RgbImage::new(width, height);
    let pixels = out.pixels_mut().zip(picture.pixels());
    for (place, (out, pixel)) in pixels.enumerate() {
        for (channel, (out, value)) in out.0.iter_mut().zip(pixel.0).enumerate() {
            let noise = field.get(channel * plane + place).copied();
            let x = f32::from(value) / 127.5 - 1.0;
            *out = to_byte(keep * x + add * noise.unwrap_or_default());
        }
    }
    out
}

/// What [`Ladder::Mix`] does to the contrast is undone, and nothing else: y / (1 − t). A picture of the other
/// ladder stays as it is.
pub fn rescaled(noisy: &RgbImage, ladder: Ladder, level: f64) -> RgbImage {
    let keep = (1.0 - level) as f32;
    let mut out = noisy.clone();
    if ladder == Ladder::Add || keep <= 0.0 {
        return out;
    }
    for value in out.iter_mut() {
        *value = to_byte((f32::from(*value) / 127.5 - 1.0) / keep);
    }
    out
}

/// A value of −1 to 1 as 8 bits, rounded half up.
fn to_byte(value: f32) -> u8 {
    ((value.clamp(-1.0, 1.0) + 1.0) * 127.5 + 0.5).floor() as u8
}

/// A field with one value for each block of `grain` × `grain` pixels, from the values of the blocks.
pub fn coarse(blocks: &[f32], (width, height): (usize, usize), grain: usize) -> Vec<f32> {
    let grain = grain.max(1);
    let (across, down) = (width.div_ceil(grain), height.div_ceil(grain));
    let mut field = Vec::with_capacity(3 * width * height);
    for channel in 0..3 {
        for y in 0..height {
            for x in 0..width {
                let block = (channel * down + y / grain) * across + x / grain;
                field.push(blocks.get(block).copied().unwrap_or_default());
            }
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn halves() -> RgbImage {
        RgbImage::from_fn(4, 4, |_, y| Rgb([if y < 2 { 200 } else { 40 }; 3]))
    }

    // The tests with torch's noise are in src/prompts/noise.rs.
    #[test]
    fn without_noise_nothing_changes() {
        let field = [0.7; 48];
        for ladder in [Ladder::Mix, Ladder::Add] {
            assert_eq!(noised(&halves(), &field, ladder, 0.0), halves());
        }
        let every = RgbImage::from_fn(16, 16, |x, y| Rgb([(16 * y + x) as u8; 3]));
        assert_eq!(noised(&every, &[], Ladder::Mix, 0.0), every);
    }

    #[test]
    fn contrast_comes_back() {
        let faint = noised(&halves(), &[], Ladder::Mix, 0.5);
        assert_eq!(faint.get_pixel(0, 0).0, [164; 3]);
        assert_eq!(
            rescaled(&faint, Ladder::Mix, 0.5).get_pixel(0, 0).0,
            [201; 3]
        );
        assert_eq!(rescaled(&faint, Ladder::Add, 0.5), faint);
    }

    #[test]
    fn a_grain_is_a_block() {
        let blocks: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let field = coarse(&blocks, (3, 4), 2);
        assert_eq!(field[..6], [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        assert_eq!(field[12..15], [4.0, 4.0, 5.0]);
        assert_eq!(coarse(&blocks, (2, 2), 1)[..4], [0.0, 1.0, 2.0, 3.0]);
    }
}
