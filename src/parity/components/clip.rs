//! `clip`: unit vectors and their products, in the layout of transformers; `open_clip`: the vectors as they
//! are.

use super::{Case, CaseError, Tensors};
use crate::model::clip::{Clip, normalise};
use candle_core::{DType, Device, Tensor};

fn features(
    case: &Case,
    config: &str,
    device: &Device,
) -> Result<(Clip, Tensor, Tensor), CaseError> {
    let folder = case.checkpoint();
    let clip = Clip::open(&folder.join(config), &folder, DType::F32, device)?;
    let text = clip.text_features(&case.input("input_ids")?.to_device(device)?)?;
    let image = clip.image_features(&case.input("pixel_values")?.to_device(device)?)?;
    Ok((clip, text, image))
}

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let (clip, text, image) = features(case, "config.json", device)?;
    let (text, image) = (normalise(&text)?, normalise(&image)?);
    let logits = (image.matmul(&text.t()?)? * clip.scale()?)?;
    Ok([
        ("text_embeds".into(), text),
        ("image_embeds".into(), image),
        ("logits_per_image".into(), logits),
    ]
    .into())
}

pub(super) fn run_open_clip(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let (_, text, image) = features(case, "open_clip_config.json", device)?;
    Ok([
        ("text_features".into(), text),
        ("image_features".into(), image),
    ]
    .into())
}
