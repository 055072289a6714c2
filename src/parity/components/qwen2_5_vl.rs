//! `qwen2_5_vl`: image vectors, positions, hidden states, scores and a greedy continuation.

use crate::model::conversation::Conversation;
use crate::model::qwen2_5_vl::{Greedy, Qwen2_5Vl};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint, whole};
use candle_core::{Device, Tensor};

/// The component `qwen2_5_vl`.
pub(super) const QWEN2_5_VL: Component = Component {
    name: "qwen2_5_vl",
    run,
};

const NEW_TOKENS: usize = 12;

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let model = checkpoint(&case.checkpoint(), device, Qwen2_5Vl::new)?;
    let ids = whole("input_ids", &case.integers("input_ids")?)?;
    let grids = grids(case)?;
    let pixels = case.input("pixel_values")?.to_device(device)?;
    let images = model.image_embeds(&pixels, &grids)?;
    let positions = model.positions(&ids, &grids)?.tensor(device)?;
    let hidden = model.hidden_states(&ids, Some(&images), &grids)?;
    let logits = model.logits(&hidden)?;
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
    Ok([
        ("image_embeds", images),
        ("position_ids", positions),
        ("last_hidden_state", hidden),
        ("logits", logits),
        ("greedy_ids", Tensor::new(new, device)?.unsqueeze(0)?),
    ]
    .map(|(name, tensor)| (name.to_owned(), tensor))
    .into())
}

/// The (t, h, w) of every image, in patches.
pub(super) fn grids(case: &Case) -> Result<Vec<[usize; 3]>, CaseError> {
    let grids = whole("image_grid_thw", &case.integers("image_grid_thw")?)?;
    let (grids, _) = grids.as_chunks::<3>();
    Ok(grids.iter().map(|g| g.map(|n: u32| n as usize)).collect())
}
