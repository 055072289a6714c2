//! What networks do with rows between their products, on a CUDA device in one pass. The kernels are in
//! `cuda/rows.cu`.

use super::cuda::{self, Inputs, OnDevice, Operation, grid, in_one_piece, in_rows};
use super::rotary::Pairs;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, DeviceRepr, PushKernelArg};
use candle_core::cuda_backend::{CudaDType, CudaDevice, WrapErr};
use candle_core::{DType, Result, Shape, Tensor};

const MODULE: &str = "unigauge_rows";
const CODE: &str = include_str!(concat!(env!("OUT_DIR"), "/rows.ptx"));

/// Elements that a thread reads at a time: rows have a multiple of it and begin at its multiples.
const PIECE: usize = 4;
/// Threads of a block, at most. The blocks of a norm have so many always.
const THREADS: usize = 256;

/// Whether [`gated_sum`] and [`layer_norm`] support the tensors.
pub(crate) fn suits(tensors: [&Tensor; 3]) -> bool {
    let types = tensors.iter().all(|x| x.dtype() == tensors[0].dtype()) && has_kernel(tensors[0]);
    let rows = tensors.iter().all(|x| {
        let width = x.dims().last().copied().unwrap_or(0);
        width.is_multiple_of(PIECE) && counted(x)
    });
    types && rows && cuda::suits(&tensors)
}

/// Whether [`rotary`] supports heads and angles.
pub(crate) fn suits_rotary(x: &Tensor, cos: &Tensor, sin: &Tensor) -> bool {
    let (&[batch, length, _, size], Some(&angles)) = (x.dims(), cos.dims().last()) else {
        return false;
    };
    let tables = match cos.rank() {
        2 => cos.dims()[0] == length,
        3 => cos.dims()[..2] == [batch, length],
        _ => false,
    };
    let singles = cos.dtype() == DType::F32 && sin.dtype() == DType::F32;
    let shapes = tables && cos.dims() == sin.dims() && 2 * angles == size;
    let whole = size.is_multiple_of(2 * PIECE) && counted(x);
    singles && shapes && whole && has_kernel(x) && cuda::suits(&[x, cos, sin])
}

fn has_kernel(x: &Tensor) -> bool {
    matches!(x.dtype(), DType::F16 | DType::BF16 | DType::F32)
}

/// Whether the rows and their widths can be counted with 32 bits.
fn counted(x: &Tensor) -> bool {
    let width = x.dims().last().copied().unwrap_or(0).max(1);
    width < 1 << 24 && x.elem_count() / width < 1 << 30
}

/// The same as [`super::gated_sum`] for tensors that [`suits`] accepts.
pub(crate) fn gated_sum(x: &Tensor, gate: &Tensor, y: &Tensor) -> Result<Tensor> {
    let (x, y) = (in_one_piece(x, PIECE)?, in_one_piece(y, PIECE)?);
    x.apply_op3_no_bwd(&in_rows(gate, PIECE)?, &y, &OnDevice(GatedSum))
}

/// The same as [`super::layer_norm`] for tensors that [`suits`] accepts.
pub(crate) fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    let (weight, bias) = (in_one_piece(weight, PIECE)?, in_one_piece(bias, PIECE)?);
    let norm = OnDevice(LayerNorm { eps: eps as f32 });
    in_one_piece(x, PIECE)?.apply_op3_no_bwd(&weight, &bias, &norm)
}

/// The same as [`super::rotary`] for tensors that [`suits_rotary`] accepts.
pub(crate) fn rotary(x: &Tensor, cos: &Tensor, sin: &Tensor, pairs: Pairs) -> Result<Tensor> {
    let (cos, sin) = (in_one_piece(cos, PIECE)?, in_one_piece(sin, PIECE)?);
    in_rows(x, PIECE)?.apply_op3_no_bwd(&cos, &sin, &OnDevice(Rotary { pairs }))
}

/// The threads for a row of so many pieces: whole warps.
fn threads(pieces: usize) -> u32 {
    pieces.next_multiple_of(32).min(THREADS) as u32
}

/// An output that a kernel fills.
fn output<T: DeviceRepr>(device: &CudaDevice, shape: &Shape) -> Result<CudaSlice<T>> {
    // SAFETY: each kernel here writes all of it.
    unsafe { device.alloc::<T>(shape.elem_count()) }
}

/// x [B, L, D], gates [B, D] and y [B, L, D].
struct GatedSum;

impl Operation for GatedSum {
    const NAME: &'static str = "gated-sum";

