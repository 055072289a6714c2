//! `siglip_vision`: pixels to patch tokens.

use super::{Case, CaseError, Tensors, checkpoint};
use crate::model::siglip::{SiglipConfig, SiglipVision};
use candle_core::Device;

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let tower = checkpoint(
        &case.checkpoint(),
        device,
        |config: &SiglipConfig, weights| SiglipVision::new(config.vision(), weights),
    )?;
    let states = tower.forward(&case.input("pixel_values")?.to_device(device)?)?;
    Ok([("last_hidden_state".into(), states)].into())
}
