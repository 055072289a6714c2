//! What a component is given and what it must produce, one file each.

mod pillow_resize;

use super::{Case, CaseError, Tensors};
use candle_core::Device;

/// The components by the name that a case's `model` takes.
pub const NAMES: [&str; 1] = ["pillow_resize"];

/// Runs a component on the inputs of a case.
///
/// # Errors
/// When there is none of that name, or its checkpoint or inputs are wrong.
pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let _ = device;
    match case.model.as_str() {
        "pillow_resize" => pillow_resize::run(case),
        name => Err(CaseError::Unknown {
            path: case.path.clone(),
            name: name.into(),
        }),
    }
}
