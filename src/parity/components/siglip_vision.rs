//! `siglip_vision`: from pixels to patch tokens.

use crate::model::siglip::{SiglipConfig, SiglipVision};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::Device;

/// The component `siglip_vision`.
pub(super) const SIGLIP_VISION: Component = Component {
    name: "siglip_vision",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let tower = checkpoint(
        &case.checkpoint(),
        device,
        |config: &SiglipConfig, weights| SiglipVision::new(config.vision(), weights),
    )?;
    let states = tower.forward(&case.input("pixel_values")?.to_device(device)?)?;
    Ok([("last_hidden_state".into(), states)].into())
}
