//! What a component is given and what it must produce, one file each.

mod numpy_rng;
mod pillow_resize;
mod size;
mod torch_randn;

use super::{Case, CaseError, Tensors};
use candle_core::Device;

/// The components by the name that a case's `model` takes.
pub const NAMES: [&str; 5] = [
    "any_11ratio",
    "numpy_rng",
    "pillow_resize",
    "qwen_smart_resize",
    "torch_randn",
];

/// Runs a component on the inputs of a case.
///
/// # Errors
/// When there is none of that name, or its checkpoint or inputs are wrong.
pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let _ = device;
    match case.model.as_str() {
        "any_11ratio" => size::run_ratio(case),
        "numpy_rng" => numpy_rng::run(case),
        "qwen_smart_resize" => size::run_smart(case),
        "torch_randn" => torch_randn::run(case),
        "pillow_resize" => pillow_resize::run(case),
        name => Err(CaseError::Unknown {
            path: case.path.clone(),
            name: name.into(),
        }),
    }
}
