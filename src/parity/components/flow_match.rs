//! `flow_match`: noise levels for given numbers of steps and image tokens.

use crate::model::flow_match::FlowMatchConfig;
use crate::model::{ModelError, read_config};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::{Device, Tensor};

/// The component `flow_match`.
pub(super) const FLOW_MATCH: Component = Component {
    name: "flow_match",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let file = case.path.join("scheduler_config.json");
    let config = if file.exists() {
        read_config(&file)?
    } else {
        FlowMatchConfig::default()
    };
    let (steps, lengths) = (
        counts(case, "num_inference_steps")?,
        counts(case, "image_seq_len")?,
    );
    let mut tensors = Tensors::new();
    let mut mus = Vec::new();
    for (k, (&steps, &length)) in steps.iter().zip(&lengths).enumerate() {
        mus.push(config.mu(length)? as f32);
        let sigmas = config.sigmas(steps, length)?;
        tensors.insert(format!("sigmas.{k}"), Tensor::new(sigmas, device)?);
    }
    tensors.insert("mu".into(), Tensor::new(mus, device)?);
    Ok(tensors)
}

fn counts(case: &Case, name: &str) -> Result<Vec<usize>, CaseError> {
    let counts = case.integers(name)?.into_iter().map(usize::try_from);
    Ok(counts
        .collect::<Result<_, _>>()
        .map_err(|_| ModelError::Input(format!("`{name}` contains a negative count")))?)
}
