//! Do the networks compute what the Python implementations compute? Cases are folders with a checkpoint,
//! inputs and expected tensors; a component runs the same loader and forward code as the pipelines.

mod case;
mod compare;
mod components;

pub use case::{Case, CaseError, find};
pub use compare::{Row, compare};
pub use components::names;

use std::collections::BTreeMap;

/// Tensors by name.
pub type Tensors = BTreeMap<String, candle_core::Tensor>;

/// Runs the component of a case and compares every expected tensor.
///
/// # Errors
/// Fails if the case or its checkpoint cannot be read, or no component has its name.
pub fn run(case: &Case, device: &candle_core::Device) -> Result<Vec<Row>, CaseError> {
    let got = components::run(case, device)?;
    Ok(compare(case, &got))
}
