//! `z_image`: a sampling from ids to pixels.

use crate::model::flux_vae::Decoder;
use crate::model::schedulers::{Levels, Sampler, SchedulerConfig};
use crate::model::z_image::{ZImageText, ZImageTransformer};
use crate::model::{ModelError, read_config};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::{Device, Tensor};

/// The component `z_image`.
pub(super) const Z_IMAGE: Component = Component {
    name: "z_image",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let text = checkpoint(&folder.join("text_encoder"), device, ZImageText::new)?;
    let states = text.forward(&case.input("input_ids")?.to_device(device)?)?;
    let negative = match case.inputs.get("negative_ids") {
        Some(ids) => Some(text.forward(&ids.to_device(device)?)?),
        None => None,
    };
    drop(text);
    let scheduler: SchedulerConfig = read_config(&folder.join("scheduler/scheduler_config.json"))?;
    let steps = case.integers("steps")?.first().copied().unwrap_or(0);
    let plan = scheduler.plan(steps.max(0) as usize, None, Levels::Even)?;
    let guidance: Vec<f32> = case.input("guidance")?.flatten_all()?.to_vec1()?;
    let guidance = guidance.first().copied().map_or(0.0, f64::from);
    let network = checkpoint(&folder.join("transformer"), device, ZImageTransformer::new)?;
    let caption = network.caption(&states)?;
    let negative = negative
        .map(|states| network.caption(&states))
        .transpose()?;
    let (mut x, mut first) = (case.input("noise")?.to_device(device)?, None);
    let mut sampler = Sampler::new(&plan);
    for sigma in plan.sigmas.iter().take(plan.timesteps.len()) {
        let time = Tensor::new(&[1.0 - sigma], device)?;
        let output = network.forward(&x, &time, &caption)?;
        let guided = match &negative {
            Some(negative) => {
                let without = network.forward(&x, &time, negative)?;
                (&output + ((&output - without)? * guidance)?)?
            }
            None => output.clone(),
        };
        first = first.or(Some(output));
        x = sampler.step(&x, &guided.neg()?, None)?;
    }
    let first = first.ok_or_else(|| ModelError::Input("there are no steps".into()))?;
    let decoder = checkpoint(&folder.join("vae"), device, Decoder::new)?;
    Ok([
        ("cap_feats".into(), states),
        (
            "sigmas".into(),
            Tensor::new(plan.sigmas.as_slice(), device)?,
        ),
        ("network_first".into(), first),
        ("image".into(), decoder.decode(&x)?),
        ("latents".into(), x),
    ]
    .into())
}
