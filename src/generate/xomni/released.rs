//! The configurations of X-Omni's checkpoints. The authors' files could not be read. So these configurations
//! follow X-Omni's paper and its code, and `vocab_size` is that of Qwen2.5-7B, from which the model was made.

use crate::generate::released::{ReleasedConfig, released_configs};

/// The English checkpoint.
pub(super) const X_OMNI_EN: &[ReleasedConfig] = released_configs!(
    "X-Omni/X-Omni-En",
    "config.json" => "x-omni/config.json",
    "diffusers/config.json" => "x-omni/decoder-en.json",
);

/// The Chinese checkpoint.
pub(super) const X_OMNI_ZH: &[ReleasedConfig] = released_configs!(
    "X-Omni/X-Omni-Zh",
    "config.json" => "x-omni/config.json",
    "diffusers/config.json" => "x-omni/decoder-zh.json",
);
