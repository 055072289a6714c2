//! The configurations of Stable Diffusion 1.5 and XL.

use crate::generate::released::ReleasedConfig;

macro_rules! configs {
    ($repo:literal, $folder:literal, $($part:literal),+) => {
        &[$(ReleasedConfig {
            repo: $repo,
            path: concat!($part, "/config.json"),
            text: include_str!(concat!(
                "../../../configs/released/", $folder, "/", $part, ".json"
            )),
        }),+]
    };
}

/// The configurations of Stable Diffusion 1.5.
pub(super) const SD_1_5: &[ReleasedConfig] = configs!(
    "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "stable-diffusion-1.5",
    "unet",
    "vae",
    "text_encoder",
    "safety_checker"
);

/// The configurations of SDXL.
pub(super) const SDXL: &[ReleasedConfig] = configs!(
    "stabilityai/stable-diffusion-xl-base-1.0",
    "sdxl",
    "unet",
    "vae",
    "text_encoder",
    "text_encoder_2"
);

/// The configurations of SDXL-Turbo, which has the networks of SDXL.
pub(super) const SDXL_TURBO: &[ReleasedConfig] = configs!(
    "stabilityai/sdxl-turbo",
    "sdxl",
    "unet",
    "vae",
    "text_encoder",
    "text_encoder_2"
);

/// The configurations of Stable Diffusion 3.5 medium.
pub(super) const SD_3_5_MEDIUM: &[ReleasedConfig] = configs!(
    "stabilityai/stable-diffusion-3.5-medium",
    "sd3.5-medium",
    "transformer",
    "vae",
    "text_encoder",
    "text_encoder_2",
    "text_encoder_3"
);

/// The configurations of Stable Diffusion 3.5 large.
pub(super) const SD_3_5_LARGE: &[ReleasedConfig] = configs!(
    "stabilityai/stable-diffusion-3.5-large",
    "sd3.5-large",
    "transformer",
    "vae",
    "text_encoder",
    "text_encoder_2",
    "text_encoder_3"
);

/// The configurations of Stable Diffusion 3.5 large turbo, which has the networks of 3.5 large.
pub(super) const SD_3_5_LARGE_TURBO: &[ReleasedConfig] = configs!(
    "stabilityai/stable-diffusion-3.5-large-turbo",
    "sd3.5-large",
    "transformer",
    "vae",
    "text_encoder",
    "text_encoder_2",
    "text_encoder_3"
);
