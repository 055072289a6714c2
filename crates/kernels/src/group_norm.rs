//! Group norm, in one pass over the data on the CPU, and by tensor operations elsewhere.

use super::memory::{gradient, read, slice};
use super::sums::{pairs, sum};
use candle_core::{CpuStorage, CustomOp3, DType, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Normalises `groups` of channels of x [B, C, ...]; `weight` and `bias` `[C]`. Statistics in f32 or better.
///
/// # Errors
/// Fails if the channels differ or the groups do not divide them.
pub fn group_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    groups: usize,
    eps: f64,
) -> Result<Tensor> {
    match (x.device(), x.dtype()) {
        (Device::Cpu, DType::F32) => {
            let [weight, bias] = [weight.contiguous()?, bias.contiguous()?];
            let groups = Groups { count: groups, eps };
            x.contiguous()?.apply_op3(&weight, &bias, groups)
        }
        _ => by_operations(x, weight, bias, groups, eps),
    }
}

fn by_operations(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    groups: usize,
    eps: f64,
) -> Result<Tensor> {
    let (batch, channels) = (x.dim(0)?, x.dim(1)?);
    let grouped = x.to_dtype(DType::F32)?.reshape((batch, groups, ()))?;
    let centred = grouped.broadcast_sub(&grouped.mean_keepdim(2)?)?;
    let variance = centred.sqr()?.mean_keepdim(2)?;
    let normed = centred.broadcast_div(&(variance + eps)?.sqrt()?)?;
    let normed = normed.reshape(x.shape())?.to_dtype(x.dtype())?;
    let mut each = vec![1; x.rank()];
    each[1] = channels;
    normed
        .broadcast_mul(&weight.reshape(each.clone())?)?
        .broadcast_add(&bias.reshape(each)?)
}

/// The operation in one pass over the data: x [B, C, ...], the weight and the bias `[C]`.
#[derive(Debug, Clone, Copy)]
struct Groups {
    count: usize,
    eps: f64,
}

/// Number of values of one channel, and number of channels of one group.
#[derive(Debug, Clone, Copy)]
struct Extent {
    plane: usize,
    channels: usize,
}

impl Groups {
    fn extent(self, x: &Shape, weight: &Shape) -> Result<Extent> {
        let (all, normed) = (x.dims()[1], weight.elem_count());
        if all != normed || self.count == 0 || !all.is_multiple_of(self.count) {
            candle_core::bail!("{all} channels do not fit a norm over {normed}");
        }
        Ok(Extent {
            plane: x.dims()[2..].iter().product(),
            channels: all / self.count,
        })
    }
}

impl CustomOp3 for Groups {
    fn name(&self) -> &'static str {
        "group-norm"
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
        let shape = x_layout.shape().clone();
        let Extent { plane, channels } = self.extent(&shape, weight_layout.shape())?;
        let (values, weight) = (slice(x, x_layout)?, slice(weight, weight_layout)?);
        let bias = slice(bias, bias_layout)?;
        let mut out = vec![0f32; values.len()];
        out.par_chunks_mut(channels * plane)
            .zip(values.par_chunks(channels * plane))
            .enumerate()
            .for_each(|(number, (out, values))| {
                let first = number % self.count * channels;
                let (mean, scale) = statistics(values, self.eps);
                let planes = out.chunks_mut(plane).zip(values.chunks(plane));
                for (channel, (out, values)) in planes.enumerate() {
                    let gain = weight[first + channel] * scale;
                    let shift = bias[first + channel] - mean * gain;
                    out.iter_mut()
                        .zip(values)
                        .for_each(|(to, x)| *to = x * gain + shift);
                }
            });
        Ok((CpuStorage::F32(out), shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let extent = self.extent(x.shape(), weight.shape())?;
        let weights: Vec<f32> = weight.to_vec1()?;
        let (of_x, sums) = read(x, |x| {
            read(grad, |grad| Ok(self.gradients(extent, x, &weights, grad)))
        })?;
        let (of_weight, of_bias) = sums.into_iter().unzip();
        Ok((
            Some(Tensor::from_vec(of_x, x.shape(), &Device::Cpu)?),
            gradient(weight, || Ok(of_weight))?,
            gradient(bias, || Ok(of_bias))?,
        ))
    }
}

impl Groups {
    /// The gradient of x, and those of each channel's weight and bias.
    fn gradients(
        self,
        Extent { plane, channels }: Extent,
        x: &[f32],
        weight: &[f32],
        grad: &[f32],
    ) -> (Vec<f32>, Vec<(f32, f32)>) {
        let mut out = vec![0f32; x.len()];
        let size = channels * plane;
        let sums: Vec<Vec<(f32, f32)>> = out
            .par_chunks_mut(size)
            .zip(x.par_chunks(size).zip(grad.par_chunks(size)))
            .enumerate()
            .map(|(number, (out, (x, grad)))| {
                let first = number % self.count * channels;
                let (mean, scale) = statistics(x, self.eps);
                let planes = x.chunks(plane).zip(grad.chunks(plane));
                // The sums of grad · x̂ and of grad, for each channel.
                let sums: Vec<(f32, f32)> = planes
                    .map(|(x, grad)| {
                        pairs(x, grad, |x, grad| [grad * (x - mean) * scale, grad]).into()
                    })
                    .collect();
                let count = size as f32;
                let weighed = |of: fn(&(f32, f32)) -> f32| -> f32 {
                    let each = sums.iter().zip(&weight[first..]);
                    each.map(|(sums, weight)| of(sums) * weight).sum::<f32>() / count
                };
                let (along, level) = (weighed(|sums| sums.0), weighed(|sums| sums.1));
                let planes = out
                    .chunks_mut(plane)
                    .zip(x.chunks(plane).zip(grad.chunks(plane)));
                for (channel, (out, (x, grad))) in planes.enumerate() {
                    let weight = weight[first + channel];
                    for (out, (x, grad)) in out.iter_mut().zip(x.iter().zip(grad)) {
                        let normed = (x - mean) * scale;
                        *out = scale * (grad * weight - level - normed * along);
                    }
                }
                sums
            })
            .collect();
        let mut all = vec![(0.0, 0.0); self.count * channels];
        for (number, sums) in sums.into_iter().enumerate() {
            let first = number % self.count * channels;
            for (all, sums) in all[first..].iter_mut().zip(sums) {
                *all = (all.0 + sums.0, all.1 + sums.1);
            }
        }
        (out, all)
    }
}

/// The mean and the inverse of the standard deviation, summed in f64 over short runs of f32.
fn statistics(values: &[f32], eps: f64) -> (f32, f32) {
    let count = values.len() as f64;
    let runs = || values.chunks(1024);
    let mean = runs().map(|run| f64::from(sum(run))).sum::<f64>() / count;
    let centre = mean as f32;
    let squares = |run| {
        let [squares] = pairs(run, run, |x, _| [(x - centre) * (x - centre)]);
        f64::from(squares)
    };
    let variance = runs().map(squares).sum::<f64>() / count;
    (centre, (1.0 / (variance + eps).sqrt()) as f32)
}
