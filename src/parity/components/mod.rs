//! What a component is given and what it must produce, one file each.

mod clip;
mod clip_flan_t5;
mod clip_text;
mod dinov2;
mod flow_match;
mod flux_transformer;
mod flux_vae;
mod got_ocr2;
mod lpips;
mod mask2former;
mod mplug_vqa;
mod numpy_rng;
mod pillow_resize;
mod qwen2_5_vl;
mod radio;
mod siglip_vision;
mod size;
mod t5;
mod torch_randn;
mod uniworld;
mod vit;
mod xomni;

use super::{Case, CaseError, Tensors};
use crate::model::weights::{Files, load};
use crate::model::{ModelError, Weights, read_config};
use candle_core::{DType, Device};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;

type Run = fn(&Case, &Device) -> Result<Tensors, CaseError>;

/// The components by the name that a case's `model` takes.
const COMPONENTS: &[(&str, Run)] = &[
    ("any_11ratio", |case, _| size::run_ratio(case)),
    ("clip", clip::run),
    ("clip_flan_t5", clip_flan_t5::run),
    ("clip_text", clip_text::run),
    ("dinov2", dinov2::run),
    ("dinov2_with_registers", dinov2::run),
    ("flow_match", flow_match::run),
    ("flux_transformer", flux_transformer::run),
    ("flux_vae", flux_vae::run),
    ("got_ocr2", got_ocr2::run),
    ("lpips", lpips::run),
    ("mask2former", mask2former::run),
    ("mplug_vqa", mplug_vqa::run),
    ("numpy_rng", |case, _| numpy_rng::run(case)),
    ("open_clip", clip::run_open_clip),
    ("pillow_resize", |case, _| pillow_resize::run(case)),
    ("qwen2_5_vl", qwen2_5_vl::run),
    ("qwen_smart_resize", |case, _| size::run_smart(case)),
    ("radio", radio::run),
    ("siglip_vision", siglip_vision::run),
    ("t5", t5::run),
    ("t5_encoder", t5::run_encoder),
    ("torch_randn", |case, _| torch_randn::run(case)),
    ("uniworld", uniworld::run),
    ("vit", vit::run),
    ("xomni_ar", xomni::run_ar),
    ("xomni_decoder_en", xomni::run_decoder),
    ("xomni_decoder_zh", xomni::run_decoder),
    ("xomni_vit_vq", xomni::run_vit_vq),
];

/// The names of all components.
pub fn names() -> Vec<&'static str> {
    COMPONENTS.iter().map(|(name, _)| *name).collect()
}

/// Runs a component on the inputs of a case.
///
/// # Errors
/// Fails if there is none of that name, or its checkpoint or inputs are wrong.
pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    match COMPONENTS.iter().find(|(name, _)| *name == case.model) {
        Some((_, run)) => run(case, device),
        None => Err(CaseError::Unknown {
            path: case.path.clone(),
            name: case.model.clone(),
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
