//! `radio`: from pixels of several sizes to the features of the patches.

use crate::model::radio::Radio;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::Device;

/// The component `radio`.
pub(super) const RADIO: Component = Component { name: "radio", run };

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let network = checkpoint(&case.checkpoint(), device, Radio::new)?;
    case.numbered("pixel_values")
        .map(|(number, pixels)| {
            let features = network.forward(&pixels.to_device(device)?)?;
            Ok((format!("features.{number}"), features))
        })
        .collect()
}
