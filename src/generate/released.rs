//! The configurations of released checkpoints, for questions about a model whose files are not here.
//!
//! They hold the fields that the networks are built from, as the authors' `config.json` have them. X-Omni's could not be read:
//! they follow its paper and its code, and `vocab_size` is that of the Qwen2.5-7B that it is made of.

use crate::files::{FileError, write_whole};
use std::path::Path;

/// Repository, path in it, content.
const CONFIGS: &[(&str, &str, &str)] = &[
    (
        "LanguageBind/UniWorld-V1",
        "config.json",
        include_str!("../../configs/released/uniworld-v1.json"),
    ),
    (
        "Qwen/Qwen2.5-VL-7B-Instruct",
        "config.json",
        include_str!("../../configs/released/qwen2.5-vl-7b.json"),
    ),
    (
        "google/siglip2-so400m-patch16-512",
        "config.json",
        include_str!("../../configs/released/siglip2-so400m-patch16-512.json"),
    ),
    (
        "black-forest-labs/FLUX.1-dev",
        "transformer/config.json",
        include_str!("../../configs/released/flux-1-dev/transformer.json"),
    ),
    (
        "black-forest-labs/FLUX.1-dev",
        "vae/config.json",
        include_str!("../../configs/released/flux-1-dev/vae.json"),
    ),
    (
        "black-forest-labs/FLUX.1-dev",
        "text_encoder/config.json",
        include_str!("../../configs/released/flux-1-dev/text_encoder.json"),
    ),
    (
        "black-forest-labs/FLUX.1-dev",
        "text_encoder_2/config.json",
        include_str!("../../configs/released/flux-1-dev/text_encoder_2.json"),
    ),
    (
        "X-Omni/X-Omni-En",
        "config.json",
        include_str!("../../configs/released/x-omni/config.json"),
    ),
    (
        "X-Omni/X-Omni-En",
        "diffusers/config.json",
        include_str!("../../configs/released/x-omni/decoder-en.json"),
    ),
    (
        "X-Omni/X-Omni-Zh",
        "config.json",
        include_str!("../../configs/released/x-omni/config.json"),
    ),
    (
        "X-Omni/X-Omni-Zh",
        "diffusers/config.json",
        include_str!("../../configs/released/x-omni/decoder-zh.json"),
    ),
];

/// Writes the configurations of a repository below `folder`; those that are there stay.
///
/// # Errors
/// When the disk refuses.
pub fn lay_out(repo: &str, folder: &Path) -> Result<(), FileError> {
    for (_, path, text) in CONFIGS.iter().filter(|(owner, _, _)| *owner == repo) {
        let path = folder.join(path);
        if !path.exists() {
            write_whole(&path, text.as_bytes())?;
        }
    }
    Ok(())
}
