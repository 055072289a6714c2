//! What a component is given and what it must produce, one file each.

mod flow_match;
mod flux_transformer;

use super::{Case, CaseError, Tensors};
use candle_core::Device;

/// The components by the name that a case's `model` takes.
pub const NAMES: [&str; 2] = ["flow_match", "flux_transformer"];

/// Runs a component on the inputs of a case.
///
/// # Errors
/// When there is none of that name, or its checkpoint or inputs are wrong.
pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    match case.model.as_str() {
        "flow_match" => flow_match::run(case, device),
        "flux_transformer" => flux_transformer::run(case, device),
        name => Err(CaseError::Unknown {
            path: case.path.clone(),
            name: name.into(),
        }),
    }
}
