//! Group norm in one pass over the data on the CPU, by tensor operations elsewhere.

use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Device, Storage, Tensor};
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
        let channels = x.dim(1)?;
        let shape = x.shape().clone();
        let x = x.contiguous()?;
        let (weight, bias): (Vec<f32>, Vec<f32>) = (self.weight.to_vec1()?, self.bias.to_vec1()?);
        if weight.len() != channels {
            candle_core::bail!("{channels} channels for a norm over {}", weight.len());
        }
        let (storage, layout) = x.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else {
            candle_core::bail!("only tensors in main memory are read");
        };
        let start = layout.start_offset();
        let values = &storage.as_slice::<f32>()?[start..start + shape.elem_count()];
        let plane: usize = shape.dims()[2..].iter().product();
        let per_group = channels / self.groups;
        let mut out = vec![0f32; values.len()];
        out.par_chunks_mut(per_group * plane)
            .zip(values.par_chunks(per_group * plane))
            .enumerate()
            .for_each(|(number, (out, values))| {
                let first = number % self.groups * per_group;
                let (mean, scale) = statistics(values, self.eps);
                for (channel, (out, values)) in
                    out.chunks_mut(plane).zip(values.chunks(plane)).enumerate()
                {
                    let gain = weight[first + channel] * scale;
                    let shift = bias[first + channel] - mean * gain;
                    out.iter_mut()
                        .zip(values)
                        .for_each(|(to, x)| *to = x * gain + shift);
                }
            });
        Tensor::from_vec(out, shape, &Device::Cpu)
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