    fn run<T: CudaDType + DeviceRepr>(
        &self,
        inputs: &Inputs<'_>,
        dtype: &str,
    ) -> Result<(CudaSlice<T>, Shape)> {
        let [x, gate, y] = inputs.layouts;
        let (batch, length, width) = x.shape().dims3()?;
        if gate.dims() != [batch, width] || y.shape() != x.shape() {
            let (gate, x, y) = (gate.dims(), x.dims(), y.dims());
            candle_core::bail!("the gates {gate:?} do not fit the inputs {x:?} and {y:?}");
        }
        let stride = gate.stride()[0] as i64;
        let (rows, width, length) = (batch * length, width as i32, length as i32);
        let mut out = output::<T>(inputs.device(), x.shape())?;
        let (a, b, c) = (
            inputs.view::<T>(0)?,
            inputs.view::<T>(1)?,
            inputs.view::<T>(2)?,
        );
        let kernel = format!("gated_sum_{dtype}");
        let kernel = (inputs.device()).get_or_load_custom_func(&kernel, MODULE, CODE)?;
        let mut launch = kernel.builder();
        launch.arg(&a).arg(&b).arg(&c).arg(&mut out);
        launch.arg(&length).arg(&width).arg(&stride);
        // SAFETY: the arguments are those of the kernel, and their sizes were checked.
        unsafe { launch.launch(grid(rows, threads(width as usize / PIECE))) }.w()?;
        Ok((out, x.shape().clone()))
    }
}

/// x [..., D] with the weight and bias of its rows, [D] or [runs, D].
struct LayerNorm {
    eps: f32,
}

impl Operation for LayerNorm {
    const NAME: &'static str = "layer-norm";

    fn run<T: CudaDType + DeviceRepr>(
        &self,
        inputs: &Inputs<'_>,
        dtype: &str,
    ) -> Result<(CudaSlice<T>, Shape)> {
        let [x, weight, bias] = inputs.layouts;
        let width = x.dims().last().copied().unwrap_or(0).max(1);
        let rows = x.shape().elem_count() / width;
        let runs = (weight.shape().elem_count() / width).max(1);
        let fits = weight.dims().last() == Some(&width) && rows.is_multiple_of(runs);
        if !fits || bias.shape() != weight.shape() {
            let (weight, bias, x) = (weight.dims(), bias.dims(), x.dims());
            candle_core::bail!("a norm with the weight {weight:?} and bias {bias:?} on {x:?}");
        }
        let (length, width) = ((rows / runs) as i32, width as i32);
        let mut out = output::<T>(inputs.device(), x.shape())?;
        let (a, b, c) = (
            inputs.view::<T>(0)?,
            inputs.view::<T>(1)?,
            inputs.view::<T>(2)?,
        );
        let kernel = format!("layer_norm_{dtype}");
        let kernel = (inputs.device()).get_or_load_custom_func(&kernel, MODULE, CODE)?;
        let mut launch = kernel.builder();
        launch.arg(&a).arg(&b).arg(&c).arg(&mut out);
        launch.arg(&length).arg(&width).arg(&self.eps);
        // SAFETY: the arguments are those of the kernel, and their sizes were checked.
        unsafe { launch.launch(grid(rows, THREADS as u32)) }.w()?;
        Ok((out, x.shape().clone()))
    }
}

/// The struct of the same name in `cuda/rows.cu`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Heads {
    strides: [i64; 3],
    length: i32,
    heads: i32,
    size: i32,
    tables: i32,
}

// SAFETY: it has the layout of the kernels' struct, and no pointers.
unsafe impl DeviceRepr for Heads {}

/// x [B, L, heads, d], cosines and sines [L, d / 2] or [B, L, d / 2].
struct Rotary {
    pairs: Pairs,
}

impl Operation for Rotary {
    const NAME: &'static str = "rotary";

    fn run<T: CudaDType + DeviceRepr>(
        &self,
        inputs: &Inputs<'_>,
        dtype: &str,
    ) -> Result<(CudaSlice<T>, Shape)> {
        let [x, cos, _] = inputs.layouts;
        let (batch, length, heads, size) = x.shape().dims4()?;
        let shape = Heads {
            strides: [0, 1, 2].map(|axis| x.stride()[axis] as i64),
            length: length as i32,
            heads: heads as i32,
            size: size as i32,
            tables: if cos.dims().len() == 3 {
                batch as i32
            } else {
                1
            },
        };
        let mut out = output::<T>(inputs.device(), x.shape())?;
        let values = inputs.view::<T>(0)?;
        let (cosines, sines) = (inputs.view::<f32>(1)?, inputs.view::<f32>(2)?);
        let pairs = match self.pairs {
            Pairs::Neighbours => "neighbours",
            Pairs::Halves => "halves",
        };
        let kernel = format!("rotary_{pairs}_{dtype}");
        let kernel = (inputs.device()).get_or_load_custom_func(&kernel, MODULE, CODE)?;
        let mut launch = kernel.builder();
        launch.arg(&values).arg(&cosines).arg(&sines);
        launch.arg(&mut out).arg(&shape);
        let pieces = heads * size / (2 * PIECE);
        // SAFETY: the arguments are those of the kernel, and `suits_rotary` has compared their sizes.
        unsafe { launch.launch(grid(batch * length, threads(pieces))) }.w()?;
        Ok((out, x.shape().clone()))
    }
}
