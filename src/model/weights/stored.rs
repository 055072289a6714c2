//! What a file says of a tensor.

use safetensors::Dtype;

/// The record of a tensor in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// The shape.
    pub dims: Vec<usize>,
    /// The number format.
    pub dtype: Dtype,
}

impl Stored {
    /// Whether the numbers are floats of whole bytes, which are supported.
    pub(super) fn is_float(&self) -> bool {
        matches!(
            self.dtype,
            Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16
        ) || self.is_eight_bits()
    }

    /// Whether the numbers are 8-bit floats, as in quantised weights.
    pub(super) fn is_eight_bits(&self) -> bool {
        matches!(self.dtype, Dtype::F8_E4M3 | Dtype::F8_E5M2)
    }

    /// The number of its values.
    pub(super) fn count(&self) -> usize {
        self.dims.iter().product()
    }
}
