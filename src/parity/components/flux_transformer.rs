//! `flux_transformer`: one evaluation of the denoiser.

use super::{Case, CaseError, Tensors, checkpoint};
use crate::model::flux::FluxTransformer;
use candle_core::Device;

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let model = checkpoint(&case.checkpoint(), device, FluxTransformer::new)?;
    let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let guidance = case.inputs.get("guidance");
    let guidance = guidance.map(|scale| scale.to_device(device)).transpose()?;
    let conditioning = model.prepare(
        &input("encoder_hidden_states")?,
        &input("pooled_projections")?,
        guidance.as_ref(),
        &input("img_ids")?,
        &input("txt_ids")?,
    )?;
    let latents = input("hidden_states")?;
    let sample = model.forward(&latents, &conditioning, &input("timestep")?, None)?;
    Ok([("sample".into(), sample)].into())
}
