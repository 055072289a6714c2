//! Group norm in one pass over the data on the CPU, by tensor operations elsewhere.

use super::memory::{read, slice};
use crate::model::{ModelError, Result, Weights};
use candle_core::{CpuStorage, CustomOp3, DType, Device, Layout, Shape, Tensor};
use rayon::prelude::*;

/// Normalises groups of channels of [B, C, ...]; `weight` and `bias` `[C]`.
#[derive(Debug, Clone)]
pub struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    groups: usize,
    eps: f64,
}

impl GroupNorm {
    /// # Errors
    /// When the groups do not divide the channels; as [`Weights::get`].
    pub fn new(weights: &Weights, groups: usize, channels: usize, eps: f64) -> Result<Self> {
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(ModelError::Input(format!(
                "{}: {groups} groups do not divide {channels} channels",
                weights.name("weight")
            )));
        }
        Ok(Self {
            weight: weights.get("weight", channels)?,
            bias: weights.get("bias", channels)?,
            groups,
            eps,
        })
    }

    /// Same shape as x. Statistics in f32 or better.
    ///
    /// # Errors
    /// When the channels differ.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match (x.device(), x.dtype()) {
            (Device::Cpu, DType::F32) => self.one_pass(x),
            _ => self.by_operations(x),
        }
    }

    fn one_pass(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let [weight, bias] = [self.weight.contiguous()?, self.bias.contiguous()?];
        let groups = Groups {
            count: self.groups,
            eps: self.eps,
        };
        x.contiguous()?.apply_op3(&weight, &bias, groups)
    }

    fn by_operations(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (batch, channels) = (x.dim(0)?, x.dim(1)?);
        let grouped = x.to_dtype(DType::F32)?.reshape((batch, self.groups, ()))?;
        let centred = grouped.broadcast_sub(&grouped.mean_keepdim(2)?)?;
        let variance = centred.sqr()?.mean_keepdim(2)?;
        let normed = centred.broadcast_div(&(variance + self.eps)?.sqrt()?)?;
        let normed = normed.reshape(x.shape())?.to_dtype(x.dtype())?;
        let mut each = vec![1; x.rank()];
        each[1] = channels;
        normed
            .broadcast_mul(&self.weight.reshape(each.clone())?)?
            .broadcast_add(&self.bias.reshape(each)?)
    }
}

/// The operation in one pass over the data: x [B, C, ...], the weight and the bias `[C]`.
#[derive(Debug, Clone, Copy)]
struct Groups {
    count: usize,
    eps: f64,
}

/// Numbers of one channel, and channels of one group.
#[derive(Debug, Clone, Copy)]
struct Extent {
    plane: usize,
    channels: usize,
}

impl Groups {
    fn extent(self, x: &Shape, weight: &Shape) -> candle_core::Result<Extent> {
        let (all, normed) = (x.dims()[1], weight.elem_count());
        if all != normed {
            candle_core::bail!("{all} channels for a norm over {normed}");
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
    ) -> candle_core::Result<(CpuStorage, Shape)> {
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
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let extent = self.extent(x.shape(), weight.shape())?;
        let weights: Vec<f32> = weight.to_vec1()?;
        let (of_x, sums) = read(x, |x| {
            read(grad, |grad| Ok(self.gradients(extent, x, &weights, grad)))
        })?;
        let vector = |values: Vec<f32>| Tensor::from_vec(values, weight.shape(), &Device::Cpu);
        let (of_weight, of_bias) = sums.into_iter().unzip();
        Ok((
            Some(Tensor::from_vec(of_x, x.shape(), &Device::Cpu)?),
            weight.track_op().then(|| vector(of_weight)).transpose()?,
            bias.track_op().then(|| vector(of_bias)).transpose()?,
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
                // Of each channel the sums of grad · x̂ and of grad.
                let sums: Vec<(f32, f32)> = planes
                    .map(|(x, grad)| {
                        let pairs = x.iter().zip(grad);
                        let both = pairs.map(|(x, grad)| (grad * (x - mean) * scale, *grad));
                        both.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
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

/// Mean, and one over the standard deviation; summed in f64 by short runs of f32.
fn statistics(values: &[f32], eps: f64) -> (f32, f32) {
    let sum = |of: &dyn Fn(&[f32]) -> f32| {
        values
            .chunks(256)
            .map(|run| f64::from(of(run)))
            .sum::<f64>()
    };
    let count = values.len() as f64;
    let mean = sum(&|run| run.iter().sum()) / count;
    let centre = mean as f32;
    let variance = sum(&|run| run.iter().map(|x| (x - centre) * (x - centre)).sum()) / count;
    (centre, (1.0 / (variance + eps).sqrt()) as f32)
}
