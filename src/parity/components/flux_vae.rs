//! `flux_vae`: latents to pixels and back.

use super::{Case, CaseError, Tensors, checkpoint};
use crate::model::flux_vae::{Decoder, Encoder};
use candle_core::Device;

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
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
