//! A component: a value of the key `model` of a case, and the code that produces the tensors of the case.

use super::case::{Case, CaseError, Tensors};
use crate::model::weights::{Files, load};
use crate::model::{ModelError, Weights, read_config};
use candle_core::{DType, Device};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;

/// Everything that is known of a component. The value is in the file of the component.
#[derive(Debug, Clone, Copy)]
pub struct Component {
    /// The name, which the key `model` of a case has.
    pub name: &'static str,
    /// Computes the tensors that the case expects, from its inputs and its checkpoint.
    pub run: fn(&Case, &Device) -> Result<Tensors, CaseError>,
}

/// Loads a network in f32 from a folder with `config.json` and weights, as pipelines do.
///
/// # Errors
/// Fails if the configuration or the weights are absent or wrong.
pub(super) fn checkpoint<C: DeserializeOwned, T>(
    folder: &Path,
    device: &Device,
    build: impl Fn(&C, &Weights) -> Result<T, ModelError>,
) -> Result<T, CaseError> {
    let config: C = read_config(&folder.join("config.json"))?;
    let files = Arc::new(Files::open(folder)?);
    Ok(load(&files, DType::F32, device, |weights| {
        build(&config, weights)
    })?)
}

/// The whole numbers of an input, such as token ids. `name` is its name in messages.
///
/// # Errors
/// Fails if a number is negative or does not fit into 32 bits.
pub(super) fn whole(name: &str, values: &[i64]) -> Result<Vec<u32>, ModelError> {
    let checked = values.iter().map(|&value| u32::try_from(value));
    checked
        .collect::<Result<_, _>>()
        .map_err(|_| ModelError::Input(format!("{name} contains a negative or very large number")))
}
