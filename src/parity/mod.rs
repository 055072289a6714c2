//! Comparison of the networks with the Python implementations. A case is a folder with a checkpoint, inputs
//! and expected tensors. A component runs the same loader and the same forward code as the pipelines.

mod case;
mod compare;
mod component;
mod components;

pub use case::{Case, CaseError, Tensors, find};
pub use compare::{Row, compare};
pub use component::Component;
pub use components::COMPONENTS;

/// Runs the component of a case and compares every expected tensor.
///
/// # Errors
/// Fails if the case or its checkpoint cannot be read, or if the component is unknown.
pub fn run(case: &Case, device: &candle_core::Device) -> Result<Vec<Row>, CaseError> {
    let named = COMPONENTS
        .iter()
        .find(|component| component.name == case.model);
    let component = named.ok_or_else(|| {
        let names: Vec<&str> = COMPONENTS.iter().map(|component| component.name).collect();
        CaseError::Unknown {
            path: case.path.clone(),
            name: case.model.clone(),
            known: names.join(", "),
        }
    })?;
    Ok(compare(case, &(component.run)(case, device)?))
}
