//! Attention on a CUDA device in f16 or bf16, on tensor cores and without a score matrix in memory. The
//! kernels are in `cuda/attention.cu`.

use super::cuda::{self, Inputs, OnDevice, Operation, grid, in_rows};
use super::mask::Mask;
use candle_core::cuda_backend::cudarc::driver::sys::CUdevice_attribute;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, DeviceRepr, PushKernelArg};
use candle_core::cuda_backend::{CudaDType, WrapErr};
use candle_core::{CudaDevice, DType, Layout, Result, Shape, Tensor};

/// A module: the head size that it is compiled for, its name and its code.
type Module = (usize, &'static str, &'static str);

macro_rules! module {
    ($size:literal) => {
        (
            $size,
            concat!("unigauge_attention_", $size),
            include_str!(concat!(env!("OUT_DIR"), "/attention_", $size, ".ptx")),
        )
    };
}

/// In the order of their sizes. A head of another size uses the next larger one.
const MODULES: [Module; 5] = [
    module!(48),
    module!(64),
    module!(80),
    module!(96),
    module!(128),
];

/// Threads of a block.
const THREADS: u32 = 128;
/// Keys of a tile.
const KEYS: usize = 64;
/// Rows of a tile, and rows of one if there are only few.
const ROWS: usize = 64;
const FEW_ROWS: usize = 16;
/// Elements of the smallest copy: rows begin at its multiples.
const PIECE: usize = 8;
/// Tiles of keys for each of the blocks that divide them, at least.
const TILES_OF_A_SPLIT: usize = 4;

/// Whether this module supports the call: no gradient is tracked, and nothing is added to the scores.
pub(crate) fn suits(q: &Tensor, k: &Tensor, v: &Tensor, scale: f64, mask: Mask<'_>) -> bool {
    let (&[batch, heads, queries, size], &[batches, kv_heads, keys, key_size]) =
        (q.dims(), k.dims())
    else {
        return false;
    };
    let types = matches!(q.dtype(), DType::F16 | DType::BF16)
        && k.dtype() == q.dtype()
        && v.dtype() == q.dtype();
    let shapes = k.dims() == v.dims() && batches == batch && key_size == size;
    let sizes = size.is_multiple_of(PIECE) && module(size).is_some();
    let grouped = kv_heads > 0 && heads.is_multiple_of(kv_heads);
    let masked = match mask {
        Mask::None => true,
        Mask::Causal => keys >= queries,
        Mask::Add(_) => false,
    };
    // The kernels count with 32 bits.
    let counted = (batch * heads * queries).max(batch * kv_heads * keys) < 1 << 30;
    let supported = types && shapes && sizes && grouped && masked && counted && scale > 0.0;
    supported && cuda::suits(&[q, k, v])
}

fn module(size: usize) -> Option<&'static Module> {
    MODULES.iter().find(|(largest, _, _)| size <= *largest)
}

/// The same as [`super::attention`], for calls that [`suits`] accepts. The result is a view of [B, L, heads,
/// d].
pub(crate) fn attend(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    scale: f64,
    mask: Mask<'_>,
) -> Result<Tensor> {
    let attend = OnDevice(Attend {
        scale: (scale * std::f64::consts::LOG2_E) as f32,
        causal: matches!(mask, Mask::Causal),
    });
    let (q, k, v) = (in_rows(q, PIECE)?, in_rows(k, PIECE)?, in_rows(v, PIECE)?);
    q.apply_op3_no_bwd(&k, &v, &attend)?.transpose(1, 2)
}

/// The struct `Shape` of `cuda/attention.cu`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Call {
    q: [i64; 3],
    k: [i64; 3],
    v: [i64; 3],
    batch: i32,
    heads: i32,
    kv_heads: i32,
    queries: i32,
    keys: i32,
    size: i32,
    causal: i32,
    window: i32,
    splits: i32,
    scale: f32,
}

