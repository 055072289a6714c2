//! The configurations of FLUX.1, whose networks other systems also use.

use crate::generate::released::{ReleasedConfig, released_configs};

/// The configurations of FLUX.1-dev.
pub(crate) const FLUX_1_DEV: &[ReleasedConfig] = released_configs!(
    "black-forest-labs/FLUX.1-dev",
    "transformer/config.json" => "flux-1-dev/transformer.json",
    "vae/config.json" => "flux-1-dev/vae.json",
    "text_encoder/config.json" => "flux-1-dev/text_encoder.json",
    "text_encoder_2/config.json" => "flux-1-dev/text_encoder_2.json",
);

/// The configurations of FLUX.1-schnell, whose transformer takes no guidance.
pub(crate) const FLUX_1_SCHNELL: &[ReleasedConfig] = released_configs!(
    "black-forest-labs/FLUX.1-schnell",
    "transformer/config.json" => "flux-1-schnell/transformer.json",
    "vae/config.json" => "flux-1-dev/vae.json",
    "text_encoder/config.json" => "flux-1-dev/text_encoder.json",
    "text_encoder_2/config.json" => "flux-1-dev/text_encoder_2.json",
);

/// The configurations of FLUX.1-Kontext-dev, which has the networks of FLUX.1-dev.
pub(crate) const FLUX_1_KONTEXT_DEV: &[ReleasedConfig] = released_configs!(
    "black-forest-labs/FLUX.1-Kontext-dev",
    "transformer/config.json" => "flux-1-dev/transformer.json",
    "vae/config.json" => "flux-1-dev/vae.json",
    "text_encoder/config.json" => "flux-1-dev/text_encoder.json",
    "text_encoder_2/config.json" => "flux-1-dev/text_encoder_2.json",
);
