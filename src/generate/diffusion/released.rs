//! The configurations of FLUX.1, whose networks other systems also use.

use crate::generate::released::ReleasedConfig;

macro_rules! configs {
    ($repo:literal, $transformer:literal) => {
        &[
            config(
                $repo,
                "transformer/config.json",
                include_str!(concat!("../../../configs/released/", $transformer)),
            ),
            config(
                $repo,
                "vae/config.json",
                include_str!("../../../configs/released/flux-1-dev/vae.json"),
            ),
            config(
                $repo,
                "text_encoder/config.json",
                include_str!("../../../configs/released/flux-1-dev/text_encoder.json"),
            ),
            config(
                $repo,
                "text_encoder_2/config.json",
                include_str!("../../../configs/released/flux-1-dev/text_encoder_2.json"),
            ),
        ]
    };
}

const fn config(repo: &'static str, path: &'static str, text: &'static str) -> ReleasedConfig {
    ReleasedConfig { repo, path, text }
}

/// The configurations of FLUX.1-dev.
pub(crate) const FLUX_1_DEV: &[ReleasedConfig] = configs!(
    "black-forest-labs/FLUX.1-dev",
    "flux-1-dev/transformer.json"
);

/// The configurations of FLUX.1-schnell, whose transformer takes no guidance.
pub(crate) const FLUX_1_SCHNELL: &[ReleasedConfig] = configs!(
    "black-forest-labs/FLUX.1-schnell",
    "flux-1-schnell/transformer.json"
);

/// The configurations of FLUX.1-Kontext-dev, which has the networks of FLUX.1-dev.
pub(crate) const FLUX_1_KONTEXT_DEV: &[ReleasedConfig] = configs!(
    "black-forest-labs/FLUX.1-Kontext-dev",
    "flux-1-dev/transformer.json"
);
