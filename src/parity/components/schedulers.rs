//! `schedulers`: the times, the noise levels and the whole trajectory of each scheduler, with a small network
//! that is written in the case.

use crate::model::schedulers::{Levels, Plan, Sampler, SchedulerConfig};
use crate::model::{ModelError, read_config};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, whole};
use candle_core::{Device, Tensor};

/// The component `schedulers`.
pub(super) const SCHEDULERS: Component = Component {
    name: "schedulers",
    run,
};

fn run(case: &Case, _: &Device) -> Result<Tensors, CaseError> {
    let numbers = |name: &str| Ok::<_, CaseError>(whole(name, &case.integers(name)?)?);
    let (steps, tokens, spaced) = (
        numbers("steps")?,
        numbers("image_seq_len")?,
        numbers("spaced")?,
    );
    let mut tensors = Tensors::new();
    for (k, ((steps, tokens), spaced)) in steps.into_iter().zip(tokens).zip(spaced).enumerate() {
        let file = format!("{k}/scheduler_config.json");
        let config: SchedulerConfig = read_config(&case.checkpoint().join(file))?;
        let tokens = (tokens > 0).then_some(tokens as usize);
        let levels = if spaced == 1 {
            Levels::Even
        } else {
            Levels::Own
        };
        let plan = config.plan(steps as usize, tokens, levels)?;
        let row = |values: &[f32]| Tensor::new(values, &Device::Cpu);
        tensors.insert(format!("timesteps.{k}"), row(&plan.timesteps)?);
        if !plan.sigmas.is_empty() {
            tensors.insert(format!("sigmas.{k}"), row(&plan.sigmas)?);
        }
        tensors.insert(format!("trajectory.{k}"), trajectory(case, k, &plan)?);
    }
    Ok(tensors)
}

/// The start, and the state after each evaluation.
fn trajectory(case: &Case, k: usize, plan: &Plan) -> Result<Tensor, CaseError> {
    let (weight, drift) = (case.input("weight")?, case.input("drift")?);
    let mut x = (case.input(&format!("sample.{k}"))? * plan.init_noise_sigma())?;
    let mut path = vec![x.clone()];
    let mut sampler = Sampler::new(plan);
    for (number, &time) in plan.timesteps.iter().enumerate() {
        let seen = (&x * plan.input_scale(number))?;
        let pushed = (drift * f64::from(time / 1000.0))?;
        let guess = ((weight * seen)? + pushed)?.tanh()?;
        let noise = if plan.adds_noise() {
            let rows = case.input(&format!("noise.{k}"))?;
            Some(rows.get(number).map_err(ModelError::from)?)
        } else {
            None
        };
        x = sampler.step(&x, &guess, noise.as_ref())?;
        path.push(x.clone());
    }
    Ok(Tensor::stack(&path, 0)?)
}
