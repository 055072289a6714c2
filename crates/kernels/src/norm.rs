//! Norms over the last axis: on a CPU in f32 in one pass with their gradients, and elsewhere candle's norms.

use super::memory::{gradient, read, slice, together};
use super::sums::{pairs, sum};
use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, DType, Device, Layout, Module, Result, Shape, Tensor,
};
use rayon::prelude::*;

/// Number of rows that one core processes, regardless of the number of cores.
const ROWS: usize = 64;

/// (x − mean) / √(variance + eps) · weight + bias.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    /// Weight and bias `[D]`.
    pub fn new(weight: Tensor, bias: Tensor, eps: f64) -> Self {
        Self { weight, bias, eps }
    }
}

impl Module for LayerNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        layer_norm(x, &self.weight, &self.bias, self.eps)
    }
}

/// x / √(mean of x² + eps) · weight.
#[derive(Debug, Clone)]
pub struct RmsNorm {
    weight: Tensor,
    eps: f64,
}

impl RmsNorm {
    /// Weight `[D]`.
    pub fn new(weight: Tensor, eps: f64) -> Self {
        Self { weight, eps }
    }
}

impl Module for RmsNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (weight, eps) = (&self.weight, self.eps);
        if plain(x) {
            let rows = Rows {
                centred: false,
                eps,
            };
            return x.contiguous()?.apply_op2(&weight.contiguous()?, rows);
        }
        if x.track_op() || weight.track_op() {
            candle_nn::ops::rms_norm_slow(x, weight, eps as f32)
        } else {
            candle_nn::ops::rms_norm(&x.contiguous()?, weight, eps as f32)
        }
    }
}

/// A layer norm of x [..., D]. The weight and the bias are the same for all rows, `[D]`, or there is one for
/// each of several equal runs of rows, `[runs, D]`.
///
/// # Errors
/// Fails if the widths differ or the runs do not divide the rows.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    if plain(x) {
        let rows = Rows { centred: true, eps };
        let (weight, bias) = (weight.contiguous()?, bias.contiguous()?);
        return x.contiguous()?.apply_op3(&weight, &bias, rows);
    }
    #[cfg(feature = "cuda")]
    if super::rows_cuda::suits([x, weight, bias]) {
        return super::rows_cuda::layer_norm(x, weight, bias, eps);
    }
    if weight.rank() == 1 {
        return if x.track_op() || weight.track_op() {
            candle_nn::ops::layer_norm_slow(x, weight, bias, eps as f32)
        } else {
            candle_nn::ops::layer_norm(&x.contiguous()?, weight, bias, eps as f32)
        };
    }
    let runs = (0..weight.dim(0)?).map(|run| {
        let part = x.narrow(0, run, 1)?;
        layer_norm(&part, &weight.get(run)?, &bias.get(run)?, eps)
    });
    Tensor::cat(&runs.collect::<Result<Vec<_>>>()?, 0)
}

fn plain(x: &Tensor) -> bool {
    matches!(x.device(), Device::Cpu) && x.dtype() == DType::F32
}

/// The operation over rows.
#[derive(Debug, Clone, Copy)]
struct Rows {
    /// Whether the mean is subtracted.
    centred: bool,
    eps: f64,
}

/// The gradients of x, of the weight and of the bias.
struct Gradients {
    of_x: Vec<f32>,
    of_weight: Vec<f32>,
    of_bias: Vec<f32>,
}

impl Rows {
    /// The width of a row, and the number of rows that share a weight.
    fn extent(x: &Shape, weight: &Shape) -> Result<(usize, usize)> {
        let width = x.dims().last().copied().unwrap_or(0);
        let runs = weight.elem_count().checked_div(width).unwrap_or(0);
        let rows = x.elem_count().checked_div(width).unwrap_or(0);
        if weight.dims().last() != Some(&width) || runs == 0 || !rows.is_multiple_of(runs) {
            candle_core::bail!(
                "a norm with the weight {:?} does not fit {:?}",
                weight.dims(),
                x.dims()
            );
        }
        Ok((width, rows / runs))
    }

    /// The mean and the inverse of the standard deviation.
    fn statistics(self, row: &[f32]) -> (f32, f32) {
        let count = row.len() as f32;
        let mean = if self.centred { sum(row) / count } else { 0.0 };
        let [squares] = pairs(row, row, |x, _| [(x - mean) * (x - mean)]);
        (mean, 1.0 / (squares / count + self.eps as f32).sqrt())
    }

