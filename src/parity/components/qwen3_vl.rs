//! `qwen3_vl`: features of images, positions, hidden states, scores, probabilities of answers and a greedy
//! continuation.

use super::qwen2_5_vl::grids;
use crate::model::qwen2_5_vl::{Conversation, Greedy};
use crate::model::qwen3_vl::Qwen3Vl;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint, whole};
use candle_core::{Device, Tensor};

/// The component `qwen3_vl`.
pub(super) const QWEN3_VL: Component = Component {
    name: "qwen3_vl",
    run,
};

const NEW_TOKENS: usize = 8;

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let model = checkpoint(&case.checkpoint(), device, Qwen3Vl::new)?;
    let ids = whole("input_ids", &case.integers("input_ids")?)?;
    let answers = whole("answer_ids", &case.integers("answer_ids")?)?;
    let grids = grids(case)?;
    let pixels = case.input("pixel_values")?.to_device(device)?;
    let images = model.image_features(&pixels, &grids)?;
    let positions = model.positions(&ids, &grids)?.tensor(device)?;
    let hidden = model.hidden_states(&ids, Some(&images), &grids)?;
    let logits = model.logits(&hidden)?;
    let probabilities = model.probabilities(&logits, &answers)?;
    let conversation = Conversation {
        ids,
        pixel_values: Some(pixels),
        grids,
    };
    let greedy = Greedy {
        max_new_tokens: NEW_TOKENS,
        eos: &[],
        repetition_penalty: 1.0,
    };
    let new = model.generate_greedy(&conversation, greedy, &mut |_| true)?;
    let new: Vec<i64> = new.into_iter().map(i64::from).collect();
    let mut tensors: Tensors = [
        ("image_embeds", images.embeds),
        ("position_ids", positions),
        ("last_hidden_state", hidden),
        ("logits", logits),
        ("answer_probs", probabilities),
        ("greedy_ids", Tensor::new(new, device)?.unsqueeze(0)?),
    ]
    .map(|(name, tensor)| (name.to_owned(), tensor))
    .into();
    let deepstack = images.deepstack.into_iter().enumerate();
    tensors.extend(deepstack.map(|(i, features)| (format!("deepstack.{i}"), features)));
    Ok(tensors)
}
