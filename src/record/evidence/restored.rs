//! A picture that was cleaned of noise, beside the clean picture.

use super::field::Field;
use serde::{Deserialize, Serialize};

/// How near the output, its noisy input and the input with its contrast restored are to the clean picture.
/// PSNR is in decibels, and null if nothing differs. SSIM is −1 to 1, and null below 11 × 11 pixels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Restored {
    /// PSNR of the output.
    #[serde(default)]
    pub psnr_clean: Field<f64>,
    /// SSIM of the output.
    #[serde(default)]
    pub ssim_clean: Field<f64>,
    /// PSNR of the noisy input.
    #[serde(default)]
    pub psnr_input: Field<f64>,
    /// SSIM of the noisy input.
    #[serde(default)]
    pub ssim_input: Field<f64>,
    /// PSNR of the noisy input after its contrast was restored.
    #[serde(default)]
    pub psnr_rescaled: Field<f64>,
    /// Whether the output was resized to the size of the clean picture.
    #[serde(default)]
    pub resized: bool,
}

impl Restored {
    /// The key that shows this kind.
    pub const KEY: &'static str = "psnr_clean";
}

#[cfg(test)]
mod tests {
    use super::super::{read, written};
    use super::*;

    #[test]
    fn the_keys_and_their_order_are_those_of_the_files() {
        let seen = Restored {
            psnr_clean: Field::Null,
            ssim_clean: 1.0.into(),
            psnr_input: 20.5.into(),
            ssim_input: 0.5.into(),
            psnr_rescaled: 21.0.into(),
            resized: false,
        };
        let value = written(&seen).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"psnr_clean":null,"ssim_clean":1.0,"psnr_input":20.5,"ssim_input":0.5,"psnr_rescaled":21.0,"resized":false}"#
        );
        assert_eq!(read::<Restored>(&value), seen);
    }
}
