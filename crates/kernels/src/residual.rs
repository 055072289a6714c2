//! x + gate · y with one gate for all rows of a sample.

use super::memory::{read, slice, together};
use super::product::filled;
use candle_core::{CpuStorage, CustomOp3, DType, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// x + gate · y for x and y [B, L, D], gate [B, D].
///
/// # Errors
/// Fails if shapes do not fit.
pub fn gated_sum(x: &Tensor, gate: &Tensor, y: &Tensor) -> Result<Tensor> {
    if matches!(x.device(), Device::Cpu) && x.dtype() == DType::F32 {
        let (gate, y) = (gate.contiguous()?, y.contiguous()?);
        return x.contiguous()?.apply_op3(&gate, &y, Residual);
    }
    #[cfg(feature = "cuda")]
    if super::rows_cuda::suits([x, gate, y]) {
        return super::rows_cuda::gated_sum(x, gate, y);
    }
    let gate = match x.dim(0)? {
        1 => gate.get(0)?,
        _ => gate.unsqueeze(1)?,
    };
    x + y.broadcast_mul(&gate)?
}

struct Residual;

/// The numbers of values of a sample and of its gate.
fn extent(x: &Shape, gate: &Shape) -> Result<(usize, usize)> {
    let ((batch, length, width), (gates, size)) = (x.dims3()?, gate.dims2()?);
    if gates == batch && size == width && width > 0 {
        Ok((length * width, width))
    } else {
        candle_core::bail!("the gates {gate:?} do not fit the input {x:?}")
    }
}

impl CustomOp3 for Residual {
    fn name(&self) -> &'static str {
        "gated-sum"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gate: &CpuStorage,
        gate_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = x_layout.shape();
        let (sample, width) = extent(shape, gate_layout.shape())?;
        let (x, gate, y) = (
            slice(x, x_layout)?,
            slice(gate, gate_layout)?,
            slice(y, y_layout)?,
        );
        if x.len() != y.len() {
            candle_core::bail!("the shapes {:?} and {shape:?} differ", y_layout.shape());
        }
        let out = filled(x.len(), |out| {
            let samples = out.par_chunks_mut(sample).zip(gate.par_chunks(width));
            let pairs = x.par_chunks(sample).zip(y.par_chunks(sample));
            let all = samples.zip(pairs).with_min_len(together(sample));
            all.for_each(|((out, gate), (x, y))| {
                let rows = x.chunks_exact(width).zip(y.chunks_exact(width));
                for (out, (x, y)) in out.chunks_exact_mut(width).zip(rows) {
                    let each = out.iter_mut().zip(x.iter().zip(y)).zip(gate);
                    each.for_each(|((out, (x, y)), gate)| _ = out.write(x + gate * y));
                }
            });
        });
        Ok((CpuStorage::F32(out), shape.clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gate: &Tensor,
        y: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (sample, width) = extent(x.shape(), gate.shape())?;
        let mut of_gate = vec![0f32; gate.elem_count()];
        let of_y = read(y, |y| {
            read(gate, |gate| {
                read(grad, |grad| {
                    Ok(filled(y.len(), |out| {
                        let gates = of_gate.par_chunks_mut(width).zip(gate.par_chunks(width));
                        let pairs = y.par_chunks(sample).zip(grad.par_chunks(sample));
                        let samples = out.par_chunks_mut(sample).zip(gates);
                        samples
                            .zip(pairs)
                            .for_each(|((out, (sum, gate)), (y, grad))| {
                                let rows = y.chunks_exact(width).zip(grad.chunks_exact(width));
                                for (out, (y, grad)) in out.chunks_exact_mut(width).zip(rows) {
                                    let each = out.iter_mut().zip(gate.iter().zip(grad));
                                    each.for_each(|(out, (gate, grad))| _ = out.write(gate * grad));
                                    let each = sum.iter_mut().zip(y.iter().zip(grad));
                                    each.for_each(|(sum, (y, grad))| *sum += y * grad);
                                }
                            });
                    }))
                })
            })
        })?;
        Ok((
            Some(grad.clone()),
            Some(Tensor::from_vec(of_gate, gate.shape(), &Device::Cpu)?),
            Some(Tensor::from_vec(of_y, y.shape(), &Device::Cpu)?),
        ))
    }
}
