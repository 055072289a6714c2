//! A component: the name that a case's `model` takes, and the code that makes the case's tensors.

use super::case::{Case, CaseError, Tensors};
use crate::model::weights::{Files, load};
use crate::model::{ModelError, Weights, read_config};
use candle_core::{DType, Device};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;

/// Everything that is known of a component. The value is in the component's own file.
#[derive(Debug, Clone, Copy)]
pub struct Component {
    /// The name that a case's `model` takes.
    pub name: &'static str,
    /// Makes the tensors that the case expects, from its inputs and its checkpoint.
    pub run: fn(&Case, &Device) -> Result<Tensors, CaseError>,
}

/// Loads a network in f32 from a folder with `config.json` and weights, as the pipelines do.
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

/// The whole numbers of an input, such as token ids; `name` is what a message calls it.
///
/// # Errors
/// Fails if a number is negative or does not fit 32 bits.
pub(super) fn whole(name: &str, values: &[i64]) -> Result<Vec<u32>, ModelError> {
    let checked = values.iter().map(|&value| u32::try_from(value));
    checked
        .collect::<Result<_, _>>()
        .map_err(|_| ModelError::Input(format!("{name} holds a negative or very large number")))
}
