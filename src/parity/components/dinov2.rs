//! `dinov2` and `dinov2_with_registers`: from pixels of several sizes to states.

use crate::model::dinov2::Dinov2;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::Device;

/// The component `dinov2`.
pub(super) const DINOV2: Component = Component {
    name: "dinov2",
    run,
};

/// The component `dinov2_with_registers`.
pub(super) const DINOV2_WITH_REGISTERS: Component = Component {
    name: "dinov2_with_registers",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let network = checkpoint(&case.checkpoint(), device, Dinov2::new)?;
    case.numbered("pixel_values")
        .map(|(number, pixels)| {
            let states = network.forward(&pixels.to_device(device)?)?;
            Ok((format!("last_hidden_state.{number}"), states))
        })
        .collect()
}
