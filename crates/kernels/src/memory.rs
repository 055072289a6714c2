//! Tensors in main memory as slices.

use candle_core::{CpuStorage, Device, Layout, Result, Storage, Tensor};

/// The numbers of a contiguous tensor.
///
/// # Errors
/// Fails if the layout has gaps or the numbers are not f32.
pub fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let values = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => candle_core::bail!("only contiguous tensors are read"),
    }
}

/// Looks at a tensor's numbers, in its order.
///
/// # Errors
/// Fails when [`slice`] fails, and if the tensor lies on a device.
pub fn read<T>(x: &Tensor, look: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => look(slice(storage, layout)?),
        _ => candle_core::bail!("only tensors in main memory are read"),
    }
}

/// What comes back to x, in its shape, where it is wanted.
///
/// # Errors
/// Fails when `values` fails, and if they do not fill the shape.
pub fn gradient(x: &Tensor, values: impl FnOnce() -> Result<Vec<f32>>) -> Result<Option<Tensor>> {
    let back = x
        .track_op()
        .then(|| Tensor::from_vec(values()?, x.shape(), &Device::Cpu));
    back.transpose()
}

/// Numbers that are worth another thread: with fewer, threads wait for each other longer than they work.
const GRAIN: usize = 1 << 15;

/// How many pieces of so many numbers a thread should take at least.
pub fn together(piece: usize) -> usize {
    (GRAIN / piece.max(1)).max(1)
}
