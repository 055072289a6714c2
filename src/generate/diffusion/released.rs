//! The configurations of FLUX.1-dev, whose networks other systems also use.

use crate::generate::released::ReleasedConfig;

const fn config(path: &'static str, text: &'static str) -> ReleasedConfig {
    ReleasedConfig {
        repo: "black-forest-labs/FLUX.1-dev",
        path,
        text,
    }
}

/// The configurations of FLUX.1-dev.
pub(crate) const FLUX_1_DEV: &[ReleasedConfig] = &[
    config(
        "transformer/config.json",
        include_str!("../../../configs/released/flux-1-dev/transformer.json"),
    ),
    config(
        "vae/config.json",
        include_str!("../../../configs/released/flux-1-dev/vae.json"),
    ),
    config(
        "text_encoder/config.json",
        include_str!("../../../configs/released/flux-1-dev/text_encoder.json"),
    ),
    config(
        "text_encoder_2/config.json",
        include_str!("../../../configs/released/flux-1-dev/text_encoder_2.json"),
    ),
];
