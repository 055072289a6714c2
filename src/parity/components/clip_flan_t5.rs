//! `clip_flan_t5`: from a picture, the ids around it and an answer to the score of the answer.

use crate::model::ModelError;
use crate::model::clip_flan_t5::{ClipFlanT5, Place, Prompt, log_probabilities, score};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, whole};
use candle_core::{DType, Device, Tensor};

/// The component `clip_flan_t5`.
pub(super) const CLIP_FLAN_T5: Component = Component {
    name: "clip_flan_t5",
    run,
};

/// The number in `input_ids` in the place of the picture.
const IMAGE: i64 = -200;

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let tower = folder.join("vision_tower");
    let config = |folder: &std::path::Path| folder.join("config.json");
    let network = ClipFlanT5::open(
        Place {
            config: &config(&folder),
            weights: &folder,
        },
        Place {
            config: &config(&tower),
            weights: &tower,
        },
        DType::F32,
        device,
    )?;
    let ids = case.integers("input_ids")?;
    let parts: Vec<&[i64]> = ids.split(|id| *id == IMAGE).collect();
    let [before, after] = parts[..] else {
        return Err(
            ModelError::Input("input_ids do not contain exactly one picture".into()).into(),
        );
    };
    let prompt = Prompt {
        before: whole("input_ids", before)?,
        after: whole("input_ids", after)?,
    };
    let labels = whole("labels", &case.integers("labels")?)?;
    let [vocabulary] = whole("vocabulary", &case.integers("vocabulary")?)?[..] else {
        return Err(ModelError::Input("vocabulary is not one number".into()).into());
    };

    let features = network.image_features(&case.input("pixel_values")?.to_device(device)?)?;
    let states = network.encode(&prompt, &features)?;
    let logits = network.answer_logits(&states, &labels)?;
    let logs = log_probabilities(&logits, &labels, vocabulary as usize)?;
    let scored = score(&logs) as f32;
    Ok([
        ("image_features".into(), features),
        ("encoder_last_hidden_state".into(), states),
        ("logits".into(), logits),
        ("score".into(), Tensor::new(&[scored], &Device::Cpu)?),
    ]
    .into())
}
