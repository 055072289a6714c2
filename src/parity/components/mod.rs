//! What a component is given and what it must produce, one file each.

mod clip_text;
mod flux_vae;
mod siglip_vision;
mod t5_encoder;
mod qwen2_5_vl;
mod flow_match;
mod flux_transformer;
mod numpy_rng;
mod pillow_resize;
mod size;
mod torch_randn;

use super::{Case, CaseError, Tensors};
use crate::model::weights::{Files, load};
use crate::model::{ModelError, Weights, read_config};
use candle_core::{DType, Device};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;

/// The components by the name that a case's `model` takes.
pub const NAMES: [&str; 4] = ["clip_text", "flux_vae", "siglip_vision", "t5_encoder"];
pub const NAMES: [&str; 1] = ["qwen2_5_vl"];
pub const NAMES: [&str; 2] = ["flow_match", "flux_transformer"];
pub const NAMES: [&str; 5] = [
    "any_11ratio",
    "numpy_rng",
    "pillow_resize",
    "qwen_smart_resize",
    "torch_randn",
];

/// Runs a component on the inputs of a case.
///
/// # Errors
/// When there is none of that name, or its checkpoint or inputs are wrong.
pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    match case.model.as_str() {
        "clip_text" => clip_text::run(case, device),
        "flux_vae" => flux_vae::run(case, device),
        "siglip_vision" => siglip_vision::run(case, device),
        "t5_encoder" => t5_encoder::run(case, device),
        "qwen2_5_vl" => qwen2_5_vl::run(case, device),
        "flow_match" => flow_match::run(case, device),
        "flux_transformer" => flux_transformer::run(case, device),
        "any_11ratio" => size::run_ratio(case),
        "numpy_rng" => numpy_rng::run(case),
        "qwen_smart_resize" => size::run_smart(case),
        "torch_randn" => torch_randn::run(case),
        "pillow_resize" => pillow_resize::run(case),
        name => Err(CaseError::Unknown {
            path: case.path.clone(),
            name: name.into(),
        }),
    }
}

/// Loads a network in f32 from a folder with `config.json` and weights, as the pipelines do.
fn checkpoint<C: DeserializeOwned, T>(
    folder: &Path,
    device: &Device,
    build: impl Fn(&C, &Weights) -> Result<T, ModelError>,
) -> Result<T, CaseError> {
    let config: C = read_config(&folder.join("config.json"))?;
    let files = Arc::new(Files::open(folder)?);
    Ok(load(&files, DType::F32, device, |weights| {
        build(&config, weights)
    })?)
}
