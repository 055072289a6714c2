//! `t5_encoder`: from ids to states. `t5`: from two sequences of ids to states and scores.

use crate::model::t5::{T5, T5Encoder};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::Device;

/// The component `t5_encoder`.
pub(super) const T5_ENCODER: Component = Component {
    name: "t5_encoder",
    run: run_encoder,
};

/// The component `t5`.
pub(super) const T5_WHOLE: Component = Component { name: "t5", run };

fn run_encoder(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let encoder = checkpoint(&case.checkpoint(), device, T5Encoder::new)?;
    let states = encoder.forward(&case.input("input_ids")?.to_device(device)?)?;
    Ok([("last_hidden_state".into(), states)].into())
}

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let t5 = checkpoint(&case.checkpoint(), device, T5::new)?;
    let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let states = t5.encoder.forward(&input("input_ids")?)?;
    let logits = t5.decode(&states, &input("decoder_input_ids")?)?;
    Ok([
        ("encoder_last_hidden_state".into(), states),
        ("logits".into(), logits),
    ]
    .into())
}
