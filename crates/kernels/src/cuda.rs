//! What the operations with kernels in `cuda/` share: a CUDA device of compute capability 8.0 or later,
//! tensors whose rows begin where a kernel can read several elements at a time, and launches.

use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, DeviceRepr, LaunchConfig};
use candle_core::cuda_backend::{CudaDType, CudaStorageSlice};
use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, CustomOp3, Device, Layout, Result, Shape, Tensor,
};

/// Whether the tensors are on one device that runs the kernels, have elements, and no gradient is tracked.
pub(crate) fn suits(tensors: &[&Tensor]) -> bool {
    let Some(Device::Cuda(device)) = tensors.first().map(|x| x.device()) else {
        return false;
    };
    let here = device.cuda_stream();
    let alike = tensors.iter().all(|x| match x.device() {
        Device::Cuda(other) => other.id() == device.id() && !x.track_op() && x.elem_count() > 0,
        _ => false,
    });
    let capability = here.context().compute_capability();
    alike && capability.is_ok_and(|(major, _)| major >= 8)
}

/// The tensor itself if its rows are in one piece and begin at multiples of this number of elements, or a
/// copy.
pub(crate) fn in_rows(x: &Tensor, piece: usize) -> Result<Tensor> {
    let layout = x.layout();
    let Some((row, strides)) = layout.stride().split_last() else {
        candle_core::bail!("a scalar has no rows");
    };
    let mut axes = layout.dims().iter().zip(strides);
    let aligned = axes.all(|(&dim, stride)| dim == 1 || stride.is_multiple_of(piece));
    if aligned && *row == 1 && layout.start_offset().is_multiple_of(piece) {
        Ok(x.clone())
    } else {
        x.force_contiguous()
    }
}

/// The tensor itself if it is contiguous and begins at a multiple of this number of elements, or a copy.
pub(crate) fn in_one_piece(x: &Tensor, piece: usize) -> Result<Tensor> {
    if x.is_contiguous() && x.layout().start_offset().is_multiple_of(piece) {
        Ok(x.clone())
    } else {
        x.force_contiguous()
    }
}

/// Blocks of these threads, in one row.
pub(crate) fn grid(blocks: usize, threads: u32) -> LaunchConfig {
    LaunchConfig {
        grid_dim: (blocks as u32, 1, 1),
        block_dim: (threads, 1, 1),
        shared_mem_bytes: 0,
    }
}

/// The three tensors of an operation.
pub(crate) struct Inputs<'a> {
    storages: [&'a CudaStorage; 3],
    pub(crate) layouts: [&'a Layout; 3],
}

impl<'a> Inputs<'a> {
    /// The device of the first tensor.
    pub(crate) fn device(&self) -> &'a CudaDevice {
        &self.storages[0].device
    }

    /// The elements of a tensor, from its first one.
    ///
    /// # Errors
    /// Fails if the tensor has another type.
    pub(crate) fn view<T: CudaDType + DeviceRepr>(&self, number: usize) -> Result<CudaView<'a, T>> {
        let slice = T::as_cuda_slice(self.storages[number])?;
        Ok(slice.slice(self.layouts[number].start_offset()..))
    }
}

/// An operation on three tensors whose first one, like the result, has elements of type T.
pub(crate) trait Operation {
    const NAME: &'static str;

    /// The result. `dtype` is the name of T in the names of kernels.
    fn run<T: CudaDType + DeviceRepr>(
        &self,
        inputs: &Inputs<'_>,
        dtype: &str,
    ) -> Result<(CudaSlice<T>, Shape)>;
}

/// An operation as candle applies it.
pub(crate) struct OnDevice<O>(pub(crate) O);

impl<O: Operation> OnDevice<O> {
    /// The slice only names the type.
    fn of_type<T: CudaDType + DeviceRepr>(
        &self,
        _: &CudaSlice<T>,
        inputs: &Inputs<'_>,
        dtype: &str,
    ) -> Result<(CudaStorage, Shape)> {
        let (out, shape) = self.0.run::<T>(inputs, dtype)?;
        Ok((T::wrap_cuda_slice(out, inputs.device().clone()), shape))
    }
}

impl<O: Operation> CustomOp3 for OnDevice<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        candle_core::bail!("the kernels of {} need a CUDA device", O::NAME)
    }

    fn cuda_fwd(
        &self,
        first: &CudaStorage,
        first_layout: &Layout,
        second: &CudaStorage,
        second_layout: &Layout,
        third: &CudaStorage,
        third_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let inputs = Inputs {
            storages: [first, second, third],
            layouts: [first_layout, second_layout, third_layout],
        };
        match &first.slice {
            CudaStorageSlice::F16(slice) => self.of_type(slice, &inputs, "f16"),
            CudaStorageSlice::BF16(slice) => self.of_type(slice, &inputs, "bf16"),
            CudaStorageSlice::F32(slice) => self.of_type(slice, &inputs, "f32"),
            _ => candle_core::bail!("{} requires f16, bf16 or f32", O::NAME),
        }
    }
}
