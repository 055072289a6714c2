//! The configurations of Qwen-Image and Qwen-Image-Edit.

use crate::generate::released::ReleasedConfig;

macro_rules! configs {
    ($repo:literal, $index:literal, $transformer:literal) => {
        &[
            config(
                $repo,
                "model_index.json",
                include_str!(concat!("../../../configs/released/", $index)),
            ),
            config(
                $repo,
                "transformer/config.json",
                include_str!(concat!("../../../configs/released/", $transformer)),
            ),
            config(
                $repo,
                "vae/config.json",
                include_str!("../../../configs/released/qwen-image/vae.json"),
            ),
            config(
                $repo,
                "text_encoder/config.json",
                include_str!("../../../configs/released/qwen2.5-vl-7b.json"),
            ),
        ]
    };
}

const fn config(repo: &'static str, path: &'static str, text: &'static str) -> ReleasedConfig {
    ReleasedConfig { repo, path, text }
}

/// The configurations of Qwen-Image.
pub(super) const QWEN_IMAGE: &[ReleasedConfig] = configs!(
    "Qwen/Qwen-Image",
    "qwen-image/model_index.json",
    "qwen-image/transformer.json"
);

/// The configurations of Qwen-Image-Edit, which has the networks of Qwen-Image.
pub(super) const QWEN_IMAGE_EDIT: &[ReleasedConfig] = configs!(
    "Qwen/Qwen-Image-Edit",
    "qwen-image-edit/model_index.json",
    "qwen-image/transformer.json"
);

/// The configurations of Qwen-Image-Edit-2509, which has the networks of Qwen-Image.
pub(super) const QWEN_IMAGE_EDIT_2509: &[ReleasedConfig] = configs!(
    "Qwen/Qwen-Image-Edit-2509",
    "qwen-image-edit-2509/model_index.json",
    "qwen-image/transformer.json"
);

/// The configurations of Qwen-Image-Edit-2511, whose transformer modulates references by the time 0.
pub(super) const QWEN_IMAGE_EDIT_2511: &[ReleasedConfig] = configs!(
    "Qwen/Qwen-Image-Edit-2511",
    "qwen-image-edit-2509/model_index.json",
    "qwen-image-edit-2511/transformer.json"
);
