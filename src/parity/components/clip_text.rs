//! `clip_text`: ids to states and the pooled vector.

use super::{Case, CaseError, Tensors, checkpoint};
use crate::model::clip::ClipText;
use candle_core::Device;

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let tower = checkpoint(&case.checkpoint(), device, ClipText::new)?;
    let states = tower.forward(&case.input("input_ids")?.to_device(device)?)?;
    Ok([
        ("last_hidden_state".into(), states.last_hidden_state),
        ("pooled".into(), states.pooled),
    ]
    .into())
}
