//! `flux_transformer`: one evaluation of the denoiser.

use crate::model::flux::FluxTransformer;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::Device;

/// The component `flux_transformer`.
pub(super) const FLUX_TRANSFORMER: Component = Component {
    name: "flux_transformer",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
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
