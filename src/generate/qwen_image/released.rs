//! The configurations of Qwen-Image and Qwen-Image-Edit.

use crate::generate::released::{ReleasedConfig, released_configs};

/// The configurations of Qwen-Image.
pub(super) const QWEN_IMAGE: &[ReleasedConfig] = released_configs!(
    "Qwen/Qwen-Image",
    "model_index.json" => "qwen-image/model_index.json",
    "transformer/config.json" => "qwen-image/transformer.json",
    "vae/config.json" => "qwen-image/vae.json",
    "text_encoder/config.json" => "qwen2.5-vl-7b.json",
);

/// The configurations of Qwen-Image-Edit, which has the networks of Qwen-Image.
pub(super) const QWEN_IMAGE_EDIT: &[ReleasedConfig] = released_configs!(
    "Qwen/Qwen-Image-Edit",
    "model_index.json" => "qwen-image-edit/model_index.json",
    "transformer/config.json" => "qwen-image/transformer.json",
    "vae/config.json" => "qwen-image/vae.json",
    "text_encoder/config.json" => "qwen2.5-vl-7b.json",
);

/// The configurations of Qwen-Image-Edit-2509, which has the networks of Qwen-Image.
pub(super) const QWEN_IMAGE_EDIT_2509: &[ReleasedConfig] = released_configs!(
    "Qwen/Qwen-Image-Edit-2509",
    "model_index.json" => "qwen-image-edit-2509/model_index.json",
    "transformer/config.json" => "qwen-image/transformer.json",
    "vae/config.json" => "qwen-image/vae.json",
    "text_encoder/config.json" => "qwen2.5-vl-7b.json",
);

/// The configurations of Qwen-Image-Edit-2511, whose transformer modulates references by the time 0.
pub(super) const QWEN_IMAGE_EDIT_2511: &[ReleasedConfig] = released_configs!(
    "Qwen/Qwen-Image-Edit-2511",
    "model_index.json" => "qwen-image-edit-2509/model_index.json",
    "transformer/config.json" => "qwen-image-edit-2511/transformer.json",
    "vae/config.json" => "qwen-image/vae.json",
    "text_encoder/config.json" => "qwen2.5-vl-7b.json",
);
