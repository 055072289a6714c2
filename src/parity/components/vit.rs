//! `vit`: from pixels of several sizes to states and to the keys of the last layer.

use crate::model::vit::Vit;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::Device;

/// The component `vit`.
pub(super) const VIT: Component = Component { name: "vit", run };

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let network = checkpoint(&case.checkpoint(), device, Vit::new)?;
    let mut tensors = Tensors::new();
    for (number, pixels) in case.numbered("pixel_values") {
        let pixels = pixels.to_device(device)?;
        tensors.insert(
            format!("last_hidden_state.{number}"),
            network.forward(&pixels)?,
        );
        tensors.insert(format!("keys.{number}"), network.keys(&pixels)?);
    }
    Ok(tensors)
}
