//! Rotary positions (Su et al., arXiv 2104.09864) on a CPU in one pass, with their gradient, which is the
//! inverse rotation.

use super::memory::{read, slice, together};
use super::product::filled;
use candle_core::{CpuStorage, CustomOp3, DType, Device, Layout, Result, Shape, Tensor};
use candle_nn::rotary_emb;
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Number of heads that one core processes.
const HEADS: usize = 256;

/// Which pairs of elements of a head are rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Each element with the next one.
    Neighbours,
    /// Each element of the first half with its counterpart in the second half.
    Halves,
}

/// Rotates the pairs of heads x [B, L, heads, d] by angles whose cosines and sines are [L, d / 2], or [B, L,
/// d / 2] if the sequences of a batch differ. The computation is in f32, and the result has the dtype of x.
///
/// # Errors
/// Fails if shapes do not fit.
pub fn rotary(x: &Tensor, cos: &Tensor, sin: &Tensor, pairs: Pairs) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if super::rows_cuda::suits_rotary(x, cos, sin) {
        return super::rows_cuda::rotary(x, cos, sin, pairs);
    }
    let (cos, sin) = (cos.contiguous()?, sin.contiguous()?);
    let plain = x.to_dtype(DType::F32)?.contiguous()?;
    let turned = match (x.device(), pairs, plain.track_op()) {
        (Device::Cpu, ..) => {
            let turn = Turn { pairs, back: false };
            plain.apply_op3(&cos, &sin, turn)?
        }
        (_, Pairs::Halves, false) => rotary_emb::rope_thd(&plain, &cos, &sin)?,
        (_, Pairs::Halves, true) => {
            rotary_emb::rope_slow(&by_head(&plain)?, &cos, &sin)?.transpose(1, 2)?
        }
        (_, Pairs::Neighbours, false) => {
            rotary_emb::rope_i(&by_head(&plain)?, &cos, &sin)?.transpose(1, 2)?
        }
        (_, Pairs::Neighbours, true) => {
            rotary_emb::rope_i_slow(&by_head(&plain)?, &cos, &sin)?.transpose(1, 2)?
        }
    };
    turned.to_dtype(x.dtype())
}

fn by_head(x: &Tensor) -> Result<Tensor> {
    x.transpose(1, 2)?.contiguous()
}

/// The operation on x, the cosines and the sines.
#[derive(Debug, Clone, Copy)]
struct Turn {
    pairs: Pairs,
    /// Whether the rotation is the inverse one.
    back: bool,
}

impl Turn {
    fn rotate_heads(self, shape: &Shape, x: &[f32], cos: &[f32], sin: &[f32]) -> Result<Vec<f32>> {
        let (batch, length, heads, size) = shape.dims4()?;
        let half = size / 2;
        let tables = [length * half, batch * length * half];
        if size % 2 != 0 || cos.len() != sin.len() || !tables.contains(&cos.len()) {
            candle_core::bail!("{} angles do not fit the heads {shape:?}", cos.len());
        }
        let positions = cos.len() / half.max(1);
        Ok(filled(x.len(), |out| {
            let pieces = out.par_chunks_mut(HEADS * size).enumerate();
            pieces
                .zip(x.par_chunks(HEADS * size))
                .with_min_len(together(HEADS * size))
                .for_each(|((piece, out), x)| {
                    let each = out.chunks_exact_mut(size).zip(x.chunks_exact(size));
                    for (number, (out, x)) in each.enumerate() {
                        let position = (piece * HEADS + number) / heads % positions;
                        let row = position * half..(position + 1) * half;
                        self.rotate_head(out, x, &cos[row.clone()], &sin[row]);
                    }
                });
        }))
    }

    fn rotate_head(self, out: &mut [MaybeUninit<f32>], x: &[f32], cos: &[f32], sin: &[f32]) {
        let sign = if self.back { -1.0 } else { 1.0 };
        let angles = cos.iter().zip(sin);
        match self.pairs {
            Pairs::Neighbours => {
                let pairs = out.chunks_exact_mut(2).zip(x.chunks_exact(2));
                for ((out, x), (cos, sin)) in pairs.zip(angles) {
                    let sin = sign * sin;
                    out[0].write(x[0] * cos - x[1] * sin);
                    out[1].write(x[0] * sin + x[1] * cos);
                }
            }
            Pairs::Halves => {
                let (first, second) = out.split_at_mut(cos.len());
                let (a, b) = x.split_at(cos.len());
                let pairs = first.iter_mut().zip(second).zip(a.iter().zip(b));
                for (((first, second), (a, b)), (cos, sin)) in pairs.zip(angles) {
                    let sin = sign * sin;
                    first.write(a * cos - b * sin);
                    second.write(a * sin + b * cos);
                }
            }
        }
    }
}

impl CustomOp3 for Turn {
    fn name(&self) -> &'static str {
        "rotary"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        cos: &CpuStorage,
        cos_layout: &Layout,
        sin: &CpuStorage,
        sin_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (cos, sin) = (slice(cos, cos_layout)?, slice(sin, sin_layout)?);
        let out = self.rotate_heads(x_layout.shape(), slice(x, x_layout)?, cos, sin)?;
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        cos: &Tensor,
        sin: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let back = Self {
            back: !self.back,
            ..*self
        };
        let values = read(grad, |grad| {
            read(cos, |cos| {
                read(sin, |sin| back.rotate_heads(x.shape(), grad, cos, sin))
            })
        })?;
        let of_x = Tensor::from_vec(values, x.shape(), &Device::Cpu)?;
        Ok((Some(of_x), None, None))
    }
}
