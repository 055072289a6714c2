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
    "text_encoder"
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
