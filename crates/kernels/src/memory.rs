//! Tensors in main memory as slices.

use candle_core::{CpuStorage, Device, Layout, Result, Storage, Tensor};

/// The numbers of a contiguous tensor.
///
/// # Errors
/// Fails if the layout has gaps or the numbers are not f32.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let values = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => candle_core::bail!("this operation requires contiguous tensors"),
    }
}

/// Calls a function with the numbers of a tensor, in its order.
///
/// # Errors
/// Fails when [`slice`] fails, and if the tensor is on another device.
pub(crate) fn read<T>(x: &Tensor, look: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => look(slice(storage, layout)?),
        _ => candle_core::bail!("this operation requires tensors in main memory"),
    }
}

/// The gradient of x, in its shape, if it is requested.
///
/// # Errors
/// Fails when `values` fails, and if they do not fill the shape.
pub(crate) fn gradient(
    x: &Tensor,
    values: impl FnOnce() -> Result<Vec<f32>>,
) -> Result<Option<Tensor>> {
    let back = x
        .track_op()
        .then(|| Tensor::from_vec(values()?, x.shape(), &Device::Cpu));
    back.transpose()
}

/// The number of values from which another thread helps. With fewer, threads wait for each other longer than
/// they work.
const GRAIN: usize = 1 << 15;

/// The smallest number of pieces for a thread, each with this number of values.
pub(crate) fn together(piece: usize) -> usize {
    (GRAIN / piece.max(1)).max(1)
}
