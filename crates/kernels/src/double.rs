//! Pictures of twice the size by repeating pixels.

use super::memory::{read, slice};
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// [B, C, H, W] → [B, C, 2H, 2W].
///
/// # Errors
/// Fails if there are not four axes.
pub fn double(x: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    match (x.device(), x.dtype()) {
        (Device::Cpu, DType::F32) => x.contiguous()?.apply_op1(Double),
        _ => x.upsample_nearest2d(2 * height, 2 * width),
    }
}

struct Double;

impl CustomOp1 for Double {
    fn name(&self) -> &'static str {
        "double"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let values = slice(x, layout)?;
        let mut out = vec![0f32; 4 * values.len()];
        let lines = out.par_chunks_mut(4 * width.max(1));
        lines
            .zip(values.par_chunks(width.max(1)))
            .for_each(|(out, line)| {
                for (out, x) in out.chunks_exact_mut(2).zip(line.iter().chain(line)) {
                    out.fill(*x);
                }
            });
        let shape = (batch, channels, 2 * height, 2 * width);
        Ok((CpuStorage::F32(out), shape.into()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, _, width) = x.dims4()?;
        let mut out = vec![0f32; x.elem_count()];
        read(grad, |grad| {
            let lines = out.par_chunks_mut(width.max(1));
            lines
                .zip(grad.par_chunks(4 * width.max(1)))
                .for_each(|(out, grad)| {
                    for line in grad.chunks_exact(2 * width) {
                        let pairs = line.chunks_exact(2);
                        out.iter_mut()
                            .zip(pairs)
                            .for_each(|(out, pair)| *out += pair[0] + pair[1]);
                    }
                });
            Ok(())
        })?;
        Tensor::from_vec(out, x.shape(), &Device::Cpu).map(Some)
    }
}
