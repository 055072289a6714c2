//! Tensors by name, from published files or from other sources. An audit of names uses no stored tensors at
//! all.

mod asked;
mod audit;
mod eight_bits;
mod files;
mod fingerprint;
mod folder;
mod header;
mod layout;
mod legacy;
mod names;
mod quantisation;
mod quantised;
mod random;
mod scale;
mod state_dict;
mod store;
mod stored;
mod unpickle;
mod variables;
mod zipped;

pub use asked::Asked;
pub use audit::audit;
pub use files::{Checked, Files};
pub use fingerprint::fingerprint;
pub use layout::{Held, Piece, load_as, stored_as};
pub use random::random;
pub use variables::Variables;

use super::Result;
use candle_core::{DType, Device, Shape, Tensor};
use std::fmt::Display;
use std::sync::Arc;

/// A source of tensors.
pub(super) trait Source: Send + Sync {
    /// The tensor, in `dtype` on `device`.
    fn get(&self, name: &str, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor>;
    /// The shape of the tensor that is stored under a name, if it is known.
    fn dims(&self, name: &str) -> Option<Vec<usize>>;
}

/// A place in a tree of named tensors, with the dtype and the device to which they are loaded.
#[derive(Clone)]
pub struct Weights {
    source: Arc<dyn Source>,
    prefix: String,
    dtype: DType,
    device: Device,
}

impl Weights {
    pub(super) fn new(source: Arc<dyn Source>, dtype: DType, device: &Device) -> Self {
        Self {
            source,
            prefix: String::new(),
            dtype,
            device: device.clone(),
        }
    }

    /// The place below this one, such as `blocks.3`.
    #[must_use]
    pub fn at(&self, name: impl Display) -> Self {
        Self {
            prefix: self.name(&name.to_string()),
            ..self.clone()
        }
    }

    /// The full name of a tensor at this place.
    pub fn name(&self, name: &str) -> String {
        match (self.prefix.as_str(), name) {
            ("", name) => name.into(),
            (prefix, "") => prefix.into(),
            (prefix, name) => format!("{prefix}.{name}"),
        }
    }

    /// A tensor of exactly this shape.
    ///
    /// # Errors
    /// Fails if the tensor is missing, has another shape, or contains a value that is not finite.
    pub fn get(&self, name: &str, shape: impl Into<Shape>) -> Result<Tensor> {
        self.source
            .get(&self.name(name), &shape.into(), self.dtype, &self.device)
    }

    /// Whether a tensor is stored. False in an audit of names, which stores nothing.
    pub fn has(&self, name: &str) -> bool {
        self.dims(name).is_some()
    }

    /// The shape of a stored tensor, for the few widths that are not in a configuration.
    pub fn dims(&self, name: &str) -> Option<Vec<usize>> {
        self.source.dims(&self.name(name))
    }

    /// The dtype to which tensors are loaded.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The device to which tensors are loaded.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The same place, with tensors that are loaded to another dtype.
    #[must_use]
    pub fn with_dtype(&self, dtype: DType) -> Self {
        Self {
            dtype,
            ..self.clone()
        }
    }
}

/// Loads a network from files: finds the tensors that it requires, compares them with the stored tensors, and
/// then builds it.
///
/// # Errors
/// Fails with [`super::ModelError::Weights`], which lists every missing and mis-shaped tensor, and when
/// `build` fails.
pub fn load<T>(
    files: &Arc<Files>,
    dtype: DType,
    device: &Device,
    build: impl Fn(&Weights) -> Result<T>,
) -> Result<T> {
    let asked = audit(Some(files.clone()), &build)?;
    let files = files.below_asked(&asked);
    // Other optional tensors may be stored below another prefix.
    files.require(&audit(Some(files.clone()), &build)?)?;
    build(&Weights::new(files, dtype, device))
}
