//! The configurations of Z-Image-Turbo.

use crate::generate::released::ReleasedConfig;

const fn config(path: &'static str, text: &'static str) -> ReleasedConfig {
    ReleasedConfig {
        repo: "Tongyi-MAI/Z-Image-Turbo",
        path,
        text,
    }
}

/// The configurations of Z-Image-Turbo.
pub(super) const Z_IMAGE_TURBO: &[ReleasedConfig] = &[
    config(
        "transformer/config.json",
        include_str!("../../../configs/released/z-image-turbo/transformer.json"),
    ),
    config(
        "vae/config.json",
        include_str!("../../../configs/released/flux-1-dev/vae.json"),
    ),
    config(
        "text_encoder/config.json",
        include_str!("../../../configs/released/z-image-turbo/text_encoder.json"),
    ),
];