// SAFETY: it has the layout of the kernels' struct, and no pointers.
unsafe impl DeviceRepr for Call {}

/// The operation: queries [B, H, Q, d], keys and values [B, K, L, d] give [B, Q, H, d].
struct Attend {
    /// With log2 e in it.
    scale: f32,
    causal: bool,
}

impl Operation for Attend {
    const NAME: &'static str = "attention";

    fn run<T: CudaDType + DeviceRepr>(
        &self,
        inputs: &Inputs<'_>,
        dtype: &str,
    ) -> Result<(CudaSlice<T>, Shape)> {
        let (device, layouts) = (inputs.device(), inputs.layouts);
        let (batch, heads, queries, size) = layouts[0].shape().dims4()?;
        let (_, kv_heads, keys, _) = layouts[1].shape().dims4()?;
        let Some(&(head_size, name, code)) = module(size) else {
            candle_core::bail!("no kernel for attention with heads of {size}");
        };
        let rows = queries * heads / kv_heads;
        let few = rows <= FEW_ROWS;
        let tiles = rows.div_ceil(if few { FEW_ROWS } else { ROWS });
        let splits = splits(batch * kv_heads * tiles, keys.div_ceil(KEYS), device)?;
        let call = Call {
            q: strides(layouts[0]),
            k: strides(layouts[1]),
            v: strides(layouts[2]),
            batch: batch as i32,
            heads: heads as i32,
            kv_heads: kv_heads as i32,
            queries: queries as i32,
            keys: keys as i32,
            size: size as i32,
            causal: i32::from(self.causal),
            window: 0,
            splits: splits as i32,
            scale: self.scale,
        };
        let (q, k, v) = (
            inputs.view::<T>(0)?,
            inputs.view::<T>(1)?,
            inputs.view::<T>(2)?,
        );
        let outputs = batch * queries * heads;
        // SAFETY: the kernels write all of it, and all that they read of the parts.
        let mut out = unsafe { device.alloc::<T>(outputs * size)? };
        let mut parts = if splits > 1 {
            Some(unsafe { device.alloc::<f32>(splits * outputs * (head_size + 2))? })
        } else {
            None
        };

        let kind = if few { "few_" } else { "" };
        let kernel = format!("attention_{kind}{dtype}");
        let kernel = device.get_or_load_custom_func(&kernel, name, code)?;
        let nowhere = 0u64;
        let mut launch = kernel.builder();
        launch.arg(&q).arg(&k).arg(&v).arg(&mut out);
        match &mut parts {
            Some(parts) => launch.arg(parts),
            None => launch.arg(&nowhere),
        };
        launch.arg(&call);
        let blocks = batch * kv_heads * tiles * splits;
        // SAFETY: the arguments are those of the kernel, and their sizes those of the call.
        unsafe { launch.launch(grid(blocks, THREADS)) }.w()?;
        if let Some(parts) = &parts {
            let kernel = format!("attention_combine_{dtype}");
            let kernel = device.get_or_load_custom_func(&kernel, name, code)?;
            let mut launch = kernel.builder();
            launch.arg(parts).arg(&mut out).arg(&call);
            // SAFETY: as above.
            unsafe { launch.launch(grid(outputs, THREADS / 2)) }.w()?;
        }
        Ok((out, Shape::from((batch, queries, heads, size))))
    }
}

/// The elements between two batches, heads and positions.
fn strides(layout: &Layout) -> [i64; 3] {
    [0, 1, 2].map(|axis| layout.stride()[axis] as i64)
}

/// How many blocks divide the keys, so that every processor of the device has about two.
fn splits(blocks: usize, tiles: usize, device: &CudaDevice) -> Result<usize> {
    let stream = device.cuda_stream();
    let count = CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
    let processors = stream.context().attribute(count).w()?.max(1) as usize;
    if blocks >= processors {
        return Ok(1);
    }
    let wanted = 2 * processors / blocks;
    Ok(wanted.min(tiles / TILES_OF_A_SPLIT).max(1))
}
