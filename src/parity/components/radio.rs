//! `radio`: pixels of several sizes to the features of the patches.

use super::{Case, CaseError, Tensors, checkpoint};
use crate::model::radio::Radio;
use candle_core::Device;

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let network = checkpoint(&case.checkpoint(), device, Radio::new)?;
    case.numbered("pixel_values")
        .map(|(number, pixels)| {
            let features = network.forward(&pixels.to_device(device)?)?;
            Ok((format!("features.{number}"), features))
        })
        .collect()
}
