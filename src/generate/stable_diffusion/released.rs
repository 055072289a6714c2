//! The configurations of Stable Diffusion 1.5, XL and 3.5.

use crate::generate::released::{ReleasedConfig, released_configs};

/// The configurations of Stable Diffusion 1.5.
pub(super) const SD_1_5: &[ReleasedConfig] = released_configs!(
    "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "unet/config.json" => "stable-diffusion-1.5/unet.json",
    "vae/config.json" => "stable-diffusion-1.5/vae.json",
    "text_encoder/config.json" => "stable-diffusion-1.5/text_encoder.json",
    "safety_checker/config.json" => "stable-diffusion-1.5/safety_checker.json",
);

/// The configurations of SDXL.
pub(super) const SDXL: &[ReleasedConfig] = released_configs!(
    "stabilityai/stable-diffusion-xl-base-1.0",
    "unet/config.json" => "sdxl/unet.json",
    "vae/config.json" => "sdxl/vae.json",
    "text_encoder/config.json" => "sdxl/text_encoder.json",
    "text_encoder_2/config.json" => "sdxl/text_encoder_2.json",
);

/// The configurations of SDXL-Turbo, which has the networks of SDXL.
pub(super) const SDXL_TURBO: &[ReleasedConfig] = released_configs!(
    "stabilityai/sdxl-turbo",
    "unet/config.json" => "sdxl/unet.json",
    "vae/config.json" => "sdxl/vae.json",
    "text_encoder/config.json" => "sdxl/text_encoder.json",
    "text_encoder_2/config.json" => "sdxl/text_encoder_2.json",
);

/// The configurations of Stable Diffusion 3.5 medium.
pub(super) const SD_3_5_MEDIUM: &[ReleasedConfig] = released_configs!(
    "stabilityai/stable-diffusion-3.5-medium",
    "transformer/config.json" => "sd3.5-medium/transformer.json",
    "vae/config.json" => "sd3.5-medium/vae.json",
    "text_encoder/config.json" => "sd3.5-medium/text_encoder.json",
    "text_encoder_2/config.json" => "sd3.5-medium/text_encoder_2.json",
    "text_encoder_3/config.json" => "sd3.5-medium/text_encoder_3.json",
);

/// The configurations of Stable Diffusion 3.5 large.
pub(super) const SD_3_5_LARGE: &[ReleasedConfig] = released_configs!(
    "stabilityai/stable-diffusion-3.5-large",
    "transformer/config.json" => "sd3.5-large/transformer.json",
    "vae/config.json" => "sd3.5-large/vae.json",
    "text_encoder/config.json" => "sd3.5-large/text_encoder.json",
    "text_encoder_2/config.json" => "sd3.5-large/text_encoder_2.json",
    "text_encoder_3/config.json" => "sd3.5-large/text_encoder_3.json",
);

/// The configurations of Stable Diffusion 3.5 large turbo, which has the networks of 3.5 large.
pub(super) const SD_3_5_LARGE_TURBO: &[ReleasedConfig] = released_configs!(
    "stabilityai/stable-diffusion-3.5-large-turbo",
    "transformer/config.json" => "sd3.5-large/transformer.json",
    "vae/config.json" => "sd3.5-large/vae.json",
    "text_encoder/config.json" => "sd3.5-large/text_encoder.json",
    "text_encoder_2/config.json" => "sd3.5-large/text_encoder_2.json",
    "text_encoder_3/config.json" => "sd3.5-large/text_encoder_3.json",
);
