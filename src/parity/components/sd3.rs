//! `sd3_transformer` and `sd3_pipeline`: one evaluation of Stable Diffusion 3, and a whole sampling from ids to
//! pixels.

use crate::model::clip::ProjectedText;
use crate::model::flux_vae::Decoder;
use crate::model::schedulers::{Levels, Sampler, SchedulerConfig};
use crate::model::sd3::Sd3Transformer;
use crate::model::t5::T5Encoder;
use crate::model::{ModelError, read_config};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::{D, Device, Tensor};

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

/// The states of two texts, [2, L, J], and their pooled vectors, [2, Q]: the negative one first.
fn encoded(case: &Case, device: &Device) -> Result<(Tensor, Tensor), CaseError> {
    let folder = case.checkpoint();
    let both = |negative: &str, positive: &str| -> Result<Tensor, CaseError> {
        let ids = [case.input(negative)?, case.input(positive)?];
        Ok(Tensor::cat(&ids, 0)?.to_device(device)?)
    };
    let first = checkpoint(&folder.join("text_encoder"), device, ProjectedText::new)?;
    let second = checkpoint(&folder.join("text_encoder_2"), device, ProjectedText::new)?;
    let long = checkpoint(&folder.join("text_encoder_3"), device, T5Encoder::new)?;
    let first = first.forward(&both("negative_ids", "input_ids")?)?;
    let second = second.forward(&both("negative_ids_2", "input_ids_2")?)?;
    let long = long.forward(&both("negative_t5_ids", "t5_ids")?)?;
    let short = Tensor::cat(&[&first.penultimate, &second.penultimate], D::Minus1)?;
    let missing = long.dim(D::Minus1)?.checked_sub(short.dim(D::Minus1)?);
    let missing =
        missing.ok_or_else(|| ModelError::Input("both CLIPs together are wider than T5".into()))?;
    let short = short.pad_with_zeros(D::Minus1, 0, missing)?;
    let pooled = Tensor::cat(&[&first.pooled, &second.pooled], D::Minus1)?;
    Ok((Tensor::cat(&[&short, &long], 1)?, pooled))
}

fn run_pipeline(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let (context, pooled) = encoded(case, device)?;
    let scheduler: SchedulerConfig = read_config(&folder.join("scheduler/scheduler_config.json"))?;
    let steps = case.integers("steps")?.first().copied().unwrap_or(0);
    let plan = scheduler.plan(steps.max(0) as usize, None, Levels::Own)?;
    let guidance: Vec<f32> = case.input("guidance")?.flatten_all()?.to_vec1()?;
    let guidance = guidance.first().copied().map_or(1.0, f64::from);
    let network = checkpoint(&folder.join("transformer"), device, Sd3Transformer::new)?;
    let (mut x, mut first) = (case.input("noise")?.to_device(device)?, None);
    let mut sampler = Sampler::new(&plan);
    for &time in &plan.timesteps {
        let times = Tensor::new(&[time, time], device)?;
        let twice = Tensor::cat(&[&x, &x], 0)?;
        let both = network.forward(&twice, &times, &context, &pooled)?;
        let (without, with) = (both.narrow(0, 0, 1)?, both.narrow(0, 1, 1)?);
        let velocity = (&without + ((with - &without)? * guidance)?)?;
        x = sampler.step(&x, &velocity, None)?;
        first = first.or(Some(velocity));
    }
    let first = first.ok_or_else(|| ModelError::Input("there are no steps".into()))?;
    let decoder = checkpoint(&folder.join("vae"), device, Decoder::new)?;
    Ok([
        ("prompt_embeds".into(), context.narrow(0, 1, 1)?),
        ("pooled".into(), pooled.narrow(0, 1, 1)?),
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
