//! The configurations of Z-Image-Turbo.

use crate::generate::released::{ReleasedConfig, released_configs};

/// The configurations of Z-Image-Turbo.
pub(super) const Z_IMAGE_TURBO: &[ReleasedConfig] = released_configs!(
    "Tongyi-MAI/Z-Image-Turbo",
    "transformer/config.json" => "z-image-turbo/transformer.json",
    "vae/config.json" => "flux-1-dev/vae.json",
    "text_encoder/config.json" => "z-image-turbo/text_encoder.json",
);
