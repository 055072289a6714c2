//! `clip_text`: from ids to states and the pooled vector.

use crate::model::clip::ClipText;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::Device;

/// The component `clip_text`.
pub(super) const CLIP_TEXT: Component = Component {
    name: "clip_text",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let tower = checkpoint(&case.checkpoint(), device, ClipText::new)?;
    let states = tower.forward(&case.input("input_ids")?.to_device(device)?)?;
    Ok([
        ("last_hidden_state".into(), states.last_hidden_state),
        ("pooled".into(), states.pooled),
    ]
    .into())
}
