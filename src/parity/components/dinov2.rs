//! `dinov2` and `dinov2_with_registers`: pixels of several sizes to states.

use super::{Case, CaseError, Tensors, checkpoint};
use crate::model::dinov2::Dinov2;
use candle_core::Device;

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let network = checkpoint(&case.checkpoint(), device, Dinov2::new)?;
    case.numbered("pixel_values")
        .map(|(number, pixels)| {
            let states = network.forward(&pixels.to_device(device)?)?;
            Ok((format!("last_hidden_state.{number}"), states))
        })
        .collect()
}
