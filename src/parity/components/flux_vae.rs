//! `flux_vae`: from latents to pixels, and back.

use crate::model::flux_vae::{Decoder, Encoder};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::Device;

/// The component `flux_vae`.
pub(super) const FLUX_VAE: Component = Component {
    name: "flux_vae",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let decoder = checkpoint(&folder, device, Decoder::new)?;
    let decoded = decoder.decode(&case.input("latents")?.to_device(device)?)?;
    drop(decoder);
    let encoder = checkpoint(&folder, device, Encoder::new)?;
    let mean = encoder.mean(&case.input("image")?.to_device(device)?)?;
    Ok([
        ("decoded".into(), decoded),
        ("encoded_latents".into(), encoder.scaled(&mean)?),
        ("encoded_mean".into(), mean),
    ]
    .into())
}
