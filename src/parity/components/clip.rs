//! `clip`: vectors of length one and their products, in the layout of transformers. `open_clip`: the vectors
//! with their own lengths. `pickscore`: the scores of pictures for a text, and their probabilities.

use crate::model::clip::{Clip, normalise};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::{DType, Device, Tensor};
use candle_nn::ops::softmax_last_dim;

/// The component `clip`.
pub(super) const CLIP: Component = Component { name: "clip", run };

/// The component `open_clip`.
pub(super) const OPEN_CLIP: Component = Component {
    name: "open_clip",
    run: run_open_clip,
};

/// The component `pickscore`.
pub(super) const PICKSCORE: Component = Component {
    name: "pickscore",
    run: run_pickscore,
};

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

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
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

fn run_open_clip(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let (_, text, image) = features(case, "open_clip_config.json", device)?;
    Ok([
        ("text_features".into(), text),
        ("image_features".into(), image),
    ]
    .into())
}

fn run_pickscore(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let (clip, text, image) = features(case, "config.json", device)?;
    let (text, image) = (normalise(&text)?, normalise(&image)?);
    let scores = (text.matmul(&image.t()?)? * clip.scale()?)?;
    Ok([
        ("text_embeds".into(), text),
        ("image_embeds".into(), image),
        ("probabilities".into(), softmax_last_dim(&scores)?),
        ("scores".into(), scores),
    ]
    .into())
}
