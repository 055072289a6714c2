//! `t5_encoder`: ids to states.

use super::{Case, CaseError, Tensors, checkpoint};
use crate::model::t5::T5Encoder;
use candle_core::Device;

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let encoder = checkpoint(&case.checkpoint(), device, T5Encoder::new)?;
    let states = encoder.forward(&case.input("input_ids")?.to_device(device)?)?;
    Ok([("last_hidden_state".into(), states)].into())
}
