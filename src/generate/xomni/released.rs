//! The configurations of X-Omni's checkpoints. The authors' files could not be read. So these configurations
//! follow X-Omni's paper and its code, and `vocab_size` is that of Qwen2.5-7B, from which the model was made.

use crate::generate::released::ReleasedConfig;

const CONFIG: &str = include_str!("../../../configs/released/x-omni/config.json");

const fn config(repo: &'static str, path: &'static str, text: &'static str) -> ReleasedConfig {
    ReleasedConfig { repo, path, text }
}

/// The English and the Chinese checkpoint.
pub(super) const X_OMNI: &[ReleasedConfig] = &[
    config("X-Omni/X-Omni-En", "config.json", CONFIG),
    config(
        "X-Omni/X-Omni-En",
        "diffusers/config.json",
        include_str!("../../../configs/released/x-omni/decoder-en.json"),
    ),
    config("X-Omni/X-Omni-Zh", "config.json", CONFIG),
    config(
        "X-Omni/X-Omni-Zh",
        "diffusers/config.json",
        include_str!("../../../configs/released/x-omni/decoder-zh.json"),
    ),
];
