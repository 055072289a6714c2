//! `flux_transformer`: one evaluation of the denoiser.

use crate::model::flux::{FluxConfig, FluxTransformer};
use crate::model::{read_config, weights};
use crate::parity::{Case, CaseError, Tensors};
use candle_core::{DType, Device};
use std::sync::Arc;

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let config: FluxConfig = read_config(&folder.join("config.json"))?;
    let files = Arc::new(weights::Files::open(&folder)?);
    let model = weights::load(&files, DType::F32, device, |weights| {
        FluxTransformer::new(&config, weights)
    })?;
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
