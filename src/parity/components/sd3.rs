//! `sd3_transformer` and `sd3_pipeline`: one evaluation of Stable Diffusion 3, and a whole sampling from ids
//! to pixels.

use crate::model::clip::ProjectedText;
use crate::model::flux_vae::Decoder;
use crate::model::schedulers::{Levels, Sampler, SchedulerConfig};
use crate::model::sd3::{Sd3Prompt, Sd3Transformer, guided};
use crate::model::t5::T5Encoder;
use crate::model::{ModelError, read_config};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::{Device, Tensor};

/// The component `sd3_transformer`.
pub(super) const SD3_TRANSFORMER: Component = Component {
    name: "sd3_transformer",
    run: run_transformer,
};

/// The component `sd3_pipeline`.
pub(super) const SD3_PIPELINE: Component = Component {
    name: "sd3_pipeline",
    run: run_pipeline,
};

fn run_transformer(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let network = checkpoint(&case.checkpoint(), device, Sd3Transformer::new)?;
    let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let velocity = network.forward(
        &input("latents")?,
        &input("timestep")?,
        &input("encoder_hidden_states")?,
        &input("pooled_projections")?,
    )?;
    Ok([("velocity".into(), velocity)].into())
}

/// The prompt of a case, whose inputs have these names.
fn encoded(case: &Case, device: &Device, names: [&str; 3]) -> Result<Sd3Prompt, CaseError> {
    let folder = case.checkpoint();
    let [first_ids, second_ids, long_ids] = names;
    let ids = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let first = checkpoint(&folder.join("text_encoder"), device, ProjectedText::new)?;
    let second = checkpoint(&folder.join("text_encoder_2"), device, ProjectedText::new)?;
    let long = checkpoint(&folder.join("text_encoder_3"), device, T5Encoder::new)?;
    let first = first.forward(&ids(first_ids)?)?;
    let second = second.forward(&ids(second_ids)?)?;
    let long = long.forward(&ids(long_ids)?)?;
    Ok(Sd3Prompt::joined(&first, &second, &long)?)
}

fn run_pipeline(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let prompt = encoded(case, device, ["input_ids", "input_ids_2", "t5_ids"])?;
    let names = ["negative_ids", "negative_ids_2", "negative_t5_ids"];
    let negative = encoded(case, device, names)?;
    let scheduler: SchedulerConfig = read_config(&folder.join("scheduler/scheduler_config.json"))?;
    let steps = case.integers("steps")?.first().copied().unwrap_or(0);
    let plan = scheduler.plan(steps.max(0) as usize, None, Levels::Own)?;
    let guidance: Vec<f32> = case.input("guidance")?.flatten_all()?.to_vec1()?;
    let guidance = guidance.first().copied().map_or(1.0, f64::from);
    let network = checkpoint(&folder.join("transformer"), device, Sd3Transformer::new)?;
    let (mut x, mut first) = (case.input("noise")?.to_device(device)?, None);
    let mut sampler = Sampler::new(&plan);
    for &time in &plan.timesteps {
        let velocity = guided(&network, &x, time, &prompt, Some(&negative), guidance)?;
        x = sampler.step(&x, &velocity, None)?;
        first = first.or(Some(velocity));
    }
    let first = first.ok_or_else(|| ModelError::Input("there are no steps".into()))?;
    let decoder = checkpoint(&folder.join("vae"), device, Decoder::new)?;
    Ok([
        ("prompt_embeds".into(), prompt.context),
        ("pooled".into(), prompt.pooled),
        (
            "sigmas".into(),
            Tensor::new(plan.sigmas.as_slice(), device)?,
        ),
        ("velocity_first".into(), first),
        ("image".into(), decoder.decode(&x)?),
        ("latents".into(), x),
    ]
    .into())
}