    fn forward(
        self,
        (width, run): (usize, usize),
        x: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
    ) -> Vec<f32> {
        let mut out = vec![0f32; x.len()];
        let blocks = out.par_chunks_mut(ROWS * width).enumerate();
        blocks
            .zip(x.par_chunks(ROWS * width))
            .with_min_len(together(ROWS * width))
            .for_each(|((block, out), x)| {
                let rows = out.chunks_exact_mut(width).zip(x.chunks_exact(width));
                for (row, (out, x)) in rows.enumerate() {
                    let at = (block * ROWS + row) / run * width;
                    let (mean, scale) = self.statistics(x);
                    let each = out.iter_mut().zip(x.iter().zip(&weight[at..at + width]));
                    each.for_each(|(out, (x, weight))| *out = (x - mean) * scale * weight);
                    if let Some(bias) = bias {
                        let each = out.iter_mut().zip(&bias[at..at + width]);
                        each.for_each(|(out, bias)| *out += bias);
                    }
                }
            });
        out
    }

    fn gradients(
        self,
        (width, run): (usize, usize),
        x: &[f32],
        weight: &[f32],
        grad: &[f32],
    ) -> Gradients {
        let mut of_x = vec![0f32; x.len()];
        let mut of_weight = vec![0f32; weight.len()];
        let mut of_bias = vec![0f32; weight.len()];
        // The runs are processed one after the other, each in blocks whose sums are added in order.
        let runs = of_weight
            .chunks_exact_mut(width)
            .zip(of_bias.chunks_exact_mut(width));
        for (number, (of_weight, of_bias)) in runs.enumerate() {
            let part = number * run * width..(number + 1) * run * width;
            let weight = &weight[number * width..(number + 1) * width];
            let blocks = x[part.clone()].par_chunks(ROWS * width);
            let blocks = blocks.zip(grad[part.clone()].par_chunks(ROWS * width));
            let sums: Vec<[Vec<f32>; 2]> = of_x[part]
                .par_chunks_mut(ROWS * width)
                .zip(blocks)
                .map(|(out, (x, grad))| self.block(width, weight, out, x, grad))
                .collect();
            for [weight, bias] in sums {
                of_weight
                    .iter_mut()
                    .zip(weight)
                    .for_each(|(sum, x)| *sum += x);
                of_bias.iter_mut().zip(bias).for_each(|(sum, x)| *sum += x);
            }
        }
        Gradients {
            of_x,
            of_weight,
            of_bias,
        }
    }

    /// The gradients of some rows, and their sums for the weight and the bias.
    fn block(
        self,
        width: usize,
        weight: &[f32],
        out: &mut [f32],
        x: &[f32],
        grad: &[f32],
    ) -> [Vec<f32>; 2] {
        let mut of_weight = vec![0f32; width];
        let mut of_bias = vec![0f32; width];
        let rows = x.chunks_exact(width).zip(grad.chunks_exact(width));
        for (out, (x, grad)) in out.chunks_exact_mut(width).zip(rows) {
            let (mean, scale) = self.statistics(x);
            for (place, out) in out.iter_mut().enumerate() {
                let normed = (x[place] - mean) * scale;
                of_weight[place] += grad[place] * normed;
                of_bias[place] += grad[place];
                *out = grad[place] * weight[place];
            }
            let [level, along] =
                pairs(out, x, |weighed, x| [weighed, weighed * (x - mean) * scale]);
            let count = width as f32;
            let level = if self.centred { level / count } else { 0.0 };
            let along = along / count;
            for (out, x) in out.iter_mut().zip(x) {
                *out = scale * (*out - level - (x - mean) * scale * along);
            }
        }
        [of_weight, of_bias]
    }

    fn back(self, x: &Tensor, weight: &Tensor, grad: &Tensor) -> Result<Gradients> {
        let extent = Self::extent(x.shape(), weight.shape())?;
        read(x, |x| {
            read(weight, |weight| {
                read(grad, |grad| Ok(self.gradients(extent, x, weight, grad)))
            })
        })
    }
}

impl CustomOp3 for Rows {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let extent = Self::extent(x_layout.shape(), weight_layout.shape())?;
        let (x, weight) = (slice(x, x_layout)?, slice(weight, weight_layout)?);
        let bias = slice(bias, bias_layout)?;
        if bias.len() != weight.len() {
            candle_core::bail!(
                "the weight has {} numbers, but the bias has {}",
                weight.len(),
                bias.len()
            );
        }
        let out = self.forward(extent, x, weight, Some(bias));
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let back = self.back(x, weight, grad)?;
        Ok((
            gradient(x, || Ok(back.of_x))?,
            gradient(weight, || Ok(back.of_weight))?,
            gradient(bias, || Ok(back.of_bias))?,
        ))
    }
}

impl CustomOp2 for Rows {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let extent = Self::extent(x_layout.shape(), weight_layout.shape())?;
        let (x, weight) = (slice(x, x_layout)?, slice(weight, weight_layout)?);
        let out = self.forward(extent, x, weight, None);
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let back = self.back(x, weight, grad)?;
        Ok((
            gradient(x, || Ok(back.of_x))?,
            gradient(weight, || Ok(back.of_weight))?,
        ))
    }
}
